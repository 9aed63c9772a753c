"""Tables of a Supabase project, through its REST interface.

https://docs.postgrest.org/en/stable/references/api/tables_views.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

from osiris_lsp.connectors.auth.config import AuthConfig, AuthType
from osiris_lsp.connectors.clients.http.client import BaseAPIClient
from osiris_lsp.connectors.clients.http.connection import client_config, connection_of
from osiris_lsp.connectors.clients.records import Row, Table, records
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    ConnectorNotFoundError,
    ConnectorParseError,
)
from osiris_lsp.connectors.families import supabase
from osiris_lsp.connectors.resilience.retry import RetryConfig
from osiris_lsp.connectors.session import DEFAULT
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    from osiris_lsp.connectors.clients.http.config import APIClientConfig
    from osiris_lsp.connectors.connection import ResolvedConnection

RESERVED: Final = frozenset(
    ("select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not")
)
"""Names of query parameters that PostgREST does not read as a column."""


class SupabaseClient(BaseAPIClient):
    """The REST interface of one project, for async code."""

    async def _build_base_url(self) -> str:
        return self.config.base_url


class SupabaseConnection:
    """The tables of one project (S2-SUPA-01); close it, or use it as a context manager.

    `config` is a resolved connection or a mapping with its fields: `url` or `project_id`, one of
    `service_role_key`, `anon_key` and `key`, and `timeout` in seconds for one request (30). Any
    number of threads may use it. Errors are those of the HTTP client; what only reads is tried
    again where that may help.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        connection = connection_of("supabase", config)
        key = supabase.key_of(connection)
        self.url = supabase.address_of(connection)[0].rstrip("/")
        if key is None or not self.url:
            missing = "key" if self.url else "url"
            raise ConnectorConfigError(
                f"the connection lacks `{missing}`",
                code="config.missing_field",
                field=missing,
                remedy="it needs `url` or `project_id`, and a key",
            )
        if not isinstance(connection.value("auto_refresh_token"), bool):
            raise ConnectorConfigError(
                "`auto_refresh_token` is neither true nor false", field="auto_refresh_token"
            )
        self.key = Secret(key.text)
        self.client = SupabaseClient(_config(connection, self.url, supabase.headers_of(key)))
        self._bridge = DEFAULT.bridge

    def __repr__(self) -> str:
        return f"SupabaseConnection({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; again is no error."""
        self._bridge.run(self.client.close())

    def select(
        self, table: str, columns: str = "*", filters: Mapping[str, Any] | None = None
    ) -> list[Row]:
        """Return the rows whose columns equal `filters`; None stands for null (S2-SUPA-02).

        They are at most as many as the setting "Max rows" of the project allows in one answer.
        """
        reserved = sorted(RESERVED & (filters or {}).keys())
        if reserved:
            raise ConnectorConfigError(
                f"a filter cannot be on `{reserved[0]}`: PostgREST has another use for this name",
                field="filters",
                remedy="make a view that calls the column something else",
            )
        wanted = {name: _equals(value) for name, value in (filters or {}).items()}
        return self._rows("GET", table, {"select": columns, **wanted})

    def insert(self, table: str, data: Table) -> dict[str, int]:
        """Add one row or several and return `{"inserted": n}` (S2-SUPA-03)."""
        return {"inserted": self._write(table, data, {}, "return=representation")}

    def upsert(self, table: str, data: Table, on_conflict: str | None = None) -> dict[str, int]:
        """Add rows or change those with the same key, and return `{"upserted": n}` (S2-SUPA-04).

        `on_conflict` are the columns of the key, with commas between them; else the primary key.
        """
        prefer = "resolution=merge-duplicates,return=representation"
        params = {"on_conflict": on_conflict} if on_conflict else {}
        return {"upserted": self._write(table, data, params, prefer)}

    def describe(self) -> Mapping[str, Any]:
        """Return what the project says about its tables (OpenAPI); it needs a secret key (R-44)."""
        answer = self._bridge.run(self.client.get("/")).body
        if not isinstance(answer, Mapping):
            raise _not_understood()
        return answer

    def _write(self, table: str, data: Table, params: Mapping[str, str], prefer: str) -> int:
        rows = records(data)
        return len(self._rows("POST", table, params, prefer, rows)) if rows else 0

    def _rows(
        self,
        method: str,
        table: str,
        params: Mapping[str, str],
        prefer: str = "",
        rows: Sequence[Row] | None = None,
    ) -> list[Row]:
        if not table:
            raise ConnectorConfigError("`table` is empty", field="table")
        headers = {"Prefer": prefer} if prefer else {}
        path = quote(table, safe="")
        sent = self.client.request(method, path, params=params, headers=headers, json=rows)
        body = self._bridge.run(sent).body
        if not isinstance(body, list):
            raise _not_understood()
        return body


def batch_insert(
    connection: SupabaseConnection, table: str, data: Table, batch_size: int = 500
) -> Iterator[dict[str, int]]:
    """Add rows in batches and yield `{"batch": number from 0, "rows": n}` for each (S2-SUPA-09).

    A batch is sent when the one before it has been asked for; what fails leaves those before it.
    """
    if batch_size < 1:
        raise ConnectorConfigError("`batch_size` has to be at least 1", field="batch_size")
    return _batches(connection, table, records(data), batch_size)


def _batches(
    connection: SupabaseConnection, table: str, rows: Sequence[Row], size: int
) -> Iterator[dict[str, int]]:
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        connection.insert(table, batch)
        yield {"batch": start // size, "rows": len(batch)}


def get_table_schema(connection: SupabaseConnection, table: str) -> dict[str, Any]:
    """Return `{"table", "columns"}`; each column has the keys of information_schema (S2-SUPA-11).

    These are `column_name`, `data_type` and `is_nullable` (`YES` or `NO`). The name of the table is
    looked up in what the project says about itself, and is part of no query (R-44).
    """
    definitions = connection.describe().get("definitions")
    found = definitions.get(table) if isinstance(definitions, Mapping) else None
    if not isinstance(found, Mapping):
        raise ConnectorNotFoundError(
            f"the project shows no table `{table}`",
            status_code=404,
            code="supabase.table",
            stage="query",
            field="table",
            remedy="check its name, and that its schema is exposed to the REST interface",
        )
    required = found.get("required") or ()
    columns = [
        {
            "column_name": name,
            "data_type": column.get("format") or column.get("type") or "unknown",
            "is_nullable": "NO" if name in required else "YES",
        }
        for name, column in (found.get("properties") or {}).items()
    ]
    return {"table": table, "columns": columns}


def _config(
    connection: "ResolvedConnection", url: str, headers: Mapping[str, str]
) -> "APIClientConfig":
    schema = connection.get("schema")
    profiles = dict.fromkeys(("Accept-Profile", "Content-Profile"), str(schema)) if schema else {}
    return client_config(
        connection,
        f"{url}/rest/{connection.text('api_version')}",
        AuthConfig(AuthType.CUSTOM, custom_headers=headers),
        retry=RetryConfig(max_retries=2, retry_on_timeout=False),
        default_headers=profiles,
    )


def _equals(value: Any) -> str:
    if value is None:
        return "is.null"
    return f"eq.{str(value).lower() if isinstance(value, bool) else value}"


def _not_understood() -> ConnectorParseError:
    return ConnectorParseError(
        "what came back is no answer of Supabase",
        code="supabase.answer",
        stage="query",
        field="url",
        remedy="check `url`: another kind of server answers there",
    )
