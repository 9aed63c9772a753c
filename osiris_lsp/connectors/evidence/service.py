"""Sources that are asked over HTTP."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

from osiris_lsp import __version__
from osiris_lsp.connectors.auth.config import AuthConfig
from osiris_lsp.connectors.clients.http.client import BaseAPIClient
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.clients.http.response import APIResponse
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    ConnectorError,
    ConnectorNotFoundError,
    ConnectorRateLimitError,
)
from osiris_lsp.connectors.evidence.base import BaseConnector
from osiris_lsp.connectors.evidence.source import Evidence
from osiris_lsp.connectors.health import Check, Deadline
from osiris_lsp.connectors.resilience.rate_limit import RateLimitConfig
from osiris_lsp.connectors.tls import tls_context, tls_of

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    import httpx2

MAX_BODY: Final = 8_000_000
"""Bytes of an answer that are read."""

USER_AGENT: Final = f"osiris-lsp/{__version__} (+https://github.com/osiris-lsp/osiris-lsp)"

Cursor = TypeVar("Cursor")


def limited(where: str, after: float | None) -> ConnectorRateLimitError:
    """Return the error for too many requests; `after` is in seconds."""
    return ConnectorRateLimitError(
        f"{where} wants fewer requests",
        code="http.rate_limited",
        stage="query",
        remedy="lower `max_requests` or raise `window_seconds` of `rate_limit`",
        retry_after=after,
    )


class ServiceClient(BaseAPIClient):
    """The client of one source; retries and the circuit are the connector's."""

    def __init__(
        self,
        config: APIClientConfig,
        refusal: Callable[["httpx2.Response", str], ConnectorError | None],
        **options: Any,
    ) -> None:
        super().__init__(config, **options)
        self._refusal = refusal

    async def _build_base_url(self) -> str:
        return self.config.base_url

    async def _handle_response(self, response: "httpx2.Response", start_time: float) -> APIResponse:
        refused = self._refusal(response, f"`{self.config.name}`")
        if refused is not None:
            raise refused
        return await super()._handle_response(response, start_time)


class ServiceConnector(BaseConnector):
    """A source with an HTTP interface.

    `timeout` and `connect_timeout` are in seconds, for one attempt. Within `async with`,
    connections stay open between calls.
    """

    requires = ("httpx2",)
    default_url: ClassVar[str]
    needs: ClassVar[str] = ""
    """The option without which the service cannot be asked."""
    default_limit: ClassVar[RateLimitConfig | None] = None
    """What the service says that a client may ask."""

    def __init__(
        self,
        *,
        base_url: str = "",
        auth: AuthConfig | None = None,
        headers: Mapping[str, str] | None = None,
        user_agent: str = "",
        timeout: float = 30.0,
        connect_timeout: float = 10.0,
        ssl_context: "ssl.SSLContext | None" = None,
        rate_limit: RateLimitConfig | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._users = 0
        config = APIClientConfig(
            self.name,
            base_url or self.default_url,
            auth=auth,
            rate_limit=rate_limit or self.default_limit,
            timeout=timeout,
            connect_timeout=connect_timeout,
            default_headers={"User-Agent": user_agent or USER_AGENT, **(headers or {})},
            ssl_context=ssl_context,
            max_body=MAX_BODY,
        )
        self._client = self._client_for(config)

    @classmethod
    def from_connection(cls, connection: ResolvedConnection, **options: Any) -> Self:
        """Return the connector of a connection of its family; `options` are further ones."""
        kinds = (kind for kind in cls.__mro__ if issubclass(kind, BaseConnector))
        known = {name for kind in kinds for name in signature(kind).parameters}
        values = {
            name: connection.value(name)
            for name in (connection.spec.fields if connection.spec is not None else ())
            if name in known and connection.value(name) is not None
        }
        if connection.get("ssl_ca") or connection.get("verify") is False:
            check = Check(connection, Deadline(float("inf")))
            values["ssl_context"] = tls_context(check, tls_of(connection, "verify"))
        return cls(**{**values, **options})

    async def fetch(self, evidence_id: str) -> Evidence | None:
        """Return one piece of evidence, from the cache where it is there."""
        kept = self._cache_get(evidence_id)
        if kept is not None:
            return kept
        try:
            found = await self._load(evidence_id)
        except ConnectorNotFoundError:
            return None
        if found is not None:
            self._cache_put(evidence_id, found)
        return found

    @abstractmethod
    async def _load(self, evidence_id: str) -> Evidence | None:
        """Ask the service for one piece of evidence."""

    def _refusal(self, response: "httpx2.Response", where: str) -> ConnectorError | None:
        """Return what an answer means where the service has its own way to say it."""
        return None

    async def _ask(
        self, operation: str, path: str, method: str = "GET", *, repeat: bool = True, **options: Any
    ) -> Any:
        """Return the body of an answer; `options` are those of a request of the client."""
        self._require()
        async with self._open():
            call = partial(self._client.request, method, path, **options)
            answer = await self._request_with_retry(call, operation, idempotent=repeat)
        assert isinstance(answer, APIResponse)
        return answer.body

    def _require(self) -> None:
        if not self.is_configured:
            raise ConnectorConfigError(
                f"`{self.name}` cannot be asked without `{self.needs}`",
                code="config.missing_field",
                field=self.needs,
                remedy=f"add `{self.needs}`, and check that its environment variable is set",
            )

    async def _turn(
        self,
        limit: int,
        first: Cursor,
        page: Callable[[Cursor], Awaitable[tuple[Sequence[Evidence], Cursor | None]]],
    ) -> list[Evidence]:
        """Turn pages until there is enough, no page is left, or one brings nothing new."""
        found: dict[str, Evidence] = {}
        cursor: Cursor | None = first
        async with self._open():
            while cursor is not None and len(found) < limit:
                before = len(found)
                pieces, cursor = await page(cursor)
                for piece in pieces:
                    found.setdefault(piece.id, piece)
                if len(found) == before:
                    break
        return list(found.values())[:limit]

    def _client_for(self, config: APIClientConfig) -> ServiceClient:
        return ServiceClient(
            config, self._refusal, clock=self._clock, sleep=self._sleep, chance=self._chance
        )

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        """Keep connections open, and close them behind the last who uses them."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                await self.close()

    async def close(self) -> None:
        """Close connections; the next call opens others."""
        await self._client.release()

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self._users -= 1
        if not self._users:
            await self.close()

    def _evidence(self, id: str, source_id: str, content: str, **more: Any) -> Evidence:
        """Return evidence with what is the same for all of this source."""
        created_at = more.get("created_at")
        values = {
            "confidence": self.confidence,
            "authority": self.authority,
            "freshness": self._freshness(created_at),
            "url": source_id,
            **more,
        }
        return Evidence(id, self.source_type, source_id, content, **values)
