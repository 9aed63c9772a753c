"""What calls of a model come to."""

import logging
from dataclasses import dataclass, field
from typing import Any

from osiris_lsp.connectors.clients.llm.prices import Prices, cost


@dataclass(frozen=True)
class Metrics:
    """What a call took; None where the server did not say, or the model has no price.

    `response_time` is in seconds, with further attempts. Costs are rounded to 6 decimals.
    """

    execution_id: str
    model: str
    response_time: float
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int = 0
    input_cost: float | None = None
    output_cost: float | None = None
    cost: float | None = None
    currency: str = "USD"

    @property
    def total_tokens(self) -> int | None:
        """The tokens of prompt and answer."""
        if self.prompt_tokens is None:
            return None
        return self.prompt_tokens + (self.completion_tokens or 0)

    def log(self, log: logging.Logger, operation: str) -> None:
        """Write one record with everything as fields; no text of the conversation is in it."""
        log.info(
            "llm %s: %s, %s tokens, %s %s, %.3f s",
            operation,
            self.model,
            self.total_tokens,
            self.cost,
            self.currency,
            self.response_time,
            extra={
                "execution_id": self.execution_id,
                "operation": operation,
                "model": self.model,
                "tokens": {
                    "prompt": self.prompt_tokens,
                    "completion": self.completion_tokens,
                    "cached": self.cached_tokens,
                    "total": self.total_tokens,
                },
                "input_cost": self.input_cost,
                "output_cost": self.output_cost,
                "cost": self.cost,
                "currency": self.currency,
                "response_time": self.response_time,
            },
        )


@dataclass(frozen=True)
class ToolCall:
    """A function that the model wants called; `arguments` is what its JSON says."""

    id: str
    name: str
    arguments: Any = field(repr=False)


@dataclass(frozen=True)
class Completion:
    """An answer; `finish_reason` is `stop`, `length`, `tool_calls` or `content_filter`."""

    content: str = field(repr=False)
    finish_reason: str
    metrics: Metrics
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class Embedding:
    """Vectors in the order of the texts."""

    vectors: tuple[tuple[float, ...], ...] = field(repr=False)
    metrics: Metrics


def measured(
    usage: Any, prices: Prices, models: tuple[str, str], execution_id: str, response_time: float
) -> Metrics:
    """Return the metrics of a call; `models` are the one that answered and the one asked for.

    `usage` is the object of that name in the answer, or None.
    """
    answered, asked = models
    known: dict[str, Any] = {"currency": prices.currency}
    if usage is not None:
        prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        details = getattr(usage, "prompt_tokens_details", None)
        cached = min(_count(details, "cached_tokens"), prompt)
        known |= {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "cached_tokens": cached,
        }
        price = prices.find(answered, asked)
        if price is not None:
            found = cost(price, prompt, completion, cached)
            known |= {"input_cost": found.input, "output_cost": found.output, "cost": found.total}
    return Metrics(execution_id, answered or asked, response_time, **known)


def _count(usage: Any, name: str) -> int:
    value = getattr(usage, name, None)
    return value if isinstance(value, int) and value > 0 else 0
