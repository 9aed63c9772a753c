"""PostgreSQL by the variables `POSTGRES_*`: functions that share one pool for a server.

Each takes a `context`: `execution_id` stands in log records, `ssl_config` (`verify`, `cert_path`)
says how TLS is done.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from osiris_lsp.connectors.clients.sql.database import Database, Params, Rows
from osiris_lsp.connectors.clients.sql.pool import KIND, shared
from osiris_lsp.connectors.environment.certificates import tls_settings
from osiris_lsp.connectors.environment.config import config
from osiris_lsp.connectors.environment.context import marked
from osiris_lsp.connectors.session import DEFAULT

Context = Mapping[str, Any]
T = TypeVar("T")

_log: Final = logging.getLogger("osiris_lsp.connectors.sql")


def database(context: Context | None = None) -> Database:
    """Return the database of the environment; it is made once, until `close_all`."""
    return shared({**config.postgres(), **_tls((context or {}).get("ssl_config"))})


def close_all() -> None:
    """Close the pools that the process shares, and forget them."""
    DEFAULT.close_all(KIND)


def execute_query(query: str, params: Params | None = None, context: Context | None = None) -> Rows:
    """Return the rows of a statement that only reads; `params` are the values of `:name`."""
    return _call("execute_query", context, lambda found: found.execute_query(query, params))


def execute_command(
    query: str, params: Params | None = None, context: Context | None = None
) -> int:
    """Run a statement that writes, and return the number of rows that it is about."""
    return _call("execute_command", context, lambda found: found.execute_command(query, params))


def insert_many(
    table_name: str, records: Sequence[Mapping[str, Any]], context: Context | None = None
) -> int:
    """Insert records, all or none, and return how many."""
    return _call("insert_many", context, lambda found: found.insert_many(table_name, records))


def update_many(
    table_name: str,
    records: Sequence[Mapping[str, Any]],
    context: Context | None = None,
    *,
    key: str | Sequence[str] | None = None,
) -> int:
    """Update the row of each record, found by its primary key or by the columns of `key`."""
    return _call(
        "update_many", context, lambda found: found.update_many(table_name, records, key=key)
    )


def delete_records(
    table_name: str, condition: Mapping[str, Any], context: Context | None = None
) -> int:
    """Delete the rows whose columns have these values, and return how many; never all rows."""
    return _call(
        "delete_records", context, lambda found: found.delete_records(table_name, condition)
    )


def get_table_info(table_name: str, context: Context | None = None) -> dict[str, Any]:
    """Return the columns of a table and its primary key."""
    return _call("get_table_info", context, lambda found: found.get_table_info(table_name))


def _call(operation: str, context: Context | None, work: Callable[[Database], T]) -> T:
    execution = str((context or {}).get("execution_id", ""))
    with marked(_log, operation, execution):
        return work(database(context))


def _tls(ssl_config: Any) -> dict[str, Any]:
    """Return the fields of a `ssl_config`; without one, TLS is what the server offers."""
    if not ssl_config:
        return {}
    tls = tls_settings(ssl_config)
    authority = {"ssl_ca": os.path.abspath(tls.ca)} if tls.ca else {}
    return {"ssl": True, "ssl_verify": tls.verify, **authority}
