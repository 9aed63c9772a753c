"""Answers kept for a while, the least recently used thrown out first."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from osiris_lsp.connectors.errors import ConnectorConfigError

Value = TypeVar("Value")
_ABSENT = object()


@dataclass(frozen=True)
class CacheStats:
    """What a cache holds and how often it could help; `expired` entries wait to be thrown out."""

    entries: int
    max_entries: int
    ttl_seconds: float
    hits: int
    misses: int
    expired: int = 0

    @property
    def hit_rate(self) -> float:
        """The share of questions that were answered from the cache; 0 before the first."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


class Cache(Generic[Value]):
    """At most `max_entries` values, each for `ttl_seconds`; safe for threads."""

    def __init__(
        self,
        max_entries: int = 500,
        ttl_seconds: float = 3600.0,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from cachetools import TTLCache

        if max_entries < 1:
            raise ConnectorConfigError("`max_entries` has to be at least 1", field="max_entries")
        if not ttl_seconds >= 0:
            raise ConnectorConfigError("`ttl_seconds` cannot be below 0", field="ttl_seconds")
        self._entries: TTLCache[Hashable, Value] = TTLCache(max_entries, ttl_seconds, timer=clock)
        self._lock = threading.Lock()
        self._hits = 0
        self._misses = 0

    def get(self, key: Hashable, default: Value | None = None) -> Value | None:
        """Return what is kept under a key, else `default`."""
        with self._lock:
            found = self._entries.get(key, cast("Value", _ABSENT))
            if found is _ABSENT:
                self._misses += 1
                return default
            self._hits += 1
            return found

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value, from now on."""
        with self._lock:
            self._entries[key] = value

    def discard(self, key: Hashable) -> None:
        """Forget one value, if it is there."""
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget all values; what was counted stays."""
        with self._lock:
            self._entries.clear()

    def stats(self) -> CacheStats:
        """Return what the cache holds now; to ask throws nothing out."""
        from cachetools import Cache as Entries

        with self._lock:
            active = sum(1 for _ in self._entries)
            return CacheStats(
                entries=active,
                max_entries=int(self._entries.maxsize),
                ttl_seconds=float(self._entries.ttl),
                hits=self._hits,
                misses=self._misses,
                # The length of a `TTLCache` throws out first.
                expired=Entries.__len__(self._entries) - active,
            )
