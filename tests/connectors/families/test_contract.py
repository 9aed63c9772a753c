"""What holds for every family, whatever is at the other end and whatever stands in the fields."""

import inspect
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import CATEGORIES, STAGES
from osiris_lsp.connectors.families import connector
from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.specs import Families
from tests.connectors.families import samples
from tests.connectors.families.samples import CANARY, Sample
from tests.services import faults
from tests.services.certificates import Certificates
from tests.services.faults import Fault

TIMEOUT = 0.3
SLACK = 0.5
TOGETHER = 20
KEYS = ["family", "alias", "ok", "latency_ms", "category", "message", "details"]
EXPLAINED = {"code", "stage", "field", "cause", "remedy", "retryable", "elapsed_ms"}

Checked = tuple[Sample, DoctorResult, float]
"""A sample, what its check came to, and how many seconds that took."""


@pytest.fixture(autouse=True)
def nothing_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, certificates: Certificates
) -> None:
    """Let no name lead anywhere, and take away what the machine of the tests may have set."""
    look_up = socket.getaddrinfo

    def local(host: Any, *args: Any, **options: Any) -> Any:
        if host in ("localhost", "127.0.0.1", "::1"):
            return look_up(host, *args, **options)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", local)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")


@pytest.fixture(autouse=True)
def nothing_leaks(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[None]:
    """Look for the canary in what drivers log and print, and for threads that stay."""
    caplog.set_level(1)
    before = set(threading.enumerate())
    yield
    formatter = logging.Formatter("%(message)s %(pathname)s")
    seen = [formatter.format(record) + repr(record.args) for record in caplog.records]
    assert leaks([*seen, *capfd.readouterr()]) == []
    stay = [thread.name for thread in set(threading.enumerate()) - before if not thread.daemon]
    assert stay == []


@pytest.fixture(scope="module", autouse=True)
def drivers() -> None:
    """Import all drivers first: that takes longer than a check may."""
    for module in ("duckdb", "google.auth", "pg8000", "pymongo", "pymysql", "redis", "sqlalchemy"):
        __import__(module)
    samples.private_key()


def leaks(texts: Iterable[str]) -> list[str]:
    """The texts in which the canary is seen."""
    return [text for text in texts if any(form in text for form in samples.forms())]


def check_all(given: Iterable[Sample], timeout: float = TIMEOUT) -> list[Checked]:
    """Check connections, as many beside each other as a small machine serves in their time."""
    found: list[Checked] = []
    waiting = list(given)
    for at in range(0, len(waiting), TOGETHER):
        found += check_together(waiting[at : at + TOGETHER], timeout)
    return found


def check_together(given: Sequence[Sample], timeout: float) -> list[Checked]:
    """Check connections beside each other."""
    found: list[Checked] = []

    def work(sample: Sample) -> None:
        fields = {**sample.fields, "alias": "canary"}
        began = time.monotonic()
        result = connector(sample.family).examine(fields, timeout)
        found.append((sample, result, time.monotonic() - began))

    threads = [threading.Thread(target=work, args=[sample], daemon=True) for sample in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout + 5)
    assert len(found) == len(threads), "a check raised, or did not end"
    return found


def flaws(checked: Checked, timeout: float = TIMEOUT) -> Iterator[str]:
    """What breaks the contract in a result, or in the time that it took."""
    sample, result, took = checked
    ok, details = result.as_tuple()
    latency = details["latency_ms"]
    shown = json.loads(json.dumps(result.as_json()))
    if took > max(timeout, 0) + SLACK:
        yield f"{sample} took {took:.2f} s"
    if list(shown) != KEYS or (shown["family"], shown["alias"]) != (sample.family, "canary"):
        yield f"{sample} has other keys: {shown}"
    if details["category"] not in CATEGORIES or (ok is True) != (details["category"] == "ok"):
        yield f"{sample} has the category {details['category']}"
    if not (isinstance(latency, float) if ok else latency is None):
        yield f"{sample} has the latency {latency}"
    if not ok and not (details.keys() >= EXPLAINED and details["stage"] in STAGES):
        yield f"{sample} does not explain itself: {details}"
    if not ok and not (details["code"] and details["cause"]):
        yield f"{sample} has no code or no cause: {details}"
    if not ok and details["code"] == "unknown":
        yield f"{sample} does not know its error: {details['cause']}"
    texts = (repr(result), str(details), json.dumps(shown), json.dumps(shown, ensure_ascii=False))
    yield from (f"{sample} leaks: {text}" for text in leaks((*texts, repr(result.as_status()))))


def others(found: Iterable[Checked], categories: Sequence[str]) -> list[str]:
    """The results that have another category than one of these."""
    return [
        f"{sample}: {result.category}, {result.details}"
        for sample, result, _ in found
        if result.category not in categories
    ]


def test_every_family_is_there() -> None:
    """Each family of the schemas has a connector, and a sample here for each of its secrets."""
    known = [*samples.all_samples(1), *samples.files(Path())]
    assert {sample.family for sample in known} == set(Families())
    for family in Families().values():
        made = connector(family.name)
        assert isinstance(made, Connector)
        assert made.family == family.name
        used = {name for sample in known if sample.family == family.name for name in sample.fields}
        secret = {name for name, field in family.fields.items() if field.secret}
        assert secret - used <= {"password", "private_key_passphrase"}


@pytest.mark.inventory("S1-CONN009-01")
@pytest.mark.parametrize("family", sorted(Families()))
def test_signature(family: str) -> None:
    """`doctor(self, connection, timeout=2.0)` gives whether it works, and details."""
    signature = inspect.signature(type(connector(family)).doctor)
    assert list(signature.parameters) == ["self", "connection", "timeout"]
    assert signature.parameters["timeout"].default == 2.0
    assert signature.return_annotation == tuple[bool, dict[str, Any]]


@pytest.mark.inventory("S1-DEF-01")
@pytest.mark.parametrize("family", sorted(Families()))
def test_a_family_is_a_connector_and_nothing_more(family: str) -> None:
    """It opens, checks and explains; what moves data is a component's."""
    kind = type(connector(family))
    public = {name for name in dir(kind) if not name.startswith("_")}
    assert public >= {"doctor", "examine", "expanded", "explain", "family", "probe"}
    moves = {"run", "execute", "extract", "read", "write", "load", "search", "fetch", "query"}
    assert public & moves == set()


HTTP_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
HTTP_BODY = HTTP_HEAD + b"Content-Length: 100000\r\n\r\n{"
FAULTS: dict[str, tuple[Callable[[], AbstractContextManager[Fault]], Sequence[str]]] = {
    "refused": (faults.refused, ["network"]),
    "black hole": (faults.black_hole, ["timeout"]),
    "mute": (faults.mute, ["timeout", "network"]),
    "half open": (faults.half_open, ["timeout", "network"]),
    "reset": (faults.reset, ["network"]),
    "closes": (faults.closes, ["network"]),
    "garbage": (faults.garbage, ["network", "timeout"]),
    "ssh": (partial(faults.text, faults.SSH_BANNER), ["network", "timeout"]),
    "mysql": (partial(faults.text, faults.MYSQL_GREETING), ["network", "timeout"]),
    "http": (partial(faults.text, faults.HTTP_REPLY), ["network", "timeout", "unknown", "auth"]),
    "drips zeros": (partial(faults.drip, b"\0"), ["network", "timeout"]),
    "drips text": (partial(faults.drip, b"+OK "), ["network", "timeout"]),
    "drips an HTTP head": (partial(faults.drip, HTTP_HEAD), ["network", "timeout"]),
    "drips an HTTP body": (partial(faults.drip, HTTP_BODY, 0.001), ["network", "timeout"]),
}


@pytest.mark.inventory(
    "S1-CONN009-02", "S1-CONN009-03", "S1-CONN009-04", "S1-CONN009-05", "S1-CONN010-02",
    "S1-CONN010-04", "S1-CONN010-06", "S1-CONN011-01", "S1-CONN020-03", "S0-SEC-03",
)  # fmt: skip
@pytest.mark.parametrize("fault", FAULTS)
def test_servers_that_fail(fault: str) -> None:
    """Whatever is at the other end, each family says so in time and leaves nothing open."""
    start, categories = FAULTS[fault]
    with start() as server:
        found = check_all(samples.all_samples(server.port))
        assert_closed(server)
    assert [flaw for item in found for flaw in flaws(item)] == []
    assert others(found, categories) == []


def assert_closed(server: Fault) -> None:
    """See all connections to a server closed within half a second."""
    deadline = time.monotonic() + SLACK
    while server.open_connections and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.open_connections == 0


OPENINGS = {"mysql": faults.MYSQL, "postgres": faults.POSTGRES, "": faults.DIRECT}
TLS_FAULTS: dict[str, tuple[Callable[..., AbstractContextManager[Fault]], Sequence[str]]] = {
    "expired": (partial(faults.tls, kind="expired"), ["network"]),
    "wrong host": (partial(faults.tls, kind="wrong_host"), ["network"]),
    "untrusted": (partial(faults.tls, kind="untrusted"), ["network"]),
    "silent": (faults.tls, ["timeout"]),
    "drips": (partial(faults.tls, then=faults.dripping(HTTP_BODY, 0.02)), ["network", "timeout"]),
    "stalls": (lambda _, opening: faults.tls_stall(opening), ["timeout"]),
    "drips a handshake": (
        lambda _, opening: faults.tls_drip(opening=opening),
        ["timeout", "network"],  # PostgreSQL must not speak TLS before the client does
    ),
}


@pytest.mark.inventory(
    "S1-CONN009-05", "S1-CONN010-02", "S1-CONN011-01", "S1-CONN017-01", "S0-TEST-05", "S0-SEC-02"
)
@pytest.mark.parametrize("fault", TLS_FAULTS)
def test_tls_that_fails(fault: str, certificates: Certificates) -> None:
    """A certificate that cannot be trusted, and a handshake that never ends, in every family."""
    start, categories = TLS_FAULTS[fault]
    with ExitStack() as opened:
        servers = {name: opened.enter_context(start(certificates, opening=opening))
                   for name, opening in OPENINGS.items()}  # fmt: skip
        found = check_all(
            sample
            for name, server in servers.items()
            for sample in samples.all_samples(server.port, certificates.ca)
            if sample.opening == name and sample.name != "proxy"
        )
        for server in servers.values():
            assert_closed(server)
    assert [flaw for item in found for flaw in flaws(item)] == []
    assert others(found, categories) == []


STRANGE: Sequence[Any] = (
    *(None, 0, 2**70, 1.5, True, "", "x", "a\0\n", "ü" * 300, ["x"], {}, {"a": [1]}),
)


@pytest.mark.inventory("S1-CONN009-03", "S1-CONN010-06", "S1-CONN011-01")
@pytest.mark.parametrize("family", sorted(Families()))
def test_strange_values(family: str, tmp_path: Path) -> None:
    """No value of any field, of any type, makes a check raise, hang or tell a secret."""
    with faults.refused() as server:
        known = [*samples.all_samples(server.port), *samples.files(tmp_path)]
        base = next(sample for sample in known if sample.family == family)
        changes: list[dict[str, Any]] = [
            {name: value}
            for name in [*Families()[family].fields, "no_such_field", "replicas"]
            for value in STRANGE
        ]
        given = [Sample(family, repr(change), {**base.fields, **change}) for change in changes]
        found = check_all(given)
    assert [flaw for item in found for flaw in flaws(item)] == []


@pytest.mark.inventory("S1-CONN009-03")
@pytest.mark.parametrize("family", sorted(Families()))
def test_nothing_to_check(family: str) -> None:
    """A connection without values is never a good one."""
    fields = Families()[family].fields
    given = [
        Sample(family, "no fields", {}),
        Sample(family, "no values", dict.fromkeys(fields)),
        Sample(family, "empty texts", dict.fromkeys(fields, "")),
        Sample(family, "unknown fields", {"no_such_field": 1, "token": CANARY}),
    ]
    found = check_all(given)
    assert [flaw for item in found for flaw in flaws(item)] == []
    assert [str(sample) for sample, result, _ in found if result.ok] == []


@pytest.mark.inventory("S1-CONN009-05")
@pytest.mark.parametrize("timeout", [-1.0, 0.0, 0.001])
def test_no_time(timeout: float, tmp_path: Path) -> None:
    """A check that has no time ends at once, as a time-out or with what it saw by then."""
    with faults.mute() as server:
        given = [*samples.all_samples(server.port), *samples.files(tmp_path)]
        found = check_all(given, timeout)
        assert_closed(server)
    assert [flaw for item in found for flaw in flaws(item, timeout)] == []
    assert {result.category for _, result, _ in found} <= {"timeout", "unknown"}


@pytest.mark.inventory("S1-CONN011-01", "S1-CONN011-02")
def test_connections_do_not_show_their_secrets() -> None:
    """No repr, text or message of a connection holds one."""
    for sample in samples.all_samples(1):
        connection = ResolvedConnection(sample.family, "canary", sample.fields)
        shown = [repr(connection), str(connection), f"{connection}", connection.ref]
        assert leaks([*shown, repr(connector(sample.family))]) == []
