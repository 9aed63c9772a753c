"""Trying again: how long to wait between attempts, and which errors deserve another."""

import asyncio
import inspect
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    ConnectorError,
    RetryExhaustedError,
    get_retry_delay,
    is_retryable_error,
    status_of,
)

FLOOR: Final = 0.1
"""Seconds below which chance never takes a delay (R-17)."""

ALWAYS: Final = frozenset((429, 503))
"""Answers of a server that has not begun: safe to ask again with any method (R-18)."""

BEFORE_SENDING: Final = frozenset(("dns", "tcp", "tls"))
"""Stages in which nothing of the request has left yet."""


class RetryStrategy(StrEnum):
    """How delays grow."""

    EXPONENTIAL = "exponential"
    LINEAR = "linear"
    FIXED = "fixed"


@dataclass(frozen=True)
class RetryConfig:
    """How often and how long; `max_retries` counts what comes after the first attempt.

    `jitter` moves each delay by chance, at most by `jitter_factor` of it, so that clients that fail
    together do not come back together. A server that wants a longer pause than `max_delay` is not
    asked again.
    """

    max_retries: int = 3
    strategy: RetryStrategy = RetryStrategy.EXPONENTIAL
    initial_delay: float = 1.0
    max_delay: float = 60.0
    backoff_multiplier: float = 2.0
    jitter: bool = True
    retry_status_codes: Sequence[int] = field(
        default_factory=lambda: [408, 429, 500, 502, 503, 504]
    )
    retry_on_timeout: bool = True
    retry_non_idempotent: bool = False
    jitter_factor: float = 0.25

    def __post_init__(self) -> None:
        for name in ("max_retries", "initial_delay", "max_delay", "backoff_multiplier"):
            if not getattr(self, name) >= 0:
                raise ConnectorConfigError(f"`{name}` cannot be below 0", field=name)
        if not 0 <= self.jitter_factor <= 1:
            raise ConnectorConfigError(
                "`jitter_factor` is not between 0 and 1", field="jitter_factor"
            )
        object.__setattr__(self, "strategy", RetryStrategy(self.strategy))

    def delay(self, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """Return the seconds after a failed attempt, counted from 0; `chance` is in [0, 1)."""
        delay = self.initial_delay
        try:
            if self.strategy is RetryStrategy.EXPONENTIAL:
                delay *= self.backoff_multiplier**attempt
            elif self.strategy is RetryStrategy.LINEAR:
                delay *= (attempt + 1) * self.backoff_multiplier
        except OverflowError:
            delay = self.max_delay
        if self.jitter:
            delay = max(FLOOR, delay * (1 + self.jitter_factor * (2 * chance() - 1)))
        return min(delay, self.max_delay)

    def retries(self, error: BaseException, *, idempotent: bool = True) -> bool:
        """Tell whether a failed attempt may be made again."""
        if get_retry_delay(error, 0.0) > self.max_delay:
            return False
        may_repeat = idempotent or self.retry_non_idempotent
        status = status_of(error)
        if status is not None:
            return status in self.retry_status_codes and (may_repeat or status in ALWAYS)
        if not is_retryable_error(error):
            return False
        if isinstance(error, TimeoutError) and not self.retry_on_timeout:
            return False
        return may_repeat or (isinstance(error, ConnectorError) and error.stage in BEFORE_SENDING)


class RetryHandler:
    """Calls functions again as its configuration says; waits as long as a server asked for."""

    def __init__(
        self,
        config: RetryConfig | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        on_retry: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.config = config or RetryConfig()
        self._sleep = sleep
        self._chance = chance
        self._on_retry = on_retry

    async def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function, async or not, until it succeeds (S4-RET-13)."""
        return await self.attempt(lambda: function(*args, **kwargs))

    async def attempt(self, function: Callable[[], Any], *, idempotent: bool = True) -> Any:
        """Call a function until it succeeds; one that changes things only where that is safe.

        What is not worth another attempt is raised as it is, and `RetryExhaustedError` when the
        last one failed too. Without retries there is nothing to exhaust.
        """
        for attempt in itertools.count():
            try:
                result = function()
                return await result if inspect.isawaitable(result) else result
            except Exception as error:
                if not self.config.max_retries or not self.config.retries(
                    error, idempotent=idempotent
                ):
                    raise
                if attempt == self.config.max_retries:
                    raise RetryExhaustedError(attempt + 1, error) from error
                pause = get_retry_delay(error, self.config.delay(attempt, self._chance))
                if self._on_retry is not None:
                    self._on_retry(error)
            await self._sleep(pause)


def create_retry_handler(
    max_retries: int = 3,
    strategy: RetryStrategy = RetryStrategy.EXPONENTIAL,
    initial_delay: float = 1.0,
    **options: Any,
) -> RetryHandler:
    """Return a handler; `options` are the other fields of `RetryConfig`."""
    return RetryHandler(RetryConfig(max_retries, strategy, initial_delay, **options))
