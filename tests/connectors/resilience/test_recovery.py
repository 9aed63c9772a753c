"""Recovery: strategies in order, for functions of both kinds."""

import asyncio
from typing import Any

import pytest

from osiris_lsp.connectors import (
    ConnectorAuthError,
    ConnectorRateLimitError,
    RecoveryChain,
    RecoveryConfig,
    RecoveryStrategy,
    create_recovery_chain,
    with_recovery,
)

BACKOFF = RecoveryConfig(RecoveryStrategy.EXPONENTIAL_BACKOFF, jitter=False)
ONCE = RecoveryConfig(RecoveryStrategy.RETRY_ONCE, jitter=False)


class Calls:
    """A function that fails a number of times."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.made = 0

    def __call__(self) -> str:
        """Fail while there are errors left."""
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    async def later(self) -> str:
        """The same, async."""
        return self()


def outcome(kind: str, calls: Calls, *configs: RecoveryConfig) -> tuple[Any, list[float]]:
    """Run a chain on a function of a kind; return its result, or error, and the pauses."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    chain = RecoveryChain(configs, sleep=sleep, blocking_sleep=pauses.append)
    try:
        if kind == "sync":

            @chain
            def plain() -> str:
                return calls()

            return plain(), pauses

        @chain
        async def later() -> str:
            return await calls.later()

        return asyncio.run(later()), pauses
    except Exception as error:
        return error, pauses


@pytest.mark.inventory("S3-REC-01", "S3-REC-02")
def test_the_names_and_defaults_are_those_of_the_seed() -> None:
    """Three strategies; three retries from one second on."""
    assert [strategy.name for strategy in RecoveryStrategy] == [
        "EXPONENTIAL_BACKOFF",
        "RETRY_ONCE",
        "FALLBACK",
    ]
    config = RecoveryConfig(strategy=RecoveryStrategy.FALLBACK, fallback_value=[])
    assert (config.max_retries, config.base_delay, config.fallback_value) == (3, 1.0, [])


@pytest.mark.inventory("S3-REC-01", "S3-REC-03", "S3-REC-04")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_each_strategy_does(kind: str) -> None:
    """And that the next one has its turn when one is through."""
    late = TimeoutError("late")
    assert outcome(kind, Calls(), BACKOFF) == ("answer", [])
    assert outcome(kind, Calls(late, late, late), BACKOFF) == ("answer", [1, 2, 4])
    assert outcome(kind, Calls(late, late, late, late), BACKOFF) == (late, [1, 2, 4])
    assert outcome(kind, Calls(late, late), ONCE) == (late, [1])
    fallback = RecoveryConfig(RecoveryStrategy.FALLBACK, fallback_value=[])
    calls = Calls(late, late, late)
    assert outcome(kind, calls, ONCE, fallback) == ([], [1])
    assert calls.made == 2
    refused = ConnectorAuthError("no")
    assert outcome(kind, Calls(refused), BACKOFF, ONCE) == (refused, [])
    assert outcome(kind, Calls(refused), BACKOFF, fallback) == ([], [])
    busy = ConnectorRateLimitError("busy", retry_after=9)
    assert outcome(kind, Calls(busy), ONCE) == ("answer", [9])
    closed = ConnectorRateLimitError("busy", retry_after=900)
    assert outcome(kind, Calls(closed), ONCE) == (closed, [])


@pytest.mark.inventory("S3-REC-03", "S3-REC-04")
def test_a_value_that_stands_in_is_each_caller_s_own() -> None:
    """Changing it changes nothing for the next one; cancellation is not recovered from."""
    config = RecoveryConfig(strategy=RecoveryStrategy.FALLBACK, fallback_value=[])

    @with_recovery(config)
    async def fetch() -> list[str]:
        raise OSError

    first = asyncio.run(fetch())
    first.append("mine")
    assert asyncio.run(fetch()) == []
    assert asyncio.run(create_recovery_chain([config]).call(fetch)) == []

    def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        create_recovery_chain([config])(cancelled)()
