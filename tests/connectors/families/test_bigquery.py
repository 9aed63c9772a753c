import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors.families.bigquery import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, google
from tests.doubles.messages import CANARY, Answer, Request, as_json
from tests.doubles.server import Server
from tests.doubles.vendor import vendor

METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"


@pytest.fixture(autouse=True)
def no_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the credentials that the machine of the tests may have."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")


@pytest.fixture
def server() -> Iterator[Server]:
    """Google, at an address of its own."""
    with Server(google.Google()) as server:
        yield server


def connection(server: Server, **fields: Any) -> dict[str, Any]:
    """A connection with the right service account, and other fields."""
    own = {"project_id": google.PROJECT_ID, "api_endpoint": server.url}
    key = json.dumps(google.service_account(server.url))
    return {**own, "credentials_json": key, **fields}


CREDENTIALS = "credentials_json"
TOKEN = "oauth.invalid_grant"
ANSWERS: tuple[tuple[str, Answer, Verdict], ...] = (
    ("401", google.INVALID_TOKEN, ("auth", "http.401", "auth", CREDENTIALS)),
    (
        "denied",
        google.ACCESS_DENIED,
        ("permission", "bigquery.access_denied", "query", CREDENTIALS),
    ),
    (
        "disabled",
        google.API_DISABLED,
        ("permission", "bigquery.api_disabled", "query", "project_id"),
    ),
    ("billing", google.BILLING, ("unknown", "bigquery.billing", "query", "project_id")),
    ("rate limit", google.RATE_LIMITED, ("unknown", "bigquery.rate_limit", "query", "project_id")),
    ("quota", google.QUOTA, ("unknown", "bigquery.quota", "query", "project_id")),
    ("503", google.SERVER_ERROR, ("unknown", "http.503", "query", "api_endpoint")),
    ("403", faults.status(403), ("permission", "http.403", "auth", CREDENTIALS)),
    ("other server", faults.status(404), ("unknown", "http.404", "query", "api_endpoint")),
    ("login page", faults.LOGIN_PAGE, ("unknown", "http.html", "query", "api_endpoint")),
    ("other JSON", as_json(200, {"a": 1}), ("unknown", "bigquery.answer", "query", "api_endpoint")),
)


@pytest.mark.parametrize(
    ("answer", "expected"), [c[1:] for c in ANSWERS], ids=[c[0] for c in ANSWERS]
)
@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S1-CONN010-06", "S2-FUT-04")
def test_answers(answer: Answer, expected: Verdict) -> None:
    """What BigQuery answers is told apart by its reasons."""
    double = google.Google()

    def refusing(request: Request) -> Answer:
        return double(request) if request.path == "/token" else answer

    with Server(refusing) as server:
        assert expected == verdict(CONNECTOR.examine(connection(server)))


KEY = google.service_account("https://x.test")
UNUSABLE = ("unknown", "google.credentials", "config", CREDENTIALS)
KEYS: tuple[tuple[str, Any, Verdict], ...] = (
    (
        "another key",
        google.service_account("", key="another"),
        ("auth", TOKEN, "auth", CREDENTIALS),
    ),
    (
        "another account",
        google.service_account("", email="x@y.test"),
        ("auth", TOKEN, "auth", CREDENTIALS),
    ),
    ("text", "{", UNUSABLE),
    ("list", "[]", UNUSABLE),
    ("another kind", {"type": "external_account"}, UNUSABLE),
    ("incomplete", {"type": "service_account"}, UNUSABLE),
    ("damaged", {**KEY, "private_key": "x", "token_uri": ""}, UNUSABLE),
    ("stranger", KEY, ("unknown", "google.token_uri", "config", CREDENTIALS)),
    (
        "look-alike",
        {**KEY, "token_uri": "https://oauth2.googleapis.com.x.test"},
        ("unknown", "google.token_uri", "config", CREDENTIALS),
    ),
)


@pytest.mark.parametrize(("key", "expected"), [c[1:] for c in KEYS], ids=[c[0] for c in KEYS])
@pytest.mark.inventory("S1-CONN010-01")
def test_keys(server: Server, key: Any, expected: Verdict) -> None:
    """A key is really checked, and goes to no server but Google's."""
    if isinstance(key, dict) and key.get("token_uri") in ("/token", ""):
        key = {**key, "token_uri": f"{server.url}/token"}
    assert expected == verdict(CONNECTOR.examine(connection(server, credentials_json=key)))
    assert [request.path for request in server.requests] in ([], ["/token"])


def test_key_file(server: Server, tmp_path: Path) -> None:
    """A key may be in a file, or in a text."""
    key = json.dumps(google.service_account(server.url))
    (tmp_path / "key.json").write_text(key)
    file = {"credentials_file": str(tmp_path / "key.json"), "credentials_json": None}
    for fields in (file, {"credentials_json": key}):
        assert verdict(CONNECTOR.examine(connection(server, **fields))) == OK
    missing = CONNECTOR.examine(connection(server, **{**file, "credentials_file": "nope.json"}))
    assert verdict(missing) == ("unknown", "file.missing", "config", "credentials_file")


def test_dataset(server: Server) -> None:
    """A dataset that is there tells its location; for another those that are there are told."""
    found = CONNECTOR.examine(connection(server, dataset=google.DATASET, location="eu")).details
    known = {name: found[name] for name in ("project", "dataset", "location")}
    assert known == {"project": google.PROJECT_ID, "dataset": google.DATASET, "location": "EU"}
    assert "hint" not in found
    elsewhere = CONNECTOR.examine(connection(server, dataset=google.DATASET)).details
    assert "set `location`" in elsewhere["hint"]
    missing = CONNECTOR.examine(connection(server, dataset="nope"))
    assert verdict(missing) == ("unknown", "db.unknown_database", "query", "dataset")
    assert missing.details["databases"] == [google.DATASET]


@pytest.mark.parametrize("dataset", [None, "sales"])
def test_unknown_project(server: Server, dataset: str | None) -> None:
    """A project that does not exist is told apart from a dataset."""
    result = CONNECTOR.examine(connection(server, project_id="nope", dataset=dataset))
    assert verdict(result) == ("unknown", "http.404", "query", "project_id")


def test_token_server_fails(server: Server) -> None:
    """A token server with a fault of its own is not asked again."""
    server.always(faults.status(503, 30))
    result = CONNECTOR.examine(connection(server))
    assert verdict(result) == ("unknown", "http.503", "query", CREDENTIALS)
    assert len(server.requests) == 1


def emulator(request: Request) -> Answer:
    """An emulator, and the metadata server of a machine at Google."""
    if request.path == METADATA:
        return as_json(200, {"access_token": CANARY, "expires_in": 1})
    return as_json(200, {"datasets": [], "login": request.bearer})


def test_emulator() -> None:
    """A server of one's own gets no credentials, unless the connection has some."""
    with Server(emulator) as server:
        plain = {"project_id": "test", "api_endpoint": server.url}
        assert verdict(CONNECTOR.examine(plain)) == OK
    assert "Authorization" not in server.requests[0].headers


def test_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials in the connection those of the machine are used, where it has some."""
    plain = {"project_id": "test"}
    with (
        vendor(emulator, "bigquery.googleapis.com", tmp_path, monkeypatch) as cloud,
        Server(emulator) as machine,
    ):
        none = CONNECTOR.examine(plain)
        absent = ("unknown", "google.no_credentials", "config", "credentials_file")
        assert verdict(none) == absent
        monkeypatch.setenv("GCE_METADATA_HOST", machine.authority)
        assert verdict(CONNECTOR.examine(plain)) == OK
        machine.always(faults.SILENT)
        assert verdict(CONNECTOR.examine(plain)) == absent
    assert [request.bearer for request in cloud.server.requests] == [CANARY]
    assert machine.requests[0].headers["Metadata-Flavor"] == "Google"


def test_credentials_of_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `gcloud auth application-default login` wrote is used, and goes to Google alone."""
    person = {"type": "authorized_user", "client_id": "x", "client_secret": "y"}
    person |= {"refresh_token": "z", "token_uri": "https://x.test/token"}
    (tmp_path / "application_default_credentials.json").write_text(json.dumps(person))

    def anything(request: Request) -> Answer:
        if request.path == "/token":
            return as_json(200, {"access_token": CANARY, "expires_in": 1})
        return emulator(request)

    with vendor(anything, "*.googleapis.com", tmp_path, monkeypatch) as cloud:
        assert verdict(CONNECTOR.examine({"project_id": "test"})) == OK
    hosts = ["oauth2.googleapis.com:443", "bigquery.googleapis.com:443"]
    assert cloud.proxy.tunnels == hosts


@pytest.mark.inventory("S1-CONN009-05")
def test_deadline(server: Server) -> None:
    """A token server that drips is left at the deadline."""
    server.always(faults.SLOW_BODY)
    result = CONNECTOR.examine(connection(server), timeout=0.3)
    assert verdict(result) == ("timeout", "query.timeout", "query", CREDENTIALS)
    assert result.details["elapsed_ms"] < 800


def test_without_google_auth(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without google-auth the extra to install is named; an emulator needs none."""
    monkeypatch.setitem(sys.modules, "google.auth.exceptions", None)
    result = CONNECTOR.examine(connection(server))
    assert verdict(result)[:3] == ("unknown", "dep.missing", "config")
    assert "osiris-lsp[bigquery]" in result.details["remedy"]
