"""The SQL API of Snowflake.

https://docs.snowflake.com/en/developer-guide/sql-api/reference
https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from osiris_lsp.connectors import keyfile
from osiris_lsp.connectors.clients.http.client import BaseAPIClient, Prepared
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.clients.http.connection import client_config, connection_of
from osiris_lsp.connectors.clients.http.response import APIResponse
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorParseError,
)
from osiris_lsp.connectors.families.snowflake import host_of, key_token
from osiris_lsp.connectors.resilience.retry import RetryConfig
from osiris_lsp.secret import Redactor, Secret
from osiris_lsp.text import printable

if TYPE_CHECKING:
    import httpx2

Row = dict[str, Any]

POLL: Final = 0.5
"""Seconds between two looks at a statement that runs for long."""

_CONTEXT: Final = ("role", "warehouse", "database", "schema")
_EPOCH: Final = date(1970, 1, 1)


class SnowflakeError(ConnectorAPIError):
    """What Snowflake refused; `number` and `sqlstate` are its own."""

    def __init__(self, message: str, number: str, sqlstate: str, **more: Any) -> None:
        super().__init__(message, stage="query", **more)
        self.number = number
        self.sqlstate = sqlstate


class SnowflakeClient(BaseAPIClient):
    """Statements in one account, with a key pair or a token: the SQL API takes no passwords."""

    def __init__(
        self,
        config: APIClientConfig,
        connection: ResolvedConnection,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        **options: Any,
    ) -> None:
        super().__init__(config, sleep=sleep, **options)
        self._connection = connection
        self._sleep = sleep
        self._token = _token_source(connection)

    @classmethod
    def from_connection(cls, connection: Mapping[str, Any], **options: Any) -> Self:
        """Return the client of a resolved connection; `options` are those of `BaseAPIClient`."""
        resolved = connection_of("snowflake", connection)
        url = f"https://{host_of(resolved)}:{resolved.text('port')}"
        config = client_config(resolved, url, retry=RetryConfig(max_retries=2))
        return cls(config, resolved, **options)

    async def query(
        self, statement: str, values: Sequence[Any] = (), *, timeout: int | None = None
    ) -> list[Row]:
        """Run a statement and return its rows; `values` take the places of `?` in it.

        `timeout` is in seconds, for the statement on the server.
        """
        context = {name: text for name in _CONTEXT if (text := self._connection.text(name))}
        payload: dict[str, Any] = {"statement": statement, **context}
        if timeout is not None:
            payload["timeout"] = timeout
        if values:
            bound = enumerate(values, 1)
            payload["bindings"] = {str(place): _bound(value) for place, value in bound}
        params = {"requestId": str(uuid.uuid4())}
        answer = await self.post("/api/v2/statements", json=payload, params=params)
        while answer.status_code == 202:  # it runs for longer than the server lets one wait
            await self._sleep(POLL)
            answer = await self.get(f"/api/v2/statements/{_handle(answer)}")
        return await self._rows(answer)

    async def _rows(self, answer: APIResponse) -> list[Row]:
        about = answer.body.get("resultSetMetaData") if isinstance(answer.body, Mapping) else None
        if not isinstance(about, Mapping):
            raise _no_answer()
        columns = [(str(item["name"]), item) for item in about.get("rowType") or ()]
        parts = [answer.body.get("data") or ()]
        for number in range(1, len(about.get("partitionInfo") or ())):
            path = f"/api/v2/statements/{_handle(answer)}"
            more = await self.get(path, params={"partition": str(number)})
            parts.append(more.body.get("data") or ())
        return [
            {name: _value(text, about) for (name, about), text in zip(columns, row, strict=True)}
            for part in parts
            for row in part
        ]

    async def _build_base_url(self) -> str:
        return self.config.base_url

    async def _prepare_request(self, method: str, path: str, **options: Any) -> Prepared:
        token, kind = self._token()
        own = {"Accept": "application/json", "Authorization": f"Bearer {token.reveal()}"}
        if kind:
            own["X-Snowflake-Authorization-Token-Type"] = kind
        headers = {**(options.pop("headers", None) or {}), **own}
        return await super()._prepare_request(method, path, headers=headers, **options)

    async def _handle_response(self, response: "httpx2.Response", start_time: float) -> APIResponse:
        try:
            return await super()._handle_response(response, start_time)
        except ConnectorError as error:
            said = _json(response)
            if not said.get("code"):
                raise
            redactor = Redactor([secret for _, secret in self._connection.secrets()])
            refusal = SnowflakeError(
                printable(redactor.redact(str(said.get("message") or "")))[:500] or error.message,
                str(said["code"]),
                str(said.get("sqlState") or ""),
                status_code=response.status_code,
                code=f"snowflake.{said['code']}",
                retryable=error.retryable,
                retry_after=error.retry_after,
            )
            refusal.category = error.category
            raise refusal from None


def _token_source(connection: ResolvedConnection) -> Callable[[], tuple[Secret, str]]:
    """Return what gives a token and its kind; one for a key pair is made anew for each call."""
    method = str(connection.get("authenticator") or "").lower()
    field = next((name for name in ("private_key", "private_key_file") if connection.get(name)), "")
    if field and method in ("", "snowflake_jwt"):
        given = connection.text(field).encode()
        pem = keyfile.content(connection, field) if field.endswith("_file") else given
        passphrase = connection.text("private_key_passphrase")
        key = keyfile.loaded(pem, passphrase, field, "private_key_passphrase")
        return lambda: (key_token(connection, key), "KEYPAIR_JWT")
    token = connection.get("token")
    if not isinstance(token, Secret):
        raise ConnectorConfigError(
            "the SQL API takes no passwords",
            code="config.missing_field",
            field="private_key_file",
            remedy="add `private_key_file`, or `token` with a programmatic access token",
        )
    kind = method.upper() if method in ("oauth", "programmatic_access_token") else ""
    return lambda: (token, kind)


def _bound(value: Any) -> dict[str, Any]:
    """Return a value for a `?`, with its type."""
    if value is None:
        return {"type": "TEXT", "value": None}
    if isinstance(value, bool):
        return {"type": "BOOLEAN", "value": str(value).lower()}
    if isinstance(value, int):
        return {"type": "FIXED", "value": str(value)}
    if isinstance(value, float):
        return {"type": "REAL", "value": repr(value)}
    text = value.isoformat() if isinstance(value, date) else str(value)
    return {"type": "TEXT", "value": text}


def _value(text: Any, column: Mapping[str, Any]) -> Any:
    """Return a value, which the server gives as text, by the type of its column."""
    kind = str(column.get("type")).lower()
    if text is None or not isinstance(text, str):
        return text
    if kind == "fixed":
        return Decimal(text) if column.get("scale") else int(text)
    if kind == "real":
        return float(text)
    if kind == "boolean":
        return text.lower() in ("true", "1")
    if kind == "date":
        return _EPOCH + timedelta(days=int(text))
    if kind in ("timestamp_ntz", "timestamp_ltz", "timestamp_tz"):
        seconds = Decimal(text.partition(" ")[0])  # a zone stands behind, in minutes
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 10**6))
        return moment.replace(tzinfo=None) if kind == "timestamp_ntz" else moment
    return text


def _handle(answer: APIResponse) -> str:
    handle = answer.body.get("statementHandle") if isinstance(answer.body, Mapping) else None
    if not isinstance(handle, str) or not handle.replace("-", "").isalnum():
        raise _no_answer()
    return handle


def _json(response: "httpx2.Response") -> Mapping[str, Any]:
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _no_answer() -> ConnectorParseError:
    return ConnectorParseError(
        "what came back is no answer of Snowflake",
        code="snowflake.answer",
        stage="query",
        field="account",
        remedy="check `account` and `host`: another kind of server answers there",
    )
