"""One check of one connection: deadline, stages, classification and redaction, done once for all.

A check runs in a daemon thread. The sockets that it opens know the deadline, so that it ends by
itself; what does not is left behind at the deadline with its sockets closed.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    Category,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
    Stage,
)
from osiris_lsp.connectors.failures import network_failure
from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.secret import Redactor
from osiris_lsp.text import printable

TIMEOUT: Final = 2.0
"""Seconds that a check may take in all, the name lookup included (CONN-009)."""

_GRACE: Final = 0.2
"""Seconds beyond the deadline until a check that does not end is left behind."""

_MESSAGES: Final[Mapping[Category, str]] = {
    "ok": "Connection successful",
    "auth": "Invalid credentials",
    "permission": "Access denied",
    "timeout": "Timed out after {timeout:g}s",
    "network": "Network error: {kind}",
    "unknown": "Error: {kind}",
}


class Deadline:
    """A point in time at which everything ends."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._start = clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    def remaining(self) -> float:
        """Return the seconds left; raises TimeoutError when there are none."""
        left = self.seconds - self.elapsed
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


class Check:
    """What a probe works with: the connection, the deadline, and where it stands.

    Probes call `at` when they enter a stage, `facts` collects what they learn (shown on failure
    too), and `on_close` takes what is to be closed in the end, whatever happens. `within` names
    the field that holds all others, such as a DSN: it is marked in place of one that is not there.
    `waits_for` is the cause and the remedy of a time-out where the stage alone does not tell.
    """

    def __init__(self, connection: ResolvedConnection | None, deadline: Deadline) -> None:
        self._connection = connection
        self.deadline = deadline
        self.stage: Stage = "config"
        self.field = ""
        self.within = ""
        self.facts: dict[str, Any] = {}
        self.began: float | None = None
        self.waits_for: tuple[str, str] | None = None
        self._closers: list[Callable[[], object]] = []
        self._closed = False
        self._lock = threading.Lock()

    @property
    def connection(self) -> ResolvedConnection:
        """The connection that is checked."""
        assert self._connection is not None, "a check probes what is resolved"
        return self._connection

    @connection.setter
    def connection(self, connection: ResolvedConnection) -> None:
        self._connection = connection

    @property
    def known(self) -> ResolvedConnection | None:
        """The connection, or None as long as it is not resolved."""
        return self._connection

    def at(self, stage: Stage, field: str = "") -> None:
        """Enter a stage; `field` is the YAML field that a failure there is most likely due to."""
        if self.began is None and stage != "config":
            self.began = self.deadline.elapsed
        self.stage = stage
        self.field = field
        self.deadline.remaining()

    def on_close(self, close: Callable[[], object]) -> None:
        """Have something closed at the end; at once when the check is over already."""
        with self._lock:
            if not self._closed:
                self._closers.append(close)
                return
        close()
        raise TimeoutError("the deadline has passed")

    def close(self) -> None:
        """Close what the check opened, the newest first."""
        with self._lock:
            self._closed = True
            closers, self._closers = self._closers[::-1], []
        for close in closers:
            with contextlib.suppress(Exception):
                close()


class Probe(Protocol):
    """The part of a check that a family knows."""

    def probe(self, check: Check) -> None:
        """Connect, ask, and note what the server says in `check.facts`; raises what goes wrong."""

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        """Say what an error of the driver means, by its type and code; None for others."""


def start(
    prepare: Callable[[Check], Probe],
    ref: tuple[str, str],
    timeout: float = TIMEOUT,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[], DoctorResult]:
    """Start a check and return the function that waits for its result; neither raises.

    `prepare` resolves the connection, sets it on the check and returns its probe; it counts towards
    the deadline. `ref` is (family, alias).
    """
    check = Check(None, Deadline(timeout, clock))
    probes: list[Probe] = []
    outcome: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            probe = prepare(check)
            probes.append(probe)
            refuse_placeholder(check.connection)
            probe.probe(check)
        except BaseException as error:
            outcome.append(error)
        finally:
            check.close()
            done.set()

    def wait() -> DoctorResult:
        ended = done.wait(max(timeout - check.deadline.elapsed, 0) + _GRACE)
        error: BaseException | None
        if ended:
            error = outcome[0] if outcome else None
        else:
            error = TimeoutError("the deadline has passed")
            check.close()
        try:
            return _result(check, probes[0] if probes else None, error, ref)
        except Exception as bug:  # a fault in an `explain` must not take the result away
            return _result(check, None, bug, ref)

    threading.Thread(target=work, name=f"doctor @{ref[0]}.{ref[1]}", daemon=True).start()
    return wait


def examine(
    prepare: Callable[[Check], Probe], ref: tuple[str, str], timeout: float = TIMEOUT
) -> DoctorResult:
    """Run a check to its end or to its deadline; takes what `start` takes."""
    return start(prepare, ref, timeout)()


def refuse_placeholder(connection: ResolvedConnection) -> None:
    """Raise ConnectorConfigError where a mask or a template stands for a secret."""
    name = connection.placeholder()
    if name is not None:
        raise ConnectorConfigError(
            f"`{name}` holds a mask or a template instead of a value, which is never sent",
            code="config.placeholder",
            field=name,
            remedy="put the real value into the variable that the field refers to",
        )


def _result(
    check: Check, probe: Probe | None, error: BaseException | None, ref: tuple[str, str]
) -> DoctorResult:
    elapsed = check.deadline.elapsed
    connection = check.known
    redactor = connection.redactor() if connection is not None else Redactor(())
    details: dict[str, Any] = dict(check.facts)
    latency = None
    failure: ConnectorError | None = None
    if error is None:
        latency = round((elapsed - (check.began or 0.0)) * 1000, 2)
    else:
        failure = failure_of(error, check, probe)
        details.update(_failure_details(failure, check))
    details["elapsed_ms"] = round(elapsed * 1000, 2)
    category: Category = failure.category if failure is not None else "ok"
    kind = (failure.kind or type(failure).__name__) if failure is not None else ""
    message = _MESSAGES[category].format(timeout=check.deadline.seconds, kind=kind)
    return DoctorResult(
        *ref, failure is None, latency, category, message, _redacted(details, redactor)
    )


def _failure_details(failure: ConnectorError, check: Check) -> dict[str, Any]:
    details: dict[str, Any] = {
        "code": failure.code or "unknown",
        "stage": failure.stage or check.stage,
        "field": _marked(failure.field or check.field, check),
        "cause": failure.message,
        "remedy": failure.remedy,
        "retryable": failure.retryable,
    }
    if failure.retry_after is not None:
        details["retry_after"] = failure.retry_after
    return details


def _marked(name: str, check: Check) -> str:
    """Return the field of the YAML for a field of the probe, `auth.token` where it is nested."""
    known = check.known
    top = name.partition(".")[0]
    if known is None or not name or top in known:
        return name
    if check.within:
        return check.within
    fields = known.spec.fields if known.spec is not None else None
    if fields is None or top in fields:
        return name
    # The family has no such field: mark what the stage is about.
    return check.field if check.field in fields else ""


_KEPT: Final = frozenset(("code", "stage", "field"))
"""Details that hold names of ours; a password may well be `password`."""


def _redacted(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return printable(redactor.redact(value))
    if isinstance(value, Mapping):
        return {
            key: item if key in _KEPT else _redacted(item, redactor) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(item, redactor) for item in value]
    return value


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from or during, the outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        # PyMySQL keeps what it wraps in an attribute of its own.
        wrapped = getattr(current, "original_exception", None)
        current = wrapped or current.__cause__ or current.__context__


def failure_of(error: BaseException, check: Check, probe: Probe | None) -> ConnectorError:
    """Classify an error by type and code: ours, the family's, the socket's, unknown."""
    chain = list(causes(error))
    for item in chain:
        if isinstance(item, ConnectorError):
            return item
    if any(isinstance(item, TimeoutError) for item in chain):
        return _timeout(check)
    if probe is not None:
        for item in chain:
            explained = probe.explain(item, check)
            if explained is not None:
                explained.kind = explained.kind or type(item).__name__
                return explained
    for item in chain:
        if isinstance(item, PermissionError):
            return ConnectorPermissionError(
                "the operating system does not allow it",
                code="os.denied",
                remedy="look at the rights of the file or folder",
                kind=type(item).__name__,
            )
        failed = network_failure(item, check.stage, check.field)
        if failed is not None:
            return failed
    if isinstance(error, ConnectionError):
        return ConnectorNetworkError("the connection broke", code="tcp.broken")
    return ConnectorError(
        f"this went wrong in a way that osiris-lsp does not know: {type(error).__name__}",
        code="unknown",
        remedy="try the connection with the client of the service itself",
        kind=type(error).__name__,
    )


_TIMEOUTS: Final[Mapping[Stage, tuple[str, str]]] = {
    "config": (
        "the values could not be fetched in time",
        "look at the secret store that the connection refers to",
    ),
    "dns": (
        "the name server did not answer",
        "check the network or VPN, or raise `--timeout`",
    ),
    "tcp": (
        "nothing answers there: packets are dropped, as a firewall does",
        "check host and port, the VPN, and the allow-list of the server",
    ),
    "tls": (
        "the server accepted the connection and then stalled in the TLS handshake",
        "check that the port is the one for TLS, and that no proxy is in between",
    ),
    "auth": (
        "the server accepted the connection and then did not answer the login in time",
        "check that host and port belong to this kind of server, or raise `--timeout`",
    ),
    "query": (
        "the login worked, but the server did not answer in time",
        "the server may be overloaded; raise `--timeout`",
    ),
}


def _timeout(check: Check) -> ConnectorTimeoutError:
    cause, remedy = check.waits_for or _TIMEOUTS[check.stage]
    return ConnectorTimeoutError(
        f"{cause} (stage {check.stage})",
        code=f"{check.stage}.timeout",
        remedy=remedy,
        kind="TimeoutError",
    )
