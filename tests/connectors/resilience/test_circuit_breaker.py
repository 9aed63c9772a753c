"""The circuit breaker: against a model, against pybreaker, and its names in the seeds."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pybreaker
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from osiris_lsp.connectors import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitState,
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorCircuitOpenError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorParseError,
    ConnectorRateLimitError,
    ConnectorTimeoutError,
    RetryExhaustedError,
    Session,
    get_circuit_breaker,
)
from tests.connectors.resilience.virtual import Clock


class Boom(Exception):
    """Any failure of a service."""


def fail() -> None:
    """Fail."""
    raise Boom


class Breaker(RuleBasedStateMachine):
    """A breaker and a model of it that only counts."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = CircuitBreaker(
            CircuitBreakerConfig(failure_threshold=3, recovery_timeout=10, success_threshold=2),
            clock=self.clock,
        )
        self.failures = 0
        self.successes = 0
        self.opened: float | None = None
        self.half = False
        self.probe: float | None = None

    def cool(self) -> bool:
        """Whether the cooldown of the model is over."""
        return self.opened is not None and self.clock.now >= self.opened + 10

    @rule(seconds=st.sampled_from([0.5, 4.0, 6.0, 10.0]))
    def passes(self, seconds: float) -> None:
        """Time passes."""
        self.clock.now += seconds

    @rule(ok=st.booleans())
    def whole_call(self, ok: bool) -> None:
        """A call is refused or runs to its end."""
        if not self.admits():
            with pytest.raises(ConnectorCircuitOpenError):
                asyncio_free(self.breaker, ok)
            return
        if ok:
            asyncio_free(self.breaker, True)
        else:
            with pytest.raises(Boom):
                asyncio_free(self.breaker, False)
        self.settle(ok)

    @precondition(lambda self: self.opened is not None)
    @rule()
    def probe_begins(self) -> None:
        """`can_proceed` gives the place away once."""
        admitted = self.admits()
        assert self.breaker.can_proceed() is admitted
        if admitted:
            self.probe = self.clock.now
            assert not self.breaker.can_proceed()

    @precondition(lambda self: self.probe is not None)
    @rule(ok=st.booleans())
    def probe_ends(self, ok: bool) -> None:
        """The outcome of a probe counts."""
        if ok:
            self.breaker.record_success()
        else:
            self.breaker.record_failure()
        self.settle(ok)

    @rule()
    def reset(self) -> None:
        """All is forgotten."""
        self.breaker.reset()
        self.failures = self.successes = 0
        self.opened = self.probe = None
        self.half = False

    def admits(self) -> bool:
        """Whether the model lets a call pass; that may begin the half-open state."""
        if self.opened is None:
            return True
        if not self.cool():
            return False
        self.half = True
        return self.probe is None or self.clock.now >= self.probe + 10

    def settle(self, ok: bool) -> None:
        """Count an outcome in the model."""
        self.probe = None
        if self.opened is None:
            self.failures = 0 if ok else self.failures + 1
            if self.failures == 3:
                self.opened, self.successes = self.clock.now, 0
        elif not ok:
            self.opened, self.half, self.successes = self.clock.now, False, 0
        else:
            self.successes += 1
            if self.successes == 2:
                self.opened, self.half, self.failures = None, False, 0

    @invariant()
    def same_state(self) -> None:
        """Both say the same."""
        expected = (
            CircuitState.CLOSED
            if self.opened is None
            else CircuitState.HALF_OPEN
            if self.half or self.cool()
            else CircuitState.OPEN
        )
        assert self.breaker.current_state is expected
        assert self.breaker.is_open is (expected is CircuitState.OPEN)
        assert self.breaker.is_closed is (expected is CircuitState.CLOSED)
        if expected is CircuitState.OPEN:
            assert self.opened is not None
            assert self.breaker.cooldown_remaining() == self.opened + 10 - self.clock.now


def asyncio_free(breaker: CircuitBreaker, ok: bool) -> None:
    """Call something through the breaker without an event loop."""
    with breaker.guard():
        if not ok:
            fail()


TestBreaker = Breaker.TestCase
TestBreaker.pytestmark = [  # type: ignore[attr-defined]
    pytest.mark.inventory(
        "S3-CB-02",
        "S3-CB-03",
        "S3-CB-04",
        "S4-CB-01",
        "S4-CB-02",
        "S4-CB-06",
        "S4-CB-08",
        "R-20",
    )
]


@pytest.mark.inventory("S4-CB-03", "S4-CB-06", "S4-CB-09", "S4-CB-10")
@given(
    threshold=st.integers(1, 4),
    successes=st.integers(1, 3),
    steps=st.lists(st.one_of(st.booleans(), st.just("wait")), max_size=40),
)
def test_it_does_what_pybreaker_does(
    threshold: int, successes: int, steps: list[bool | str]
) -> None:
    """For any sequence of calls; pybreaker asks the wall clock, which is set by hand here."""
    clock = Clock()
    ours = CircuitBreaker(CircuitBreakerConfig(threshold, 30.0, successes), clock=clock)
    theirs = pybreaker.CircuitBreaker(threshold, 30, success_threshold=successes)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            pybreaker,
            "datetime",
            SimpleNamespace(now=lambda _zone=None: start + timedelta(seconds=clock.now)),
        )
        for step in steps:
            if step == "wait":
                clock.now += 31
                continue
            outcomes = [_outcome(theirs.call, step), _outcome(_guarded(ours), step)]
            assert outcomes[0] == outcomes[1]
            state = ours.current_state.value.replace("_", "-")
            assert theirs.current_state == state


def _guarded(breaker: CircuitBreaker) -> Any:
    return lambda function: breaker(function)()


def _outcome(call: Any, ok: bool | str) -> str:
    """Call through a breaker; pybreaker tells of the opening instead of the failure itself."""
    ran = []

    def function() -> None:
        ran.append(True)
        if not ok:
            fail()

    try:
        call(function)
    except Boom:
        return "failed"
    except (pybreaker.CircuitBreakerError, ConnectorCircuitOpenError):
        return "failed" if ran else "refused"
    return "succeeded"


@pytest.mark.inventory("S4-CB-01", "S4-CB-02", "S4-CB-03", "S4-CB-04", "S4-CB-05")
def test_the_defaults_are_those_of_the_seed() -> None:
    """And what makes no sense is refused."""
    config = CircuitBreakerConfig()
    assert (config.failure_threshold, config.recovery_timeout) == (5, 60.0)
    assert (config.success_threshold, config.count_timeouts_as_failures) == (2, True)
    assert config.failure_status_codes == [500, 502, 503, 504]
    for options in ({"failure_threshold": 0}, {"success_threshold": 0}, {"recovery_timeout": -1}):
        with pytest.raises(ConnectorConfigError) as caught:
            CircuitBreakerConfig(**options)  # type: ignore[arg-type]
        assert caught.value.field == next(iter(options))


@pytest.mark.inventory("S3-CB-05", "S4-CB-07", "S4-CB-12", "S4-TRB-03")
def test_an_open_circuit_refuses_at_once() -> None:
    """The function is not called, and the error says for how long."""
    clock = Clock()
    breaker = CircuitBreaker(CircuitBreakerConfig(3, 30.0), clock=clock)
    for _ in range(3):
        with pytest.raises(Boom):
            asyncio.run(breaker.call(fail))
    clock.now += 12.34
    with pytest.raises(
        ConnectorCircuitOpenError, match=r"^Circuit open, 17\.7s remaining"
    ) as caught:
        asyncio.run(breaker.call(pytest.fail, "must not be called"))
    assert caught.value.cooldown_remaining == pytest.approx(17.66)
    assert "raise `failure_threshold`" in caught.value.remedy
    assert breaker.opens == 1


@pytest.mark.inventory("S4-CB-11", "S4-CB-12")
def test_it_decorates_functions_of_both_kinds() -> None:
    """Arguments, results and names pass, and what fails counts."""
    breaker = CircuitBreaker()
    counting = CircuitBreaker(CircuitBreakerConfig(2))

    @breaker
    async def slow(word: str, *, mark: str) -> str:
        return word + mark

    @breaker
    def quick(word: str) -> str:
        return word

    assert asyncio.run(slow("a", mark="b")) == "ab"
    assert quick("c") == "c"
    assert (slow.__name__, quick.__name__) == ("slow", "quick")
    assert asyncio.run(breaker.call(slow, "a", mark="c")) == "ac"

    @counting
    async def failing() -> None:
        fail()

    with pytest.raises(Boom):
        asyncio.run(failing())
    with pytest.raises(Boom):
        counting(fail)()
    assert counting.is_open


@pytest.mark.inventory("S4-CB-04", "S4-CB-05", "R-51")
@pytest.mark.parametrize(
    ("error", "trips"),
    [
        *((ConnectorAPIError("x", status_code=code), True) for code in (500, 502, 503, 504)),
        *((ConnectorAPIError("x", status_code=code), False) for code in (404, 422, 501)),
        (ConnectorRateLimitError("x"), False),
        (ConnectorAuthError("x"), False),
        (ConnectorParseError("x"), False),
        (ConnectorNetworkError("x"), True),
        (ConnectorTimeoutError("x"), True),
        (TimeoutError(), True),
        (ConnectorError("x"), True),
        (RetryExhaustedError(3, ConnectorNetworkError("x")), True),
        (RetryExhaustedError(3, ConnectorRateLimitError("x")), False),
        (asyncio.CancelledError(), False),
    ],
)
def test_which_errors_open_the_circuit(error: BaseException, trips: bool) -> None:
    """Those that say that the service does not work; timeouts only if they shall."""
    for counted in (True, False):
        config = CircuitBreakerConfig(1, count_timeouts_as_failures=counted)
        breaker = CircuitBreaker(config)
        with pytest.raises(type(error)), breaker.guard():
            raise error
        assert breaker.is_open is (trips and (counted or not isinstance(error, TimeoutError)))


@pytest.mark.inventory("S4-CB-13", "S4-CB-04")
def test_a_status_can_be_reported_by_hand() -> None:
    """One that says nothing of the service opens nothing."""
    breaker = CircuitBreaker(CircuitBreakerConfig(1))
    breaker.record_failure(status_code=429)
    assert breaker.is_closed
    breaker.record_failure(status_code=503)
    assert breaker.is_open
    assert not breaker.can_proceed()
    breaker.reset()
    assert breaker.can_proceed()


def test_a_cancelled_probe_gives_its_place_back_and_a_late_one_does_not_count() -> None:
    """Neither can keep the circuit half open for ever, or close it."""
    clock = Clock()
    breaker = CircuitBreaker(CircuitBreakerConfig(1, 10, 1), clock=clock)
    breaker.record_failure()
    clock.now += 10
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    late = breaker.guard()
    late.__enter__()
    clock.now += 10
    with pytest.raises(Boom), breaker.guard():
        fail()
    clock.now += 10
    late.__exit__(None, None, None)
    assert breaker.current_state is CircuitState.HALF_OPEN


@pytest.mark.inventory("S3-CB-01")
def test_one_name_is_one_breaker() -> None:
    """In every thread; a second configuration for it is refused."""
    session = Session()
    found: list[CircuitBreaker] = []
    threads = [
        threading.Thread(target=lambda: found.append(session.circuit_breaker("stripe_api")))
        for _ in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 32
    assert len({id(breaker) for breaker in found}) == 1
    assert session.circuit_breaker("other") is not found[0]
    with pytest.raises(ConnectorConfigError, match="`stripe_api` exists already"):
        session.circuit_breaker("stripe_api", CircuitBreakerConfig(1))
    assert get_circuit_breaker("test") is get_circuit_breaker("test")
