"""What the tests of MySQL and PostgreSQL share: connections, checks, and results cut short."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.result import DoctorResult
from tests.services.certificates import Certificates
from tests.services.faults import Fault
from tests.services.processes import Server

SHORT = 0.5
"""Seconds that a check of a server which never answers gets."""

Told = tuple[str, str, str, str]
"""Category, code, stage and field of a result."""

StartFault = Callable[[], AbstractContextManager[Fault]]

NO_FIELDS = dict.fromkeys(("host", "port", "database", "user", "password"))
CLIENT = {"ssl_cert": "{client_cert}", "ssl_key": "{client_key}"}
MISMATCH = ("network", "protocol.mismatch", "auth", "port")
SILENT = ("timeout", "auth.timeout", "auth", "host")


def check(
    connector: Connector, server: Server | Fault, timeout: float = 5.0, **changes: Any
) -> DoctorResult:
    """Check a connection of the account `reader`, changed; a change to None takes a field out.

    It has to end in time, and its result may not hold the password.
    """
    fields = {
        "family": connector.family,
        "alias": "shop",
        "host": server.host,
        "port": server.port,
        "database": "shop",
        "user": "reader",
        "password": getattr(server, "password", "s3cr3t"),
        **changes,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    began = time.monotonic()
    result = connector.examine(given, timeout)
    assert time.monotonic() - began <= timeout + 0.5
    assert not given.get("password") or given["password"] not in repr(result)
    return result


def told(result: DoctorResult) -> Told:
    """Cut a result short."""
    code, stage, field = (result.details.get(name, "") for name in ("code", "stage", "field"))
    return result.category, code, stage, field


def filled(value: Any, server: Server, certificates: Certificates) -> Any:
    """A value of a table with `{port}`, `{ca}` and the like filled in."""
    if isinstance(value, dict):
        return {name: filled(item, server, certificates) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, server, certificates) for item in value]
    if not isinstance(value, str):
        return value
    return value.format(
        socket=server.socket,
        folder=server.folder,
        port=server.port,
        root=server.root_password,
        quoted="p%40ss%2Fw%3Ard%231%25",
        **vars(certificates),
    )
