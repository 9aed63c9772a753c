"""What the connectors of all services share: the context, requests, pages and errors."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, Self, TypeVar
from urllib.parse import quote

from osiris_lsp.connectors.auth.config import AuthConfig
from osiris_lsp.connectors.clients.http.client import BaseAPIClient
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.clients.http.connection import client_options, connection_of
from osiris_lsp.connectors.clients.http.response import APIResponse
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorParseError,
    RetryExhaustedError,
)
from osiris_lsp.connectors.integrations.values import Data
from osiris_lsp.connectors.resilience.rate_limit import retry_after
from osiris_lsp.connectors.resilience.retry import RetryConfig
from osiris_lsp.text import printable

if TYPE_CHECKING:
    import httpx2

MAX_MESSAGE: Final = 500
"""Characters of what a service says about a failure."""


class Credentials(Protocol):
    """What shows who asks, and where; secrets are `Secret` and never show in a repr."""

    @property
    def base_url(self) -> str:
        """The address of the service."""

    @classmethod
    def from_connection(cls, connection: ResolvedConnection) -> Self:
        """Return the credentials in a resolved connection."""


class Model(Protocol):
    """What a service answers, typed."""

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return it from the JSON of the service."""


Creds = TypeVar("Creds", bound=Credentials)
Item = TypeVar("Item", bound=Model)


class ServiceError(ConnectorAPIError):
    """What a service refused: its own words in `message`, and its `status_code`.

    `service_code` is the service's name for the failure, `request_id` what its support asks for.
    `category`, `retryable` and `retry_after` are as for other errors of the connector core.
    """

    def __init__(
        self,
        message: str,
        status_code: int | None = None,
        *,
        service_code: str = "",
        request_id: str = "",
        **more: Any,
    ) -> None:
        super().__init__(message, status_code=status_code, **more)
        self.service_code = service_code
        self.request_id = request_id


class ServiceClient(BaseAPIClient):
    """The HTTP client of one service, which raises the errors of that service."""

    def __init__(self, config: APIClientConfig, connector: "IntegrationConnector[Any]") -> None:
        super().__init__(config)
        self._connector = connector

    async def _build_base_url(self) -> str:
        return self.config.base_url

    async def _handle_response(self, response: "httpx2.Response", start_time: float) -> APIResponse:
        try:
            return await super()._handle_response(response, start_time)
        except ConnectorParseError:
            raise
        except ConnectorError as error:
            raise self._refusal(response, error) from None

    def _refusal(self, response: "httpx2.Response", error: ConnectorError) -> ServiceError:
        message, code = self._connector.said(_json(response))
        if self.auth_manager is not None:
            message = self.auth_manager.redactor().redact(message)
        after = error.retry_after
        if after is None and response.status_code == 429:
            after = retry_after(response.headers.get("ratelimit-reset"), 0.0)
        refusal = self._connector.Error(
            printable(message)[:MAX_MESSAGE] or "Unknown error",
            response.status_code,
            service_code=printable(code)[:MAX_MESSAGE],
            request_id=printable(response.headers.get(self._connector.REQUEST_ID, "")),
            code=error.code,
            stage=error.stage,
            remedy="" if message else error.remedy,
            retryable=error.retryable,
            retry_after=after,
        )
        refusal.category = error.category
        return refusal


class IntegrationConnector(ABC, Generic[Creds]):
    """A service, within `async with` (seed 003).

    `options` are fields of `APIClientConfig`: `timeout` in seconds for one request, `rate_limit`,
    `circuit_breaker`, `retry`. Without `retry` a request is tried up to three times where a second
    one does no harm: it only reads, or the service knows it again by its idempotency key.
    """

    family: ClassVar[str]
    Error: ClassVar[type[ServiceError]] = ServiceError
    REQUEST_ID: ClassVar[str] = "x-request-id"
    BASE_URL: ClassVar[str]
    TIMEOUT: ClassVar[float] = 30.0

    def __init__(self, credentials: Creds, **options: Any) -> None:
        self.credentials = credentials
        self._options = {"timeout": self.TIMEOUT, "retry": RetryConfig(max_retries=2), **options}
        self._client: ServiceClient | None = None

    @classmethod
    def from_connection(cls, connection: Mapping[str, Any], **options: Any) -> Self:
        """Return the connector of a resolved connection, with its time limits, TLS and proxy."""
        resolved = connection_of(cls.family, connection)
        return cls(cls._credentials(resolved), **{**client_options(resolved), **options})

    @classmethod
    @abstractmethod
    def _credentials(cls, connection: ResolvedConnection) -> Creds:
        """Return the credentials in a connection."""

    @abstractmethod
    def _auth(self) -> AuthConfig:
        """Return what puts the credentials into requests."""

    def _headers(self) -> Mapping[str, str]:
        """Return the headers that every request has."""
        return {}

    def said(self, body: Any) -> tuple[str, str]:
        """Return what a service says about a failure, and its code for it; both may be empty."""
        error = body.get("error") if isinstance(body, Mapping) else None
        if isinstance(error, str):
            return error, ""
        if not isinstance(error, Mapping):
            return "", ""
        return text_of(error.get("message")), text_of(error.get("code") or error.get("type"))

    async def __aenter__(self) -> Self:
        if self._client is not None:
            raise RuntimeError("Connector is in use already. Make another one.")
        config = APIClientConfig(
            self.family,
            self.credentials.base_url,
            self._auth(),
            **{"default_headers": self._headers(), **self._options},
        )
        self._client = ServiceClient(config, self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def client(self) -> ServiceClient:
        """The HTTP client, for calls that have no method here."""
        if self._client is None:
            raise RuntimeError("Connector not initialized. Use async context manager.")
        return self._client

    async def _request(
        self,
        method: str,
        endpoint: str,
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request and return the JSON of its answer; `data` goes as JSON (S3-INT-06)."""
        sent = {} if data is None else self._body(data)
        params = {name: value for name, value in (params or {}).items() if value is not None}
        try:
            answer = await self.client.request(
                method, endpoint, params=params, headers=headers, **sent
            )
        except RetryExhaustedError as error:
            if isinstance(error.last_error, ServiceError):
                raise error.last_error from None  # what the service said last
            raise
        if answer.body is None:
            return {}
        if not isinstance(answer.body, dict):
            raise ConnectorParseError(
                f"what came back is no answer of `{self.family}`",
                code="http.not_json",
                stage="query",
                field="base_url",
                remedy="check `base_url`: another kind of server answers there",
            )
        return answer.body

    def _body(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return how a body is sent."""
        return {"json": data}


def at(*parts: str) -> str:
    """Return the path of an object; raises ConnectorConfigError for an id that is none."""
    for part in parts:
        if not part or part.strip(".") == "":
            raise ConnectorConfigError(
                "an id is empty", field="id", remedy="give the id of the object"
            )
    return "/" + "/".join(quote(part, safe="") for part in parts)


async def taken(items: AsyncGenerator[Item, None], limit: int) -> list[Item]:
    """Return the first `limit` items, and ask for no more pages than they need."""
    found: list[Item] = []
    async with aclosing(items):
        while len(found) < limit:
            try:
                found.append(await anext(items))
            except StopAsyncIteration:
                break
    return found


def text_of(value: object) -> str:
    """Return a text or number as text; empty for anything else."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _json(response: "httpx2.Response") -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
