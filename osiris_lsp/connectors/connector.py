"""What every family's connector is: a probe of one connection, and the doctor made from it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
)
from osiris_lsp.connectors.health import TIMEOUT, Check, Probe, examine, start
from osiris_lsp.connectors.network import hosts
from osiris_lsp.connectors.result import DoctorResult


class Connector(ABC):
    """A family of connections; a module of `families` defines one and names it `CONNECTOR`.

    A family says how to `probe` and what the errors of its driver mean. Timing, redaction and what
    goes wrong on the network are the business of `health`.
    """

    family: ClassVar[str] = ""

    @abstractmethod
    def probe(self, check: Check) -> None:
        """Connect, log in, ask something harmless, and note facts; raises what goes wrong."""

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        """Say what an error of the driver means, by its type and code; None for others."""
        return None

    def expanded(self, connection: ResolvedConnection) -> ResolvedConnection:
        """Return a connection with the fields of its DSN, where the family has one."""
        return connection

    def examine(self, connection: Mapping[str, Any], timeout: float = TIMEOUT) -> DoctorResult:
        """Check a resolved connection, its replicas too, within `timeout` seconds; never raises."""
        family = str(connection.get("family") or self.family)
        alias = str(connection.get("alias") or "default")

        def prepare(check: Check) -> Probe:
            check.connection = (
                connection
                if isinstance(connection, ResolvedConnection)
                else ResolvedConnection(family, alias, connection)
            )
            return with_replicas(self)

        return examine(prepare, (family, alias), timeout)

    def doctor(
        self, connection: Mapping[str, Any], timeout: float = TIMEOUT
    ) -> tuple[bool, dict[str, Any]]:
        """Check a connection: `(ok, {"latency_ms", "category", "message", …})` (CONN-009)."""
        return self.examine(connection, timeout).as_tuple()


def with_replicas(connector: Connector) -> Probe:
    """Return the probe of a connection and, beside it, of each of its `replicas`."""
    return _Replicated(connector)


class _Replicated:
    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        return self._connector.explain(error, check)

    def probe(self, check: Check) -> None:
        """Probe the connection while its replicas are probed; a broken replica is a failure."""
        connection = check.connection
        _refuse_shapes(connection)
        waiting = []
        replicas = list(hosts(connection.get("replicas")))
        if replicas:
            connection = self._connector.expanded(connection)
        for host, port in replicas:
            one = replica(connection, host, port)

            def prepare(inner: Check, one: ResolvedConnection = one) -> Probe:
                inner.connection = one
                return self._connector

            # A little earlier than the whole, so that it can still be told.
            limit = max(check.deadline.remaining() - 0.05, 0.01)
            ref = (connection.family, connection.alias)
            shown = f"{host}:{one.value('port')}"
            waiting.append((shown, start(prepare, ref, limit)))
        self._connector.probe(check)
        broken: list[tuple[str, DoctorResult]] = []
        for shown, wait in waiting:
            result = wait()
            entry: dict[str, Any] = {"host": shown, "ok": result.ok}
            if not result.ok:
                entry.update(code=result.details["code"], cause=result.details["cause"])
                broken.append((shown, result))
            check.facts.setdefault("replicas", []).append(entry)
        if broken:
            raise _broken(*broken[0])


def _refuse_shapes(connection: ResolvedConnection) -> None:
    """Raise for a field that has to be a mapping or a list and is none: probes rely on it."""
    kinds = {"object": (Mapping, "a mapping"), "array": (list, "a list")}
    for name, field in connection.spec.fields.items() if connection.spec is not None else ():
        kind, shape = kinds.get(str(field.schema.get("type")), (object, ""))
        if connection.get(name) is not None and not isinstance(connection[name], kind):
            raise ConnectorConfigError(
                f"`{name}` has to be {shape}",
                code="config.type",
                field=name,
                remedy="look at the example in the documentation of the field",
            )


def replica(connection: ResolvedConnection, host: str, port: int | None) -> ResolvedConnection:
    """Return a connection to another server with the same data."""
    dropped = ("replicas", "dsn", "uri", "url", "unix_socket", "family", "alias")
    values = {name: value for name, value in connection.items() if name not in dropped}
    values["host"] = host
    values["port"] = port or connection.value("port")
    return ResolvedConnection(
        connection.family, connection.alias, values, spec=connection.spec, base=connection.base
    )


_ERRORS: Mapping[str, type[ConnectorError]] = {
    "auth": ConnectorAuthError,
    "permission": ConnectorPermissionError,
    "timeout": ConnectorTimeoutError,
    "network": ConnectorNetworkError,
}


def _broken(host: str, result: DoctorResult) -> ConnectorError:
    """Return the error that stands for a failed check of a replica."""
    details = result.details
    error = _ERRORS.get(result.category, ConnectorError)
    return error(
        f"the connection works, but its replica {host} does not: {details['cause']}",
        code=str(details["code"]),
        stage=details["stage"],
        field="replicas",
        remedy=str(details["remedy"]),
        retryable=bool(details["retryable"]),
        kind=result.message.rpartition(": ")[2],
    )
