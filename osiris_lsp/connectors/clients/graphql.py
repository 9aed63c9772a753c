"""GraphQL over HTTP: queries, their errors, and pages of connections.

https://graphql.github.io/graphql-over-http/draft/ and https://relay.dev/graphql/connections.htm
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

from osiris_lsp.connectors.auth.config import (
    AuthConfig,
    create_api_key_auth,
    create_basic_auth,
    create_bearer_auth,
)
from osiris_lsp.connectors.clients.http.client import BaseAPIClient
from osiris_lsp.connectors.clients.http.connection import client_config, connection_of
from osiris_lsp.connectors.clients.http.response import APIResponse
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorAPIError, ConnectorParseError
from osiris_lsp.connectors.families.graphql import codes_of
from osiris_lsp.connectors.resilience.retry import RetryConfig
from osiris_lsp.text import printable

if TYPE_CHECKING:
    import httpx2

ACCEPT: Final = "application/graphql-response+json, application/json"

MAX_MESSAGE: Final = 500


class GraphQLError(ConnectorAPIError):
    """An answer with `errors`; `codes` are theirs, `data` is what came all the same."""

    def __init__(self, message: str, codes: Sequence[str], data: Any, **more: Any) -> None:
        super().__init__(message, code="graphql.error", stage="query", **more)
        self.codes = tuple(codes)
        self.data = data


class GraphQLClient(BaseAPIClient):
    """One GraphQL endpoint."""

    @classmethod
    def from_connection(cls, connection: Mapping[str, Any], **options: Any) -> Self:
        """Return the client of a resolved connection; `options` are those of `BaseAPIClient`."""
        resolved = connection_of("graphql", connection)
        headers = (resolved.reveal().get("headers") or {}).items()
        config = client_config(
            resolved,
            resolved.text("endpoint"),
            _auth(resolved),
            default_headers={str(name): str(value) for name, value in headers},
            retry=RetryConfig(max_retries=2),
        )
        return cls(config, **options)

    async def _build_base_url(self) -> str:
        """Return the address without its last segment, which is the path of each request."""
        parts = urlsplit(self.config.base_url)
        return urlunsplit(parts._replace(path=parts.path.rpartition("/")[0]))

    @property
    def _path(self) -> str:
        return urlsplit(self.config.base_url).path.rpartition("/")[2]

    async def query(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        operation: str | None = None,
    ) -> dict[str, Any]:
        """Run a query or mutation and return its `data`; raises GraphQLError for `errors`."""
        answer = await self._ask(document, variables, operation)
        data: dict[str, Any] = answer["data"]
        return data

    async def _ask(
        self, document: str, variables: Mapping[str, Any] | None, operation: str | None
    ) -> Mapping[str, Any]:
        """Return a whole answer."""
        payload: dict[str, Any] = {"query": document}
        if variables:
            payload["variables"] = dict(variables)
        if operation:
            payload["operationName"] = operation
        answer = await self.post(self._path, json=payload, headers={"Accept": ACCEPT})
        body = answer.body
        if not isinstance(body, Mapping) or not isinstance(body.get("data"), dict):
            raise ConnectorParseError(
                "what came back is no answer of a GraphQL server",
                code="graphql.no_data",
                stage="query",
                field="endpoint",
                remedy="check the path in `endpoint`; it often ends in `/graphql`",
            )
        return body

    async def nodes(
        self, document: str, connection: str, variables: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the nodes of a connection of the Relay kind, page by page.

        `connection` is where it stands in the data, with dots: `shop.orders`. The document takes
        `$after` and asks for `pageInfo { hasNextPage endCursor }`, and for `nodes` or `edges`.
        """
        after = None
        while True:
            data: Any = await self.query(document, {**(variables or {}), "after": after})
            for name in connection.split("."):
                data = data.get(name) if isinstance(data, Mapping) else None
            page = data if isinstance(data, Mapping) else {}
            edges = page.get("edges") or ()
            for node in page.get("nodes") or [edge["node"] for edge in edges]:
                yield node
            info = page.get("pageInfo") or {}
            if not info.get("hasNextPage") or info.get("endCursor") in (None, after):
                return
            after = info["endCursor"]

    async def _handle_response(self, response: "httpx2.Response", start_time: float) -> APIResponse:
        answer = await super()._handle_response(response, start_time)
        self._refuse_errors(answer)
        return answer

    def _refuse_errors(self, answer: APIResponse) -> None:
        """Raise for `errors`, which come with status 200."""
        codes = list(codes_of(answer.body))
        if not codes:
            return
        first = answer.body["errors"][0]
        said = first.get("message") if isinstance(first, Mapping) else None
        message = said if isinstance(said, str) else ""
        if self.auth_manager is not None:
            message = self.auth_manager.redactor().redact(message)
        raise GraphQLError(
            printable(message)[:MAX_MESSAGE] or "Unknown error",
            codes,
            answer.body.get("data"),
            status_code=answer.status_code,
        )


def _auth(connection: ResolvedConnection) -> AuthConfig | None:
    kind, token = connection.value("auth_type"), connection.get("auth_token", "")
    if kind == "bearer":
        return create_bearer_auth(token)
    if kind == "basic":
        return create_basic_auth(connection.text("auth_username"), token)
    if kind == "api_key":
        return create_api_key_auth(token, connection.text("auth_header_name"))
    return None
