"""Queries of BigQuery: https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query."""

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Self
from urllib.parse import quote

from osiris_lsp.connectors import jwt, keyfile
from osiris_lsp.connectors.auth.config import AuthConfig, create_jwt_auth, create_oauth2_auth
from osiris_lsp.connectors.clients.http.client import BaseAPIClient
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.clients.http.connection import client_config, connection_of
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorParseError
from osiris_lsp.connectors.families.bigquery import ENDPOINT, google
from osiris_lsp.connectors.resilience.retry import RetryConfig
from osiris_lsp.secret import Secret

Row = dict[str, Any]

SCOPES: Final = "https://www.googleapis.com/auth/bigquery"
TOKENS: Final = "https://oauth2.googleapis.com/token"

WAIT: Final = 10_000
"""Milliseconds that the server holds a call while the query runs."""


class BigQueryClient(BaseAPIClient):
    """Queries in one project, by the key of a service account or the login of a person.

    A query carries an id, so that one whose answer was lost does not run twice.
    """

    def __init__(
        self, config: APIClientConfig, connection: ResolvedConnection, **options: Any
    ) -> None:
        super().__init__(config, **options)
        self._connection = connection
        project = quote(connection.text("project_id"), safe="")
        self._path = f"/bigquery/v2/projects/{project}/queries"

    @classmethod
    def from_connection(cls, connection: Mapping[str, Any], **options: Any) -> Self:
        """Return the client of a resolved connection; `options` are those of `BaseAPIClient`."""
        resolved = connection_of("bigquery", connection)
        if not resolved.text("project_id"):
            raise ConnectorConfigError(
                "the connection lacks `project_id`",
                code="config.missing_field",
                field="project_id",
            )
        url = resolved.text("api_endpoint") or ENDPOINT
        config = client_config(resolved, url, _auth(resolved), retry=RetryConfig(max_retries=2))
        return cls(config, resolved, **options)

    async def query(self, sql: str, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Run a query and return all rows; `values` take the places of `@name` in it."""
        connection = self._connection
        payload: dict[str, Any] = {
            "query": sql,
            "useLegacySql": False,
            "timeoutMs": WAIT,
            "requestId": str(uuid.uuid4()),
            "formatOptions": {"useInt64Timestamp": True},
        }
        if connection.get("location"):
            payload["location"] = connection.text("location")
        if connection.get("maximum_bytes_billed"):
            payload["maximumBytesBilled"] = connection.text("maximum_bytes_billed")
        if connection.text("dataset"):
            payload["defaultDataset"] = {"datasetId": connection.text("dataset")}
        if values:
            payload["parameterMode"] = "NAMED"
            payload["queryParameters"] = [_parameter(*item) for item in values.items()]
        answer = _checked((await self.post(self._path, json=payload)).body)
        rows: list[Row] = []
        while True:
            if answer.get("jobComplete"):
                fields = (answer.get("schema") or {}).get("fields") or ()
                rows += [_record(row, fields) for row in answer.get("rows") or ()]
                if not answer.get("pageToken"):
                    return rows
            answer = await self._more(answer)

    async def _more(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the next page of a query, or what is known of one that still runs."""
        job = answer.get("jobReference") or {}
        params = {"timeoutMs": str(WAIT), "formatOptions.useInt64Timestamp": "true"}
        if job.get("location"):
            params["location"] = str(job["location"])
        if answer.get("pageToken"):
            params["pageToken"] = str(answer["pageToken"])
        path = f"{self._path}/{quote(str(job.get('jobId') or ''), safe='')}"
        return _checked((await self.get(path, params=params)).body)

    async def _build_base_url(self) -> str:
        return self.config.base_url


def _auth(connection: ResolvedConnection) -> AuthConfig | None:
    """Return what gets tokens; a server of one's own is asked without, if no key is named."""
    names = ("credentials_json", "credentials_file")
    field = next((name for name in names if connection.get(name)), "")
    if not field:
        if connection.text("api_endpoint"):
            return None
        raise ConnectorConfigError(
            "the connection names no credentials",
            code="google.no_credentials",
            field="credentials_file",
            remedy="set `credentials_file`: the path of a key of a service account",
        )
    given = connection.reveal().get(field)
    content = keyfile.content(connection, field) if field == "credentials_file" else given
    info = google.read(content, field)
    kind = info.get("type")
    if kind not in google.DECLARED:
        raise google.unusable("its `type` is none that this client knows", field)
    google.refuse_stranger(connection, info, field)
    try:
        if kind == "authorized_user":
            secret, refresh = str(info["client_secret"]), str(info["refresh_token"])
            return create_oauth2_auth(
                str(info["client_id"]), secret, TOKENS, refresh_token=refresh, client_auth="post"
            )
        key = keyfile.loaded(str(info["private_key"]).encode(), field=field)
        url = str(info.get("token_uri") or TOKENS)
        return create_jwt_auth(_assertion(str(info["client_email"]), url, key), url)
    except KeyError as error:
        raise google.unusable("a part of it is missing or damaged", field) from error


def _assertion(email: str, url: str, key: Any) -> Callable[[], Secret]:
    """Return what makes the claims that Google gives a token for."""

    def make() -> Secret:
        now = int(time.time())
        claims = {"iss": email, "scope": SCOPES, "aud": url, "iat": now, "exp": now + 3600}
        return jwt.signed(claims, key)

    return make


def _checked(body: Any) -> Mapping[str, Any]:
    if isinstance(body, Mapping) and "jobReference" in body:
        return body
    raise ConnectorParseError(
        "what came back is no answer of BigQuery",
        code="bigquery.answer",
        stage="query",
        field="api_endpoint",
        remedy="check `api_endpoint`: another kind of server answers there",
    )


_TYPES: Final[Mapping[type, str]] = {
    bool: "BOOL",
    int: "INT64",
    float: "FLOAT64",
    str: "STRING",
    bytes: "BYTES",
    Decimal: "NUMERIC",
    datetime: "TIMESTAMP",
    date: "DATE",
}


def _parameter(name: str, value: Any) -> dict[str, Any]:
    kind = _TYPES.get(type(value), "STRING")
    text = value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(value, bool):
        text = text.lower()
    sent = {} if value is None else {"value": text}
    return {"name": name, "parameterType": {"type": kind}, "parameterValue": sent}


def _record(row: Mapping[str, Any], fields: Any) -> Row:
    """Return a row by the names of its columns."""
    cells = row.get("f") or ()
    return {
        str(field["name"]): _value(cell.get("v"), field)
        for field, cell in zip(fields, cells, strict=True)
    }


def _value(value: Any, field: Mapping[str, Any]) -> Any:
    """Return a value, which the server gives as text, by the type of its column."""
    if value is None:
        return None
    if field.get("mode") == "REPEATED":
        single = {**field, "mode": "NULLABLE"}
        return [_value(item.get("v"), single) for item in value]
    kind = field.get("type")
    if kind in ("RECORD", "STRUCT"):
        return _record(value, field.get("fields") or ())
    if kind in ("INTEGER", "INT64"):
        return int(value)
    if kind in ("FLOAT", "FLOAT64"):
        return float(value)
    if kind in ("BOOLEAN", "BOOL"):
        return value == "true"
    if kind in ("NUMERIC", "BIGNUMERIC"):
        return Decimal(value)
    if kind == "TIMESTAMP":
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(value))
    if kind == "DATE":
        return date.fromisoformat(value)
    return value
