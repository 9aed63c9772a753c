"""What every evidence connector is: searched, fetched from, kept going when its source fails."""

import asyncio
import copy
import inspect
import random
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib.util import find_spec
from types import TracebackType
from typing import Any, ClassVar, Final, Self

from osiris_lsp.connectors.clients.http.response import failure
from osiris_lsp.connectors.conversion import connector_error_handler
from osiris_lsp.connectors.errors import ConnectorError, ConnectorValidationError
from osiris_lsp.connectors.evidence.provenance import ProvenanceManager, ProvenanceRecord
from osiris_lsp.connectors.evidence.source import Evidence, SourceType, freshness
from osiris_lsp.connectors.resilience.cache import Cache
from osiris_lsp.connectors.resilience.circuit_breaker import CircuitBreaker
from osiris_lsp.connectors.resilience.retry import RetryConfig, RetryHandler

RETRIED: Final = (408, 429, *range(500, 600))
"""Answers after which a source is asked again (seed 003: 429 and all of 5xx, R-18)."""

MAX_QUERY: Final = 10_000


class BaseConnector(ABC):
    """A source of evidence (seed 003).

    `max_retries` counts what comes after the first attempt, delays are in seconds. With a
    `provenance`, `search_and_record` adds what it finds to that chain. Used in one event loop at a
    time; `async with` keeps connections open between calls.
    """

    requires: ClassVar[Sequence[str]] = ()
    """Modules without which it cannot work."""

    confidence: float = 0.5
    authority: float = 0.5

    def __init__(
        self,
        *,
        provenance: ProvenanceManager | None = None,
        max_retries: int = 3,
        base_delay: float = 1.0,
        max_delay: float = 30.0,
        enable_circuit_breaker: bool = True,
        max_cache_entries: int = 500,
        cache_ttl_seconds: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.provenance = provenance
        self.retry = RetryConfig(
            max_retries=max_retries,
            initial_delay=base_delay,
            max_delay=max_delay,
            retry_status_codes=RETRIED,
        )
        self.circuit_breaker = (
            CircuitBreaker(name=self.name, clock=clock) if enable_circuit_breaker else None
        )
        self._retry = RetryHandler(self.retry, sleep=sleep, chance=chance)
        self._cache: Cache[Evidence] = Cache(max_cache_entries, cache_ttl_seconds, clock=clock)
        self._clock, self._wall, self._sleep, self._chance = clock, wall, sleep, chance

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call the source."""

    @property
    @abstractmethod
    def source_type(self) -> SourceType:
        """What kind of source it is."""

    @property
    def is_available(self) -> bool:
        """Whether all packages that it needs are installed."""
        return all(map(_is_installed, self.requires))

    @property
    def is_configured(self) -> bool:
        """Whether it has the credentials and settings that it needs."""
        return True

    @abstractmethod
    async def search(self, query: str, limit: int = 10, **options: Any) -> list[Evidence]:
        """Return at most `limit` pieces of evidence, the best first."""

    @abstractmethod
    async def fetch(self, evidence_id: str) -> Evidence | None:
        """Return one piece of evidence as a whole; None where there is no such thing."""

    async def search_and_record(
        self, query: str, claim_id: str | None = None, limit: int = 10, **options: Any
    ) -> list[tuple[Evidence, ProvenanceRecord | None]]:
        """Search, and record what was found; without a `provenance` the records are None."""
        found = await self.search(query, limit=limit, **options)
        chain = self.provenance
        return [
            (evidence, None if chain is None else chain.record(evidence, claim_id))
            for evidence in found
        ]

    def get_cache_stats(self) -> dict[str, Any]:
        """Return what the cache holds: total, active, expired, max_entries, ttl_seconds."""
        return self._cache_stats()

    async def close(self) -> None:
        """Give back what is held; again is no error."""
        return None  # a source without connections holds nothing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _request_with_retry(
        self,
        func: Callable[[], Any],
        operation: str,
        *,
        idempotent: bool = True,
        breaker: CircuitBreaker | None = None,
    ) -> Any:
        """Call a function, async or not, until it succeeds or it is no use to try again.

        Its errors become those of `errors`; an open circuit refuses the call at once. A `breaker`
        takes the place of the connector's own.
        """

        async def attempt() -> Any:
            async with connector_error_handler(operation, connector_name=self.name):
                try:
                    result = func()
                    return await result if inspect.isawaitable(result) else result
                except Exception as error:
                    refused = _refused(error, f"`{self.name}.{operation}`")
                    if refused is None:
                        raise
            # Raised out here: the error of httpx2 quotes the address, where a token may stand.
            raise refused

        call = partial(self._retry.attempt, attempt, idempotent=idempotent)
        guard = None if self.circuit_breaker is None else breaker or self.circuit_breaker
        return await (call() if guard is None else guard.call(call))

    def _cache_get(self, key: str) -> Evidence | None:
        """Return a copy of what is kept under a key."""
        return copy.deepcopy(self._cache.get(key))

    def _cache_put(self, key: str, evidence: Evidence) -> None:
        self._cache.put(key, copy.deepcopy(evidence))

    def _cache_stats(self) -> dict[str, Any]:
        stats = self._cache.stats()
        return {
            "total": stats.entries + stats.expired,
            "active": stats.entries,
            "expired": stats.expired,
            "max_entries": stats.max_entries,
            "ttl_seconds": stats.ttl_seconds,
        }

    def _freshness(self, created_at: str | None) -> float:
        return freshness(created_at, self._wall())


def checked(query: str, limit: int) -> str:
    """Return a query without the space around it; raises ConnectorValidationError for none."""
    text = query.strip()
    if not text or len(text) > MAX_QUERY or "\0" in text:
        raise ConnectorValidationError(
            "the query is empty, too long, or holds a NUL",
            code="query.invalid",
            remedy=f"give a text of 1 to {MAX_QUERY} characters",
        )
    if limit < 1:
        raise ConnectorValidationError("`limit` has to be at least 1", code="query.limit")
    return text


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # a parent that is missing; a module that is half there
        return False


def _refused(error: Exception, where: str) -> ConnectorError | None:
    """Return what the error of `raise_for_status` means; None for another error."""
    httpx2 = sys.modules.get("httpx2")
    if httpx2 is None or not isinstance(error, httpx2.HTTPStatusError):
        return None
    return failure(error.response, where)
