from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors.families.snowflake import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, snowflake
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.tokens import pem, private_key
from tests.doubles.vendor import Vendor, vendor

HOST = "acme-analytics.snowflakecomputing.com"
PASSPHRASE = f"open-{CANARY}"
KEY = pem(private_key("snowflake"))
WRONG = f"wrong-{CANARY}"


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """The account under its name at Snowflake."""
    with vendor(snowflake.Snowflake(), HOST, tmp_path, monkeypatch) as account:
        yield account


def connection(**fields: Any) -> dict[str, Any]:
    """A connection of the user to the account, and other fields."""
    return {"account": snowflake.ACCOUNT.lower(), "user": snowflake.USER.lower(), **fields}


PASSWORD = {"password": snowflake.PASSWORD}
OAUTH = {"token": snowflake.OAUTH_TOKEN}
CONTEXT = {"database": "ANALYTICS", "warehouse": "ETL_WH", "schema": "PUBLIC", "role": "REPORTER"}


def refused(code: str, field: str, category: str = "auth") -> Verdict:
    """What a login that is refused comes to."""
    return (category, f"snowflake.{code}", "auth", field)


LOGINS: tuple[tuple[str, dict[str, Any], Verdict], ...] = (
    ("password", PASSWORD, OK),
    ("password, chosen", {**PASSWORD, **OAUTH, "authenticator": "snowflake"}, OK),
    ("key pair", {"private_key": KEY}, OK),
    ("token", OAUTH, OK),
    ("oauth", {**OAUTH, "authenticator": "oauth"}, OK),
    (
        "programmatic",
        {"token": snowflake.PROGRAMMATIC_TOKEN, "authenticator": "PROGRAMMATIC_ACCESS_TOKEN"},
        OK,
    ),
    ("wrong password", {"password": WRONG}, refused("login", "password")),
    ("wrong token", {"token": WRONG}, refused("token", "token")),
    ("wrong oauth", {"token": WRONG, "authenticator": "oauth"}, refused("token", "token")),
    (
        "wrong programmatic",
        {"token": WRONG, "authenticator": "programmatic_access_token"},
        refused("token", "token"),
    ),
    (
        "wrong key",
        {"private_key": pem(private_key("another"))},
        refused("key_pair", "private_key"),
    ),
    ("wrong user", {"private_key": KEY, "user": "x"}, refused("key_pair", "private_key")),
    (
        "no key",
        {"private_key": WRONG},
        ("unknown", "key.unusable", "config", "private_key"),
    ),
    (
        "passphrase for nothing",
        {"private_key": KEY, "private_key_passphrase": PASSPHRASE},
        ("unknown", "key.unusable", "config", "private_key_passphrase"),
    ),
    (
        "no file",
        {"private_key_file": "nowhere.p8"},
        ("unknown", "file.missing", "config", "private_key_file"),
    ),
    (
        "browser",
        {"authenticator": "externalbrowser"},
        ("unknown", "auth.interactive", "config", "authenticator"),
    ),
    (
        "Okta",
        {**PASSWORD, "authenticator": "https://acme.okta.com"},
        ("unknown", "auth.interactive", "config", "authenticator"),
    ),
    (
        "unknown authenticator",
        {"authenticator": "x"},
        ("unknown", "snowflake.authenticator", "config", "authenticator"),
    ),
    (
        "nothing",
        {"authenticator": "snowflake"},
        ("unknown", "config.missing_field", "config", "password"),
    ),
)


@pytest.mark.parametrize(
    ("fields", "expected"), [c[1:] for c in LOGINS], ids=[c[0] for c in LOGINS]
)
@pytest.mark.inventory("S1-CONN010-01", "S2-FUT-05")
def test_logins(account: Vendor, fields: dict[str, Any], expected: Verdict) -> None:
    """Each kind of login is really made, and what is wrong has its own field."""
    result = CONNECTOR.examine(connection(**fields))
    assert expected == verdict(result)
    if expected == OK:
        assert result.details["server_version"] == snowflake.VERSION
        assert account.proxy.tunnels[0] == f"{HOST}:443"


@pytest.mark.parametrize("passphrase", [PASSPHRASE, "", WRONG], ids=["right", "none", "wrong"])
def test_passphrase(account: Vendor, tmp_path: Path, passphrase: str) -> None:
    """A key in a file is opened with its passphrase, and with no other."""
    (tmp_path / "key.p8").write_text(pem(private_key("snowflake"), PASSPHRASE))
    fields = {"private_key_file": str(tmp_path / "key.p8"), "private_key_passphrase": passphrase}
    result = CONNECTOR.examine(connection(**fields))
    unusable = ("unknown", "key.unusable", "config", "private_key_passphrase")
    assert verdict(result) == (OK if passphrase == PASSPHRASE else unusable)


@pytest.mark.parametrize("login", [PASSWORD, OAUTH], ids=["session", "SQL API"])
@pytest.mark.parametrize("name", ["database", "warehouse", "schema"])
def test_unknown(account: Vendor, login: dict[str, str], name: str) -> None:
    """What does not exist is found, whichever it is; of databases those that are there are told."""
    assert verdict(CONNECTOR.examine(connection(**login, **CONTEXT))) == OK
    result = CONNECTOR.examine(connection(**login, **{**CONTEXT, name: "NOPE"}))
    assert verdict(result) == ("unknown", f"db.unknown_{name}", "query", name)
    databases = ["ANALYTICS"] if name == "database" else None
    assert result.details.get("databases") == databases


def test_context(account: Vendor) -> None:
    """What the session works in is told."""
    for login in (PASSWORD, OAUTH):
        details = CONNECTOR.examine(connection(**login, **CONTEXT)).details
        assert {name: details[name] for name in CONTEXT} == CONTEXT
        assert details["user"] == snowflake.USER


def test_logout(account: Vendor) -> None:
    """A session ends with the check."""
    assert verdict(CONNECTOR.examine(connection(**PASSWORD))) == OK
    paths = [request.target.partition("?") for request in account.server.requests]
    assert [path[0] for path in paths] == ["/session/v1/login-request", "/session"]
    assert paths[-1][2] == "delete=true"


ANSWERS: tuple[tuple[str, Answer, Verdict], ...] = (
    ("locked", snowflake.LOCKED, refused("locked", "user")),
    ("second factor", snowflake.MFA_REQUIRED, refused("mfa", "password")),
    ("address", snowflake.ADDRESS_REFUSED, refused("address", "password", "permission")),
    ("unknown number", snowflake.failure("390999", "?"), refused("390999", "password")),
    (
        "no warehouse",
        snowflake.NO_WAREHOUSE,
        ("unknown", "snowflake.warehouse", "query", "warehouse"),
    ),
    ("no account", snowflake.UNKNOWN_ACCOUNT, ("unknown", "http.404", "query", "account")),
    ("403", faults.status(403), ("permission", "http.403", "auth", "password")),
    ("429", faults.status(429), ("unknown", "http.429", "query", "account")),
    ("503", faults.status(503), ("unknown", "http.503", "query", "account")),
    ("login page", faults.LOGIN_PAGE, ("unknown", "http.html", "query", "account")),
    ("a list", as_json(200, []), ("unknown", "snowflake.answer", "query", "account")),
    (
        "no token",
        as_json(200, {"success": True}),
        ("unknown", "snowflake.answer", "query", "account"),
    ),
)


@pytest.mark.parametrize(
    ("answer", "expected"), [c[1:] for c in ANSWERS], ids=[c[0] for c in ANSWERS]
)
@pytest.mark.inventory("S1-CONN010-03", "S1-CONN010-06")
def test_answers(account: Vendor, answer: Answer, expected: Verdict) -> None:
    """What Snowflake answers is told apart by its numbers."""
    account.server.always(answer)
    assert expected == verdict(CONNECTOR.examine(connection(**PASSWORD)))


def test_empty_answer(account: Vendor) -> None:
    """An answer without the row that was asked for proves nothing."""
    account.server.always(as_json(200, {"code": "090001", "data": []}))
    result = CONNECTOR.examine(connection(**OAUTH))
    assert verdict(result) == ("unknown", "snowflake.answer", "query", "account")


def test_role(account: Vendor) -> None:
    """A role that the user does not have is a matter of rights."""
    result = CONNECTOR.examine(connection(**PASSWORD, role="ADMIN"))
    assert verdict(result) == refused("role", "role", "permission")


def test_host(account: Vendor) -> None:
    """`host` and `port` go before the account."""
    other = {"account": "x", "host": HOST, "port": 8443}
    assert verdict(CONNECTOR.examine(connection(**OAUTH, **other))) == OK
    assert account.proxy.tunnels == [f"{HOST}:8443"]


@pytest.mark.inventory("S1-CONN009-05")
def test_deadline(account: Vendor) -> None:
    """An account that is silent is left at the deadline."""
    account.server.always(faults.SILENT)
    result = CONNECTOR.examine(connection(**OAUTH), timeout=0.3)
    assert verdict(result) == ("timeout", "auth.timeout", "auth", "account")
    assert result.details["elapsed_ms"] < 800
