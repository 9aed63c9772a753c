"""A circuit breaker: calls to a service that keeps failing are refused for a while."""

import functools
import inspect
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorCircuitOpenError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    RetryExhaustedError,
    status_of,
)


class CircuitState(StrEnum):
    """Whether calls pass: all, none, or one at a time to find out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class CircuitBreakerConfig:
    """When the circuit opens and closes; `recovery_timeout` is in seconds."""

    failure_threshold: int = 5
    recovery_timeout: float = 60.0
    success_threshold: int = 2
    failure_status_codes: Sequence[int] = field(default_factory=lambda: [500, 502, 503, 504])
    count_timeouts_as_failures: bool = True

    def __post_init__(self) -> None:
        for name in ("failure_threshold", "success_threshold"):
            if getattr(self, name) < 1:
                raise ConnectorConfigError(f"`{name}` has to be at least 1", field=name)
        if not self.recovery_timeout >= 0:
            raise ConnectorConfigError(
                "`recovery_timeout` cannot be below 0", field="recovery_timeout"
            )


class CircuitBreaker:
    """Counts failures in a row, refuses calls for a while, then lets one at a time probe (R-20).

    Use `call`, `guard`, or the breaker as a decorator; or ask `can_proceed` and report with
    `record_success` or `record_failure`. A probe that never reports gives its place away after
    `recovery_timeout`. Safe for threads; `opens` counts how often the circuit opened.
    """

    def __init__(
        self,
        config: CircuitBreakerConfig | None = None,
        *,
        name: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config or CircuitBreakerConfig()
        self.name = name
        self.opens = 0
        self._clock = clock
        self._lock = threading.RLock()
        self._state = CircuitState.CLOSED
        self._count = 0  # failures in a row while closed, successes while half open
        self._until = 0.0  # the end of the cooldown, or of the time that a probe has
        self._epoch = 0  # grows with each state and probe: outcomes of earlier ones do not count

    @property
    def current_state(self) -> CircuitState:
        """The state; asking for it takes no place of a probe."""
        with self._lock:
            if self._state is CircuitState.OPEN and self._clock() >= self._until:
                return CircuitState.HALF_OPEN
            return self._state

    @property
    def is_open(self) -> bool:
        """Whether calls are refused because of failures."""
        return self.current_state is CircuitState.OPEN

    @property
    def is_closed(self) -> bool:
        """Whether all calls pass."""
        return self.current_state is CircuitState.CLOSED

    def can_proceed(self) -> bool:
        """Tell whether a call may be made now; in the half-open state that takes the place."""
        return self._admit() is not None

    def cooldown_remaining(self) -> float:
        """Return the seconds until a call may be tried; 0 when it may be now."""
        with self._lock:
            if self._state is CircuitState.CLOSED:
                return 0.0
            return max(0.0, self._until - self._clock())

    def record_success(self) -> None:
        """Report that a call succeeded."""
        self._settle(self._epoch, ok=True)

    def record_failure(self, status_code: int | None = None) -> None:
        """Report that a call failed; a status that says nothing of the service is none."""
        answered = status_code is not None and status_code not in self.config.failure_status_codes
        self._settle(self._epoch, ok=answered)

    def reset(self) -> None:
        """Close the circuit and forget all failures."""
        with self._lock:
            self._enter(CircuitState.CLOSED)

    async def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function, async or not, if the circuit lets it pass."""
        with self.guard():
            result = function(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Guard every call of a function (S4-CB-11)."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def guarded_async(*args: Any, **kwargs: Any) -> Any:
                return await self.call(function, *args, **kwargs)

            return guarded_async

        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with self.guard():
                return function(*args, **kwargs)

        return guarded

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Let a block pass or raise `ConnectorCircuitOpenError`, and count what becomes of it."""
        epoch = self._admit()
        if epoch is None:
            remaining = self.cooldown_remaining()
            raise ConnectorCircuitOpenError(
                f"Circuit open, {remaining:.1f}s remaining", cooldown_remaining=remaining
            )
        try:
            yield
        except BaseException as error:
            self._settle(epoch, ok=self._verdict(error))
            raise
        self._settle(epoch, ok=True)

    def _admit(self) -> int | None:
        with self._lock:
            if self._state is not CircuitState.CLOSED:
                if self._clock() < self._until:
                    return None
                if self._state is CircuitState.OPEN:
                    self._enter(CircuitState.HALF_OPEN)
                self._epoch += 1
                self._until = self._clock() + self.config.recovery_timeout
            return self._epoch

    def _settle(self, epoch: int, *, ok: bool | None) -> None:
        """Count an outcome; None is neither: it only gives the place of a probe back."""
        with self._lock:
            if epoch != self._epoch or self._state is CircuitState.OPEN:
                return
            if self._state is CircuitState.CLOSED:
                if ok is not None:
                    self._count = 0 if ok else self._count + 1
                if self._count >= self.config.failure_threshold:
                    self._open()
                return
            if ok is False:
                self._open()
                return
            self._until = self._clock()
            self._count += ok is True
            if self._count >= self.config.success_threshold:
                self._enter(CircuitState.CLOSED)

    def _open(self) -> None:
        self._enter(CircuitState.OPEN)
        self._until = self._clock() + self.config.recovery_timeout
        self.opens += 1

    def _enter(self, state: CircuitState) -> None:
        self._state = state
        self._count = 0
        self._epoch += 1

    def _verdict(self, error: BaseException) -> bool | None:
        """Whether an error says that the service works; None when it says nothing of it."""
        if isinstance(error, RetryExhaustedError):
            error = error.last_error
        if not isinstance(error, Exception):
            return None
        status = status_of(error)
        if status is not None:
            return status not in self.config.failure_status_codes
        if isinstance(error, TimeoutError):
            return False if self.config.count_timeouts_as_failures else None
        if isinstance(error, ConnectorError):
            failed = isinstance(error, ConnectorNetworkError | ConnectorAPIError)
            return False if failed or type(error) is ConnectorError else None
        return False
