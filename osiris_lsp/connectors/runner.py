"""Running a step: its connection is resolved before the driver is called (CONN-005)."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from osiris_lsp.connectors import resolution
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.specs import Section


class Driver(Protocol):
    """What runs a step; it uses `config["resolved_connection"]` and resolves nothing itself."""

    def run(
        self, *, step_id: str, config: dict[str, Any], inputs: Mapping[str, Any], ctx: Any
    ) -> Any:
        """Run a step."""


class DriverConnection(dict[str, Any]):
    """The plain fields of a connection, with `family` and `alias`; its text hides secrets.

    Paths are absolute: a driver does not know the folder that they count from.
    """

    def __init__(self, connection: ResolvedConnection) -> None:
        section = connection.spec.section if connection.spec is not None else Section({})
        super().__init__(_absolute(connection.reveal(), section, connection.base))
        self._redactor = connection.redactor()

    def __repr__(self) -> str:
        return self._redactor.redact(super().__repr__())


def run_step(
    step: Mapping[str, Any],
    driver: Driver,
    *,
    resolve: Callable[[str], ResolvedConnection] = resolution.resolve,
    inputs: Mapping[str, Any] | None = None,
    ctx: Any = None,
) -> Any:
    """Run a step of a pipeline and return what its driver returns.

    A `connection` in its `config` is resolved first and given as `resolved_connection` beside it;
    a step without one is passed on as it is. The step itself is never changed.
    """
    if not isinstance(step.get("id"), str):
        raise ConnectorConfigError("a step has no `id`", field="id", remedy="give it one")
    config = dict(step.get("config") or {})
    if "connection" in config:
        config["resolved_connection"] = DriverConnection(resolve(config["connection"]))
    return driver.run(step_id=step["id"], config=config, inputs=inputs or {}, ctx=ctx)


def connection_of(config: Mapping[str, Any], step_id: str) -> Mapping[str, Any]:
    """Return the resolved connection of a driver's config; ValueError without one (CONN-006)."""
    found: Mapping[str, Any] = config.get("resolved_connection", {})
    if not found:
        raise ConnectorConfigError(
            f"Step {step_id}: 'resolved_connection' is required", field="connection"
        )
    return found


def _absolute(values: Mapping[str, Any], section: Section, base: str) -> dict[str, Any]:
    found = dict(values)
    for name, value in values.items():
        field = section.fields.get(name, {})
        if isinstance(value, Mapping) and section.inner.get(name):
            found[name] = _absolute(value, section.inner[name][0], base)
        elif "x-path" in field and isinstance(value, str) and value not in ("", ":memory:"):
            found[name] = os.path.normpath(os.path.join(base, os.path.expanduser(value)))
    return found
