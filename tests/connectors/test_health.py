"""One check: its deadline, its stages, and what a result never holds."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    CATEGORIES,
    ConnectorAuthError,
    ConnectorError,
    ConnectorNetworkError,
)
from osiris_lsp.connectors.health import Check, Deadline
from osiris_lsp.connectors.network import MAX_LOOKUPS, connect, lookup
from osiris_lsp.connectors.result import DoctorResult

CANARY = "c4n4ry/+ p@ss"


class Probing(Connector):
    """A connector whose probe is a function."""

    family = "mysql"

    def __init__(self, probe: Callable[[Check], object]) -> None:
        self._probe = probe

    def probe(self, check: Check) -> None:
        """Run the function."""
        self._probe(check)


def run(probe: Callable[[Check], object], timeout: float = 0.4, **fields: Any) -> DoctorResult:
    """Check a connection by a function."""
    return Probing(probe).examine({"alias": "x", "password": CANARY, **fields}, timeout)


@pytest.mark.inventory(
    "S1-CONN009-02", "S1-CONN010-05", "S1-CONN010-07", "S1-CONN012-01", "S1-CONN020-03"
)
def test_a_good_check_has_the_shape_of_the_contract() -> None:
    """Seven keys; the latency is rounded to two decimals."""

    def probe(check: Check) -> None:
        check.at("tcp")
        check.facts["server_version"] = "8.0.35"

    result = run(probe)
    shown = result.as_json()
    latency = shown.pop("latency_ms")
    elapsed = shown["details"].pop("elapsed_ms")
    assert shown == {
        "family": "mysql",
        "alias": "x",
        "ok": True,
        "category": "ok",
        "message": "Connection successful",
        "details": {"server_version": "8.0.35"},
    }
    assert 0 <= latency <= elapsed
    assert latency == round(latency, 2)
    assert result.as_tuple()[0] is True
    assert bool(result)
    assert result.as_status() == {"status": "connected", "version": "8.0.35"}


@pytest.mark.inventory(
    "S1-CONN009-03", "S1-CONN010-01", "S1-CONN010-02", "S1-CONN010-03", "S1-CONN010-04",
    "S1-CONN010-06", "S1-CONN010-08", "S1-CONN010-09", "S2-DOC-05",
)  # fmt: skip
@pytest.mark.parametrize(
    ("error", "category", "message", "code"),
    [
        (ConnectorAuthError("x", code="a"), "auth", "Invalid credentials", "a"),
        (PermissionError(13, "x"), "permission", "Access denied", "os.denied"),
        (TimeoutError(), "timeout", "Timed out after 0.4s", "query.timeout"),
        (ConnectionRefusedError(111, "x"), "network", "Network error: ConnectionRefusedError",
         "tcp.refused"),
        (ConnectionResetError(104, "x"), "network", "Network error: ConnectionResetError",
         "tcp.reset"),
        (OSError(113, "x"), "network", "Network error: OSError", "tcp.unreachable"),
        (socket.gaierror(-2, "x"), "network", "Network error: gaierror", "dns.nxdomain"),
        (socket.gaierror(-3, "x"), "network", "Network error: gaierror", "dns.failed"),
        (EOFError(), "network", "Network error: EOFError", "tcp.closed"),
        (ZeroDivisionError("x"), "unknown", "Error: ZeroDivisionError", "unknown"),
        (KeyError("x"), "unknown", "Error: KeyError", "unknown"),
        (SystemExit(3), "unknown", "Error: SystemExit", "unknown"),
    ],
)  # fmt: skip
def test_errors_become_categories(
    error: BaseException, category: str, message: str, code: str
) -> None:
    """In the texts of CONN-010; the latency is None."""

    def probe(check: Check) -> None:
        check.at("query", "host")
        raise error

    result = run(probe)
    assert (result.ok, result.latency_ms) == (False, None)
    assert (result.category, result.message) == (category, message)
    assert result.details["code"] == code
    assert result.category in CATEGORIES
    assert result.as_status()["status"] == ("error" if code == "unknown" else "failed")
    assert result.as_status()["error"].startswith(message)


def test_the_cause_counts_not_what_a_driver_wraps_around_it() -> None:
    """A refused connection stays one inside of an error that a driver makes of it."""

    def probe(check: Check) -> None:
        try:
            raise ConnectionRefusedError(111, "refused")
        except OSError as error:
            raise RuntimeError("the driver failed") from error

    assert run(probe).details["code"] == "tcp.refused"


@pytest.mark.inventory(
    "S1-CONN009-04", "S1-CONN011-01", "S1-CONN011-02", "S1-CONN012-04", "S2-BP-04"
)
def test_no_secret_comes_out_whatever_a_driver_says() -> None:
    """Causes, facts and replicas pass the redactor; texts of drivers are not shown at all."""

    def probe(check: Check) -> None:
        check.facts["note"] = f"as {CANARY}"
        check.facts["list"] = [{"inner": CANARY}]
        raise ConnectorError(f"server says {CANARY}", code="x", remedy=f"not {CANARY}")

    result = run(probe)
    assert CANARY not in json.dumps(result.as_json()) + repr(result) + str(result.as_tuple())
    assert result.details["cause"] == "server says ***"

    def driver(check: Check) -> None:
        raise RuntimeError(f"password {CANARY} is no gizmo")

    shown = run(driver)
    assert CANARY not in repr(shown)
    assert "gizmo" not in repr(shown) + json.dumps(shown.as_json()) + str(shown.as_status())


@pytest.mark.parametrize("mask", ["***", "***MASKED***", "••••••", "<password>", "${X}", "{{ x }}"])
def test_a_placeholder_is_never_sent(mask: str) -> None:
    """Airflow 61670: a masked value went out as the password."""
    sent: list[Check] = []
    result = run(sent.append, password=mask)
    assert sent == []
    assert (result.shown_category, result.category) == ("config", "unknown")
    assert (result.details["code"], result.details["field"]) == ("config.placeholder", "password")


@pytest.mark.inventory("S1-CONN009-05", "S0-ERR-02", "S2-BP-02")
def test_a_probe_that_never_ends_is_left_behind() -> None:
    """The result comes at the deadline, and what the probe opened is closed."""
    end = threading.Event()
    closed = threading.Event()

    def probe(check: Check) -> None:
        check.at("auth", "host")
        check.on_close(closed.set)
        end.wait(20)

    before = time.monotonic()
    result = run(probe, 0.2)
    spent = time.monotonic() - before
    assert 0.2 <= spent <= 0.7
    assert (result.category, result.details["code"]) == ("timeout", "auth.timeout")
    assert (result.details["stage"], result.details["field"]) == ("auth", "host")
    assert closed.is_set()
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("doc"))
    end.set()


def test_what_is_opened_after_the_deadline_is_closed_at_once() -> None:
    """A thread that was left behind cannot keep a socket."""
    late = threading.Event()
    closed = threading.Event()

    def probe(check: Check) -> None:
        late.wait(5)
        check.on_close(closed.set)

    run(probe, 0.05)
    late.set()
    assert closed.wait(2)


def _check(timeout: float = 1.0) -> Check:
    return Check(ResolvedConnection("mysql", "x", {}), Deadline(timeout))


def test_a_dead_address_costs_no_more_than_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second address of a host is tried beside the first (RFC 8305)."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        dead.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(dead.getsockname())
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", dead.getsockname()),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", server.getsockname()),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)
        check = _check(2)
        sock = connect(check, "db.example.com", 1)
        assert sock.getpeername() == server.getsockname()
        assert check.deadline.elapsed < 1
        check.close()
        for filler in fillers:
            filler.close()


def test_lookups_that_hang_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks of the same host share one; when all places are taken, a check says so at once."""
    end = threading.Event()

    def hang(*args: Any, **options: Any) -> Any:
        end.wait(20)
        raise socket.gaierror(-3, "x")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    before = threading.active_count()
    for number in range(MAX_LOOKUPS):
        for _ in range(2):
            with pytest.raises(TimeoutError):
                lookup(_check(0.002), f"host{number}", 1)
    assert threading.active_count() - before == MAX_LOOKUPS
    with pytest.raises(ConnectorNetworkError) as caught:
        lookup(_check(5), "one.too.many", 1)
    assert caught.value.code == "dns.busy"
    end.set()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_importing_the_core_brings_no_driver() -> None:
    """Each name of the package brings what it needs, and drivers come with the check."""
    code = (
        "import sys; from osiris_lsp.connectors import ConnectionDoctor, resolve, TrustStore; "
        "from osiris_lsp.connectors import BaseAPIClient, RecoveryChain, RetryHandler, Session; "
        "heavy = {'pymysql', 'pg8000', 'sqlalchemy', 'pymongo', 'redis', 'duckdb', 'boto3', "
        "'hvac', 'keyring', 'google', 'http.client', 'requests', 'httpx2', 'tenacity', "
        "'cachetools'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_type_checkers_see_every_public_name() -> None:
    """`__init__.pyi` lists what `__init__` gives."""
    import osiris_lsp.connectors as package

    stub = Path(str(package.__file__) + "i").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^    (\w+) as \1,$", stub, re.MULTILINE)) == sorted(package.__all__)
    assert all(getattr(package, name) is not None for name in package.__all__)
