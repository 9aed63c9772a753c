"""Trying again: delays against their formulas, and what deserves another attempt."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.connectors import (
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorParseError,
    ConnectorRateLimitError,
    ConnectorTimeoutError,
    ConnectorValidationError,
    RetryConfig,
    RetryExhaustedError,
    RetryHandler,
    RetryStrategy,
    create_retry_handler,
)


class Pauses(list[float]):
    """A sleep that only notes how long."""

    async def __call__(self, seconds: float) -> None:
        """Note a pause."""
        self.append(seconds)


def failing(*errors: BaseException) -> Callable[[], str]:
    """Return a function that raises these errors, one each call, then answers."""
    left = list(errors)

    def function() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return function


@pytest.mark.inventory("S4-RET-02", "S4-RET-03", "S4-RET-05", "S4-RET-09", "S4-RET-10", "S4-RET-11")
@pytest.mark.parametrize(
    ("strategy", "delays"),
    [
        (RetryStrategy.EXPONENTIAL, [1, 2, 4, 8]),
        (RetryStrategy.LINEAR, [2, 4, 6, 8]),
        (RetryStrategy.FIXED, [1, 1, 1, 1]),
    ],
)
def test_delays_follow_the_formulas(strategy: RetryStrategy, delays: list[float]) -> None:
    """Seed 004 gives the formulas and their first values."""
    config = RetryConfig(strategy=strategy, jitter=False)
    assert [config.delay(attempt) for attempt in range(4)] == delays


@pytest.mark.inventory("S3-RETRY-05")
def test_exponential_delays_are_capped() -> None:
    """Base 1.0 and cap 30.0 as in seed 003, for any number of attempts."""
    config = RetryConfig(max_delay=30.0, jitter=False)
    delays = [config.delay(attempt) for attempt in range(7)]
    assert delays == [1, 2, 4, 8, 16, 30, 30]
    assert config.delay(10_000) == 30


@pytest.mark.inventory("S4-RET-04", "S4-RET-06", "S3-RETRY-04", "R-17")
@given(
    strategy=st.sampled_from(RetryStrategy),
    initial=st.floats(0.2, 20),
    multiplier=st.floats(1, 5),
    cap=st.floats(1, 100),
    attempt=st.integers(0, 60),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_chance_moves_a_delay_by_a_quarter_at_most_and_never_above_the_cap(
    strategy: RetryStrategy,
    initial: float,
    multiplier: float,
    cap: float,
    attempt: int,
    chance: float,
) -> None:
    """Whatever the configuration."""
    options: dict[str, Any] = {"initial_delay": initial, "backoff_multiplier": multiplier}
    exact = RetryConfig(strategy=strategy, max_delay=float("inf"), jitter=False, **options).delay(
        attempt
    )
    delay = RetryConfig(strategy=strategy, max_delay=cap, **options).delay(attempt, lambda: chance)
    assert min(cap, exact * 0.75) * (1 - 1e-9) <= delay <= min(cap, exact * 1.25) * (1 + 1e-9)


@pytest.mark.inventory("S3-RETRY-04")
def test_two_clients_do_not_come_back_together() -> None:
    """Their delays differ."""
    first, second = random.Random(1), random.Random(2)
    config = RetryConfig()
    assert [config.delay(n, first.random) for n in range(5)] != [
        config.delay(n, second.random) for n in range(5)
    ]


@pytest.mark.inventory("S4-RET-07", "S4-RET-08", "S3-RETRY-01", "S3-RETRY-02", "R-18")
@pytest.mark.parametrize(
    ("error", "repeatable", "not_repeatable"),
    [
        (ConnectorAPIError("x", status_code=408), True, False),
        (ConnectorRateLimitError("x"), True, True),
        (ConnectorAPIError("x", status_code=500), True, False),
        (ConnectorAPIError("x", status_code=501), False, False),
        (ConnectorAPIError("x", status_code=502), True, False),
        (ConnectorAPIError("x", status_code=503), True, True),
        (ConnectorAPIError("x", status_code=504), True, False),
        (ConnectorValidationError("x", status_code=422), False, False),
        (ConnectorAPIError("x", status_code=409), False, False),
        (ConnectorTimeoutError("x", stage="query"), True, False),
        (ConnectorTimeoutError("x", stage="tcp"), True, True),
        (ConnectorNetworkError("x", stage="tcp"), True, True),
        (ConnectorNetworkError("x", stage="tls", retryable=False), False, False),
        (ConnectorNetworkError("x", stage="query"), True, False),
        (TimeoutError(), True, False),
        (ConnectionResetError(), True, False),
        (ConnectorAuthError("x"), False, False),
        (ConnectorParseError("x"), False, False),
        (ConnectorConfigError("x"), False, False),
        (ValueError("x"), False, False),
        (asyncio.CancelledError(), False, False),
    ],
)
def test_what_deserves_another_attempt(
    error: BaseException, repeatable: bool, not_repeatable: bool
) -> None:
    """It depends on the error and on whether a second call can do harm."""
    config = RetryConfig()
    assert config.retries(error) is repeatable
    assert config.retries(error, idempotent=False) is not_repeatable
    assert RetryConfig(retry_non_idempotent=True).retries(error, idempotent=False) is repeatable
    if isinstance(error, TimeoutError):
        assert not RetryConfig(retry_on_timeout=False).retries(error)


@pytest.mark.inventory("S4-RET-01", "S4-RET-12", "S4-RET-13", "R-17")
def test_three_retries_are_four_attempts() -> None:
    """The last error is kept, and says what kind of failure it was."""
    calls = 0

    async def function(word: str, *, mark: str) -> None:
        nonlocal calls
        calls += 1
        assert (word, mark) == ("a", "b")
        raise ConnectorTimeoutError("too late", code="timeout.read")

    pauses = Pauses()
    retried: list[BaseException] = []
    handler = RetryHandler(RetryConfig(jitter=False), sleep=pauses, on_retry=retried.append)
    with pytest.raises(RetryExhaustedError) as caught:
        asyncio.run(handler.call(function, "a", mark="b"))
    assert (calls, pauses, len(retried)) == (4, [1, 2, 4], 3)
    assert caught.value.attempts == 4
    assert isinstance(caught.value.last_error, ConnectorTimeoutError)
    assert caught.value.__cause__ is caught.value.last_error
    assert (caught.value.category, caught.value.code) == ("timeout", "timeout.read")
    assert not caught.value.retryable
    assert str(caught.value) == "still failing after 4 attempts: too late"


@pytest.mark.inventory("S4-RET-12", "S4-RET-13")
def test_a_plain_function_is_called_again_until_it_answers() -> None:
    """`create_retry_handler` takes the fields of the configuration."""
    handler = create_retry_handler(max_retries=5, strategy=RetryStrategy.FIXED, initial_delay=2.0)
    assert handler.config == RetryConfig(5, RetryStrategy.FIXED, 2.0)
    pauses = Pauses()
    handler = RetryHandler(handler.config, sleep=pauses, chance=lambda: 0.5)
    assert asyncio.run(handler.call(failing(TimeoutError(), ConnectionError()))) == "answer"
    assert pauses == [2.0, 2.0]


@pytest.mark.inventory("R-50", "S3-RETRY-02")
def test_what_is_not_worth_it_is_raised_as_it_is() -> None:
    """After one attempt, or in the middle; without retries anything is."""
    pauses = Pauses()
    handler = RetryHandler(sleep=pauses, chance=lambda: 0.5)
    with pytest.raises(ConnectorAuthError):
        asyncio.run(handler.call(failing(ConnectorAuthError("x"))))
    assert pauses == []
    with pytest.raises(ValueError, match="odd"):
        asyncio.run(handler.call(failing(TimeoutError(), ValueError("odd"))))
    assert pauses == [1.0]
    with pytest.raises(TimeoutError):
        asyncio.run(RetryHandler(RetryConfig(max_retries=0)).call(failing(TimeoutError())))


@pytest.mark.inventory("S3-RETRY-03")
def test_a_server_says_how_long_to_wait() -> None:
    """Longer or shorter than the formula; one that wants more than the cap is not asked again."""
    pauses = Pauses()
    handler = RetryHandler(sleep=pauses)
    busy = ConnectorRateLimitError("x", retry_after=17.0)
    assert asyncio.run(handler.call(failing(busy))) == "answer"
    assert pauses == [17.0]
    with pytest.raises(ConnectorRateLimitError):
        asyncio.run(handler.call(failing(ConnectorRateLimitError("x", retry_after=61.0))))


@pytest.mark.parametrize(
    "options", [{"max_retries": -1}, {"max_delay": float("nan")}, {"jitter_factor": 1.5}]
)
def test_a_configuration_that_makes_no_sense_is_refused(options: dict[str, float]) -> None:
    """By the field that is wrong."""
    with pytest.raises(ConnectorError) as caught:
        RetryConfig(**options)  # type: ignore[arg-type]
    assert caught.value.field == next(iter(options))
