"""What is asked of a model: the parameters of a request."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from osiris_lsp.connectors.clients.llm.tiers import model_of, suggested_tier
from osiris_lsp.connectors.environment.config import Environment
from osiris_lsp.connectors.errors import ConnectorConfigError

Messages = Sequence[Mapping[str, Any]]
Params = Mapping[str, Any]

_OURS: Final = frozenset(
    ("messages", "tools", "stream", "stream_options", "input", "timeout", "extra_headers", "n")
)
"""What `llm_params` cannot hold, for the functions set it."""


def conversation(
    messages: Messages,
    llm_params: Params | None,
    model_tier: str | None,
    environment: Environment,
    models: Mapping[str, str],
    *,
    tools: bool = False,
) -> dict[str, Any]:
    """Return the parameters for a conversation, with defaults for what is not given.

    A parameter that is None is left out, and has no default either.
    """
    if not messages:
        raise ConnectorConfigError("`messages` is empty", field="messages", remedy="ask something")
    given = llm_params or {}
    params = parameters(llm_params)
    tier = params.pop("model_tier", None)
    if "model" not in params:
        tier = model_tier or tier or suggested_tier(messages, tools=tools)
        params["model"] = model_of(str(tier), models)
    if "temperature" not in given:
        params["temperature"] = environment.default_temperature
    if not {"max_tokens", "max_completion_tokens"} & given.keys():
        params["max_tokens"] = environment.default_max_tokens
    return {"messages": list(messages), **params}


def parameters(given: Params | None) -> dict[str, Any]:
    """Return `llm_params` without what is None; raises for what only the functions set."""
    params = {name: value for name, value in (given or {}).items() if value is not None}
    wrong = sorted(params.keys() & _OURS)
    if wrong:
        raise ConnectorConfigError(
            f"`llm_params` cannot hold `{wrong[0]}`",
            field="llm_params",
            remedy="the functions of the connector set it",
        )
    return params
