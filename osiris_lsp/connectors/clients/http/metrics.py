"""What a client has done so far."""

from dataclasses import dataclass


@dataclass
class ClientMetrics:
    """Counts of calls, and the times of answers in milliseconds.

    A call is one, however often it was tried; `total_retries` counts the other attempts, and
    `rate_limit_hits` the answers with 429.
    """

    total_requests: int = 0
    successful_requests: int = 0
    failed_requests: int = 0
    total_retries: int = 0
    rate_limit_hits: int = 0
    circuit_breaker_opens: int = 0
    answers: int = 0
    total_response_time_ms: float = 0.0
    min_response_time_ms: float = 0.0
    max_response_time_ms: float = 0.0

    @property
    def average_response_time_ms(self) -> float:
        """The mean of all answers; 0 before the first."""
        return self.total_response_time_ms / self.answers if self.answers else 0.0

    @property
    def success_rate(self) -> float:
        """The share of calls that succeeded; 0 before the first (S4-MET-05)."""
        return self.successful_requests / self.total_requests if self.total_requests else 0.0

    def answered(self, milliseconds: float) -> None:
        """Count an answer, whatever it says."""
        first = not self.answers
        self.answers += 1
        self.total_response_time_ms += milliseconds
        self.max_response_time_ms = max(self.max_response_time_ms, milliseconds)
        self.min_response_time_ms = (
            milliseconds if first else min(self.min_response_time_ms, milliseconds)
        )
