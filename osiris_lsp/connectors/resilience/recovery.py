"""What to do when a call failed, as a list of strategies that are tried in order."""

import asyncio
import copy
import functools
import inspect
import random
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from osiris_lsp.connectors.errors import get_retry_delay, is_retryable_error
from osiris_lsp.connectors.resilience.retry import RetryConfig


class RecoveryStrategy(StrEnum):
    """Try several times, try once more, or answer with a value that stands in."""

    EXPONENTIAL_BACKOFF = "exponential_backoff"
    RETRY_ONCE = "retry_once"
    FALLBACK = "fallback"


@dataclass(frozen=True)
class RecoveryConfig:
    """One strategy; each caller gets a `fallback_value` of its own."""

    strategy: RecoveryStrategy
    max_retries: int = 3
    base_delay: float = 1.0
    fallback_value: Any = None
    max_delay: float = 30.0
    jitter: bool = True

    def retry(self) -> RetryConfig:
        """Return the strategy as a number of retries."""
        once = self.strategy is RecoveryStrategy.RETRY_ONCE
        return RetryConfig(
            max_retries=1 if once else self.max_retries,
            initial_delay=self.base_delay,
            max_delay=self.max_delay,
            jitter=self.jitter,
        )


class RecoveryChain:
    """Strategies in order, for functions of both kinds; use `call`, or it as a decorator."""

    def __init__(
        self,
        configs: Sequence[RecoveryConfig],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        blocking_sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.configs = tuple(configs)
        self._sleep = sleep
        self._blocking_sleep = blocking_sleep
        self._chance = chance

    async def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function, async or not, and recover."""
        steps = self._steps()
        next(steps)
        while True:
            try:
                result = function(*args, **kwargs)
                return await result if inspect.isawaitable(result) else result
            except Exception as error:
                try:
                    delay = steps.send(error)
                except StopIteration as end:
                    return end.value
            await self._sleep(delay)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Recover every call of a function."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def recovered_async(*args: Any, **kwargs: Any) -> Any:
                return await self.call(function, *args, **kwargs)

            return recovered_async

        @functools.wraps(function)
        def recovered(*args: Any, **kwargs: Any) -> Any:
            steps = self._steps()
            next(steps)
            while True:
                try:
                    return function(*args, **kwargs)
                except Exception as error:
                    try:
                        delay = steps.send(error)
                    except StopIteration as end:
                        return end.value
                self._blocking_sleep(delay)

        return recovered

    def _steps(self) -> Generator[float, Exception, Any]:
        """Yield the delay before each further attempt, given the error of the one before.

        Returns the value that stands in; raises the last error when nothing is left.
        """
        error = yield 0.0
        for config in self.configs:
            if config.strategy is RecoveryStrategy.FALLBACK:
                return copy.deepcopy(config.fallback_value)
            retry = config.retry()
            for attempt in range(retry.max_retries):
                if not is_retryable_error(error):
                    break
                delay = retry.delay(attempt, self._chance)
                wait = get_retry_delay(error, delay)
                if wait > config.max_delay:
                    break  # the server wants a longer pause than anybody would wait here
                error = yield wait
        raise error


def create_recovery_chain(configs: Sequence[RecoveryConfig]) -> RecoveryChain:
    """Return the strategies as one, tried in order (S3-REC-04)."""
    return RecoveryChain(configs)


def with_recovery(config: RecoveryConfig) -> RecoveryChain:
    """Return a decorator that recovers every call of a function (S3-REC-03)."""
    return RecoveryChain((config,))
