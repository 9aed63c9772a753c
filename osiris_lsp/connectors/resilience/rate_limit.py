"""A token bucket: not more calls than a service allows, and what it says about that itself."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from osiris_lsp.connectors.errors import ConnectorConfigError

LONGEST_PAUSE: Final = 3600.0
"""Seconds that a server can stop a client for; what it says is not trusted beyond."""

_EPOCH: Final = 1_000_000_000
"""From here on, a reset is a time and not a number of seconds."""

_TOLERANCE: Final = 1e-9
"""Of a token: what the clock's rounding may take from one."""


@dataclass(frozen=True)
class RateLimitConfig:
    """So many calls in so many seconds, and `burst_size` of them at once (R-49)."""

    max_requests: int = 60
    window_seconds: float = 60.0
    burst_size: int | None = None
    respect_retry_after: bool = True
    backoff_factor: float = 1.5

    def __post_init__(self) -> None:
        if self.burst_size is None:
            object.__setattr__(self, "burst_size", self.max_requests)
        for name in ("max_requests", "burst_size"):
            if getattr(self, name) < 1:
                raise ConnectorConfigError(f"`{name}` has to be at least 1", field=name)
        if not self.window_seconds > 0:
            raise ConnectorConfigError("`window_seconds` has to be above 0", field="window_seconds")
        if not self.backoff_factor >= 1:
            raise ConnectorConfigError(
                "`backoff_factor` has to be at least 1", field="backoff_factor"
            )


class RateLimiter:
    """A bucket of tokens that fills at a constant rate and is full at the start.

    A token is taken when the waiting is over, so a cancelled call takes none. Who comes later waits
    behind those that wait. Safe for threads and for several event loops.
    """

    def __init__(
        self,
        config: RateLimitConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.config = config or RateLimitConfig()
        self._burst = float(self.config.burst_size or self.config.max_requests)
        self._rate = self.config.max_requests / self.config.window_seconds
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = self._burst
        self._filled = clock()
        self._waiting = 0
        self._paused_until = self._filled
        self._refusals = 0

    @property
    def available(self) -> float:
        """The tokens in the bucket."""
        with self._lock:
            return self._fill()

    def try_acquire(self) -> bool:
        """Take a token if there is one for a newcomer; never waits."""
        with self._lock:
            return self._take(self._waiting) == 0

    async def acquire(self) -> float:
        """Take a token, and wait for it if need be; return the seconds that it took."""
        start = self._clock()
        with self._lock:
            wait = self._take(self._waiting)
            if not wait:
                return 0.0
            self._waiting += 1
        try:
            while wait:
                await self._sleep(wait)
                with self._lock:
                    wait = self._take(0)
        finally:
            with self._lock:
                self._waiting -= 1
        return self._clock() - start

    def observe(self, status: int, headers: Mapping[str, str]) -> float:
        """Heed what a server says about its own limit; return the seconds of the pause."""
        if isinstance(headers, dict):  # other kinds of headers ignore the case by themselves
            headers = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            pause = self._pause(status, headers)
            self._paused_until = max(self._paused_until, self._clock() + pause)
            return pause

    def _take(self, ahead: int) -> float:
        """Take a token that nobody ahead needs and return 0, else the seconds until there is."""
        paused = self._paused_until - self._clock()
        missing = ahead + 1 - self._fill()
        if paused <= 0 and missing <= _TOLERANCE:
            self._tokens = max(0.0, self._tokens - 1)
            return 0.0
        return max(paused, missing / self._rate)

    def _fill(self) -> float:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        return self._tokens

    def _pause(self, status: int, headers: Mapping[str, str]) -> float:
        refused = status == 429
        self._refusals = self._refusals + 1 if refused else 0
        said = None
        if self.config.respect_retry_after:
            if refused or status == 503:
                said = retry_after(headers.get("retry-after"), self._wall())
            left = headers.get("x-ratelimit-remaining")
            if said is None and left is not None and left.strip() in ("0", "0.0"):
                said = _reset(headers.get("x-ratelimit-reset"), self._wall())
        if said is None and refused:
            # A service that refuses without a word: the pause grows with each time in a row.
            try:
                said = self.config.backoff_factor**self._refusals / self._rate
            except OverflowError:
                said = LONGEST_PAUSE
        return min(said or 0.0, LONGEST_PAUSE)


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a `Retry-After` means: a number or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _reset(value: str | None, now: float) -> float | None:
    text = (value or "").strip()
    if not (text.isascii() and text.replace(".", "", 1).isdigit()):
        return None
    seconds = float(text[:20])
    return max(0.0, seconds - now if seconds >= _EPOCH else seconds)
