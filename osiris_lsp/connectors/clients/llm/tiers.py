"""Which model answers: a name, a tier, or what the question asks for (R-38)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.text import printable

MODELS: Final[Mapping[str, str]] = {
    "low": "gpt-4o-mini",
    "medium": "gpt-4o-mini-2024-07-18",
    "high": "gpt-4o-2025-01-09",
}
"""The models of seed 000."""

ALIASES: Final[Mapping[str, str]] = {"small": "low", "large": "high"}

SIMPLE: Final = 4000
"""Characters up to which a conversation counts as a simple question."""


def suggested_tier(messages: Sequence[Mapping[str, Any]], *, tools: bool = False) -> str:
    """Return the tier for a conversation that names none (S0-PERF-04).

    `low` for up to 4000 characters without tools, else `medium`. `high` costs many times as much
    and is only used by name.
    """
    size = sum(len(str(message.get("content") or "")) for message in messages)
    return "medium" if tools or size > SIMPLE else "low"


def model_of(tier: str, models: Mapping[str, str]) -> str:
    """Return the model of a tier; raises ConnectorConfigError for one that does not exist."""
    name = tier.strip().lower()
    name = ALIASES.get(name, name)
    if name not in MODELS:
        raise ConnectorConfigError(
            f"`{printable(tier[:40])}` is no tier of models",
            code="llm.tier",
            field="model_tier",
            remedy=f"use one of `{'`, `'.join((*MODELS, *ALIASES))}`, or `model` in `llm_params`",
        )
    return models.get(name) or MODELS[name]
