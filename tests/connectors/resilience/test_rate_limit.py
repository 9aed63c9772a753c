"""The token bucket: never more than it allows, whoever asks and whoever gives up."""

import asyncio
import threading
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from osiris_lsp.connectors import ConnectorConfigError, RateLimitConfig, RateLimiter
from osiris_lsp.connectors.resilience.rate_limit import LONGEST_PAUSE, retry_after
from tests.connectors.resilience.virtual import Clock, run


def limiter(config: RateLimitConfig, clock: Clock) -> RateLimiter:
    """Return a limiter for virtual time."""
    return RateLimiter(config, clock=clock, wall=lambda: 1_800_000_000 + clock.now)


async def arrivals(bucket: RateLimiter, clock: Clock, count: int) -> list[float]:
    """Ask for tokens all at once; return when each came."""

    async def one() -> float:
        await bucket.acquire()
        return clock.now

    return sorted(await asyncio.gather(*(one() for _ in range(count))))


def allowed(times: list[float], burst: int, rate: float) -> bool:
    """Whether no stretch of time has more tokens than the bucket gives in it.

    Token i may not come before the earliest one from which the bucket could have been full.
    """
    level, last = float(burst), 0.0
    for time in times:
        level = min(burst, level + (time - last) * rate) - 1
        last = time
        if level < -1e-6:
            return False
    return True


class Bucket(RuleBasedStateMachine):
    """A bucket and a model of it that keeps every token given."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.bucket = limiter(RateLimitConfig(5, 10.0, burst_size=7), self.clock)
        self.given: list[float] = []

    @rule(seconds=st.floats(0, 30))
    def passes(self, seconds: float) -> None:
        """Time passes."""
        self.clock.now += seconds

    @rule(times=st.integers(1, 12))
    def ask(self, times: int) -> None:
        """Tokens are given while there are any."""
        for _ in range(times):
            level = self.bucket.available
            got = self.bucket.try_acquire()
            assert got is (level >= 1 - 1e-9)
            if got:
                self.given.append(self.clock.now)

    @invariant()
    def never_too_many(self) -> None:
        """In any stretch of time."""
        assert allowed(self.given, 7, 0.5)
        assert 0 <= self.bucket.available <= 7


TestRateLimiter = Bucket.TestCase
TestRateLimiter.pytestmark = [pytest.mark.inventory("S4-RL-06")]  # type: ignore[attr-defined]


@pytest.mark.inventory("S4-RL-01", "S4-RL-02", "S4-RL-03", "S4-RL-04", "S4-RL-05", "S4-RL-10")
def test_the_defaults_are_those_of_the_seed() -> None:
    """And what makes no sense is refused."""
    config = RateLimitConfig()
    assert (config.max_requests, config.window_seconds, config.burst_size) == (60, 60.0, 60)
    assert (config.respect_retry_after, config.backoff_factor) == (True, 1.5)
    assert RateLimitConfig(max_requests=100, burst_size=120).burst_size == 120
    assert RateLimitConfig(1000, 3600.0).burst_size == 1000
    for options in (
        {"max_requests": 0},
        {"window_seconds": 0},
        {"window_seconds": -1},
        {"window_seconds": float("nan")},
        {"burst_size": 0},
        {"backoff_factor": 0.5},
    ):
        with pytest.raises(ConnectorConfigError) as caught:
            RateLimitConfig(**options)
        assert caught.value.field == next(iter(options))


@pytest.mark.inventory("S4-RL-06", "S4-RL-07", "S4-RL-10", "R-49")
@pytest.mark.parametrize(
    ("calls", "window", "burst"), [(10, 1.0, 15), (100, 60.0, 120), (1000, 3600.0, 1100)]
)
def test_a_burst_at_once_then_the_rate(calls: int, window: float, burst: int) -> None:
    """As the examples of the seed say."""
    clock = Clock()
    bucket = limiter(RateLimitConfig(calls, window, burst), clock)
    times = run(clock, arrivals(bucket, clock, burst + 5))
    assert times[:burst] == [0.0] * burst
    assert times[burst:] == pytest.approx([window / calls * n for n in range(1, 6)])


@pytest.mark.inventory("S4-RL-06")
def test_half_a_second_of_ten_a_second_is_five_tokens() -> None:
    """The rate is constant."""
    clock = Clock()
    bucket = limiter(RateLimitConfig(10, 1.0), clock)
    assert all(bucket.try_acquire() for _ in range(10))
    assert not bucket.try_acquire()
    clock.now += 0.5
    assert [bucket.try_acquire() for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.inventory("S4-RL-09")
def test_ten_thousand_at_once_get_no_more_than_there_is() -> None:
    """Nobody starves either: the last one waits as long as the rate says."""
    clock = Clock()
    bucket = limiter(RateLimitConfig(100, 1.0, burst_size=50), clock)
    times = run(clock, arrivals(bucket, clock, 10_000))
    assert len(times) == 10_000
    assert allowed(times, 50, 100.0)
    assert times[-1] == pytest.approx((10_000 - 50) / 100)


def test_threads_get_no_more_than_there_is() -> None:
    """Ten thousand questions from eight threads while no time passes."""
    bucket = limiter(RateLimitConfig(100, 1.0, burst_size=777), Clock())
    got: list[bool] = []

    def ask() -> None:
        for _ in range(1250):
            got.append(bucket.try_acquire())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), sum(got)) == (10_000, 777)


@pytest.mark.inventory("S4-RL-09")
def test_who_gives_up_takes_no_token() -> None:
    """Half of those who wait are cancelled: the others get tokens, and never too many."""
    clock = Clock()
    bucket = limiter(RateLimitConfig(10, 1.0, burst_size=5), clock)

    async def main() -> list[float]:
        async def one() -> float:
            await bucket.acquire()
            return clock.now

        tasks = [asyncio.ensure_future(one()) for _ in range(200)]
        await asyncio.sleep(1.05)
        for task in tasks[::2]:
            task.cancel()
        late = [asyncio.ensure_future(one()) for _ in range(20)]
        results = await asyncio.gather(*tasks, *late, return_exceptions=True)
        return sorted(time for time in results if isinstance(time, float))

    times = run(clock, main())
    assert len(times) >= 120
    assert allowed(times, 5, 10.0)
    clock.now += 1
    assert bucket.available == 5
    assert run(clock, bucket.acquire()) == 0


@pytest.mark.inventory("S4-RL-08", "S4-RL-04", "S3-ERR-03")
@pytest.mark.parametrize(
    ("status", "headers", "pause"),
    [
        (429, {"Retry-After": "7"}, 7),
        (503, {"retry-after": "7"}, 7),
        (200, {"Retry-After": "7"}, 0),
        (429, {"Retry-After": "{date}"}, 30),
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9"}, 9),
        (200, {"X-RateLimit-Remaining": "0.0", "X-RateLimit-Reset": "9"}, 9),  # Reddit
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000012"}, 12),
        (200, {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "9"}, 0),
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, 0),
        (200, {"X-RateLimit-Remaining": "0"}, 0),
        (429, {"Retry-After": "9" * 400}, LONGEST_PAUSE),
        (429, {"Retry-After": "-5"}, 1.5),
        (200, {}, 0),
    ],
)
def test_what_a_server_says_holds_all_back(
    status: int, headers: dict[str, str], pause: float
) -> None:
    """Seconds, dates, and the resets in both forms; with a limit to what is believed."""
    clock = Clock()
    date = format_datetime(datetime.fromtimestamp(1_800_000_030, UTC), usegmt=True)
    headers = {name: value.format(date=date) for name, value in headers.items()}
    bucket = limiter(RateLimitConfig(60, 60.0), clock)
    assert bucket.observe(status, headers) == pause
    assert run(clock, bucket.acquire()) == pause
    deaf = limiter(RateLimitConfig(respect_retry_after=False), Clock())
    assert deaf.observe(status, headers) == (1.5 if status == 429 else 0)


@pytest.mark.inventory("S4-RL-05")
def test_refusals_in_a_row_widen_the_pause() -> None:
    """By the factor, until a call succeeds."""
    bucket = limiter(RateLimitConfig(backoff_factor=2), Clock())
    assert [bucket.observe(429, {}) for _ in range(3)] == [2, 4, 8]
    assert bucket.observe(200, {}) == 0
    assert bucket.observe(429, {}) == 2
    assert [bucket.observe(429, {}) for _ in range(2000)][-1] == LONGEST_PAUSE


@pytest.mark.inventory("S3-ERR-03")
@pytest.mark.parametrize("value", [None, "", "soon", "1.5", "٣", "Wed, 99 Jul 2026 00:00:00 GMT"])
def test_a_time_that_cannot_be_read_is_none(value: str | None) -> None:
    """Nobody waits for it."""
    assert retry_after(value, 0) is None
