"""The client that services' own clients are built on."""

import asyncio
import dataclasses
import logging
import random
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from osiris_lsp.connectors import wire
from osiris_lsp.connectors.auth.config import AuthType
from osiris_lsp.connectors.auth.manager import AuthManager
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.clients.http.metrics import ClientMetrics
from osiris_lsp.connectors.clients.http.response import APIResponse, body_of, failure
from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorError
from osiris_lsp.connectors.resilience.circuit_breaker import CircuitBreaker
from osiris_lsp.connectors.resilience.rate_limit import RateLimiter
from osiris_lsp.connectors.resilience.retry import RetryHandler
from osiris_lsp.secret import Redactor
from osiris_lsp.text import printable

if TYPE_CHECKING:
    import httpx2

IDEMPOTENT: Final = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))
"""Methods that do no harm when a request arrives twice (RFC 9110, 9.2.2)."""

Prepared = tuple[str, dict[str, str], dict[str, Any], Any, Any]
"""Address, headers, query parameters, JSON and form of a request."""

_MAX_BODY = 2000

_log = logging.getLogger(__name__)


class BaseAPIClient(ABC):
    """A client of one service: credentials, limits, retries, metrics (seed 004).

    A call is prepared, waits for the limiter, passes the breaker, and is tried until it succeeds;
    every further attempt takes a token of the limiter, and the breaker counts one outcome (R-19).
    Use it within `session()`, which closes it.
    """

    def __init__(
        self,
        config: APIClientConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.config = config
        self._clock = clock
        self._metrics = ClientMetrics()
        self._http: httpx2.AsyncClient | None = None
        self._closed = False
        self._opens_before = 0
        auth, limit = config.auth, config.rate_limit
        self.rate_limiter = RateLimiter(limit, clock=clock, sleep=sleep) if limit else None
        self.circuit_breaker = (
            CircuitBreaker(config.circuit_breaker, name=config.name, clock=clock)
            if config.circuit_breaker
            else None
        )
        self.retry_handler = (
            RetryHandler(config.retry, sleep=sleep, chance=chance, on_retry=self._note_retry)
            if config.retry
            else None
        )
        self.auth_manager = (
            AuthManager(auth, self._post_form, clock, self.retry_handler)
            if auth is not None and auth.type is not AuthType.NONE
            else None
        )

    @abstractmethod
    async def _build_base_url(self) -> str:
        """Return the address that paths are added to."""

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Self]:
        """Give the client and close it in the end."""
        try:
            yield self
        finally:
            await self.close()

    async def close(self) -> None:
        """Close all connections for good; again is no error."""
        self._closed = True
        await self.release()

    async def release(self) -> None:
        """Close all connections; the next request opens others, in another event loop too."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    def __del__(self) -> None:
        if getattr(self, "_http", None) is not None:
            warnings.warn(
                f"client `{self.config.name}` was not closed; use `session()`",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )

    async def get(self, path: str, **options: Any) -> APIResponse:
        """Send GET; `options` are `params`, `headers`, `json` and `data`."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> APIResponse:
        """Send POST."""
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> APIResponse:
        """Send PUT."""
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> APIResponse:
        """Send PATCH."""
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> APIResponse:
        """Send DELETE."""
        return await self.request("DELETE", path, **options)

    async def request(self, method: str, path: str, **options: Any) -> APIResponse:
        """Send a request; raises a `ConnectorError` for all that is not a success."""
        self._metrics.total_requests += 1
        try:
            answer = await self._guarded(method.upper(), path, options)
        except BaseException:
            self._metrics.failed_requests += 1
            raise
        self._metrics.successful_requests += 1
        return answer

    async def health_check(self) -> bool:
        """Tell whether calls would be made at all; asks no service."""
        breaker = self.circuit_breaker
        return not self._closed and (breaker is None or not breaker.is_open)

    def get_metrics(self) -> ClientMetrics:
        """Return what was counted so far; it does not change any more."""
        opens = self.circuit_breaker.opens if self.circuit_breaker else 0
        return dataclasses.replace(self._metrics, circuit_breaker_opens=opens - self._opens_before)

    def reset_metrics(self) -> None:
        """Count from zero again."""
        self._metrics = ClientMetrics()
        self._opens_before = self.circuit_breaker.opens if self.circuit_breaker else 0

    async def _prepare_request(self, method: str, path: str, **options: Any) -> Prepared:
        """Return the parts of a request, credentials included; override it to add to them."""
        base = await self._build_base_url()
        wire.check_url(base)
        unknown = sorted(options.keys() - {"params", "headers", "json", "data"})
        if unknown:
            raise ConnectorConfigError(f"a request has no `{unknown[0]}`", field=unknown[0])
        # A path never leads to another host: the credentials are for this one.
        url = f"{base.rstrip('/')}/{path.lstrip('/')}"
        headers, params = options.get("headers") or {}, options.get("params") or {}
        json, data = options.get("json"), options.get("data")
        if self.auth_manager is None:
            return url, dict(headers), dict(params), json, data
        return url, *await self.auth_manager.apply(headers, params, json, data)

    async def _handle_response(self, response: "httpx2.Response", start_time: float) -> APIResponse:
        """Return what an answer says or raise what it means; override it to add `metadata`.

        `start_time` is of the client's clock.
        """
        where = _where(self.config.name, response.request)
        error = failure(response, where)
        if error is not None:
            raise error
        return APIResponse(
            status_code=response.status_code,
            headers=response.headers,
            body=body_of(response, where),
            response_time_ms=(self._clock() - start_time) * 1000,
        )

    async def _guarded(self, method: str, path: str, options: dict[str, Any]) -> APIResponse:
        prepared = await self._prepare_request(method, path, **options)
        limiter, breaker, retry = self.rate_limiter, self.circuit_breaker, self.retry_handler
        if limiter is not None and not (breaker is not None and breaker.is_open):
            await limiter.acquire()
        first = True

        async def attempt() -> APIResponse:
            nonlocal first, prepared
            if limiter is not None and not first:
                await limiter.acquire()
            first = False
            try:
                return await self._attempt(method, prepared)
            except ConnectorError as error:
                # A token may end before its time: one other is fetched, and never a third.
                manager = None if renewed or error.category != "auth" else self.auth_manager
                if manager is None or not manager.renew():
                    raise
                renewed.append(True)
            prepared = await self._prepare_request(method, path, **options)
            if limiter is not None:
                await limiter.acquire()
            return await self._attempt(method, prepared)

        renewed: list[bool] = []
        call: Callable[[], Awaitable[Any]] = attempt
        if retry is not None:
            names = {name.lower() for name in prepared[1]}
            safe = method in IDEMPOTENT or "idempotency-key" in names
            call = partial(retry.attempt, attempt, idempotent=safe)
        answer = await (call() if breaker is None else breaker.call(call))
        assert isinstance(answer, APIResponse)
        return answer

    async def _attempt(self, method: str, prepared: Prepared) -> APIResponse:
        url, headers, params, json, data = prepared
        http = self._client()
        try:
            request = wire.build(http, method, url, headers, params, json, data)
        except (TypeError, ValueError) as error:
            raise ConnectorConfigError(
                f"the request cannot be built: {type(error).__name__}", code="http.request"
            ) from None
        where = _where(self.config.name, request)
        if self.config.log_requests:
            self._say("%s %s%s", method, request.url.host, _path(request))
        start = self._clock()
        try:
            response = await wire.send(
                http,
                request,
                where,
                self.config.timeout,
                follow_redirects=self.config.follow_redirects,
                max_body=self.config.max_body,
            )
        except ConnectorError as error:
            if self.config.log_responses:
                place = (method, request.url.host, _path(request))
                self._say("%s %s%s: %s", *place, error.code, level=logging.WARNING)
            raise
        self._note_answer(response, (self._clock() - start) * 1000)
        return await self._handle_response(response, start)

    def _note_answer(self, response: "httpx2.Response", milliseconds: float) -> None:
        status, request = response.status_code, response.request
        self._metrics.answered(milliseconds)
        self._metrics.rate_limit_hits += status == 429
        if self.rate_limiter is not None:
            self.rate_limiter.observe(status, response.headers)
        if self.config.log_responses:
            where = (request.method, request.url.host, _path(request))
            level = logging.WARNING if status >= 400 else logging.INFO
            self._say("%s %s%s: %d in %.0f ms", *where, status, milliseconds, level=level)
        if self.config.log_response_body:
            self._say("%s", printable(response.text[:_MAX_BODY]))

    def _say(self, message: str, *arguments: object, level: int = logging.INFO) -> None:
        """Log a line without any secret of this client; paths and bodies may repeat one."""
        if _log.isEnabledFor(level):
            redactor = self.auth_manager.redactor() if self.auth_manager else Redactor(())
            _log.log(level, "%s: %s", self.config.name, redactor.redact(message % arguments))

    def _note_retry(self, error: BaseException) -> None:
        self._metrics.total_retries += 1

    def _client(self) -> "httpx2.AsyncClient":
        if self._closed:
            raise ConnectorConfigError(
                f"client `{self.config.name}` is closed", code="client.closed"
            )
        if self._http is None:
            config = self.config
            self._http = wire.open_client(
                timeout=config.timeout,
                connect_timeout=config.connect_timeout,
                tls=config.ssl_context,
                headers=config.default_headers,
                max_connections=config.max_connections,
                max_keepalive_connections=config.max_keepalive_connections,
                proxy=config.proxy,
            )
        return self._http

    async def _post_form(
        self, url: str, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> tuple[int, Any, float | None]:
        return await wire.post_form(self._client(), url, headers, form, self.config.timeout)


def _path(request: "httpx2.Request") -> str:
    return request.url.raw_path.split(b"?")[0].decode("ascii", "replace")


def _where(name: str, request: "httpx2.Request") -> str:
    return f"`{name}`: {request.method} {_path(request)}"
