"""All calls of models: completions, streams, tools and embeddings (S0-LLM).

The functions take what they need from the variables of the process and from the context; an
`LLMConnector` of one's own has its own variables, session, prices and clock.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from osiris_lsp.connectors.clients.llm.client import Call, Client
from osiris_lsp.connectors.clients.llm.failures import read
from osiris_lsp.connectors.clients.llm.prices import prices
from osiris_lsp.connectors.clients.llm.question import (
    Messages,
    Params,
    conversation,
    parameters,
)
from osiris_lsp.connectors.clients.llm.results import (
    Completion,
    Embedding,
    Metrics,
    ToolCall,
    measured,
)
from osiris_lsp.connectors.clients.llm.streaming import Stream
from osiris_lsp.connectors.clients.llm.tiers import model_of
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import with_replicas
from osiris_lsp.connectors.environment.certificates import tls_settings
from osiris_lsp.connectors.environment.config import Environment, config
from osiris_lsp.connectors.environment.context import Context, marked
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    ConnectorParseError,
)
from osiris_lsp.connectors.health import TIMEOUT, Check, Probe, examine
from osiris_lsp.connectors.resilience.retry import RetryConfig, RetryHandler
from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.connectors.session import DEFAULT, Session
from osiris_lsp.text import printable

Answer = TypeVar("Answer")

RETRY: Final = RetryConfig(
    max_retries=2,
    retry_status_codes=(408, 409, 429, 500, 502, 503, 504, 529),
    retry_on_timeout=False,  # a minute was enough
)
"""A call changes nothing, so it is made again also where the first may have arrived."""

_log = logging.getLogger(__name__)


class LLMConnector:
    """Calls models with clients that equal configurations share (R-25)."""

    def __init__(
        self,
        environment: Environment = config,
        *,
        models: Mapping[str, str] | None = None,
        session: Session = DEFAULT,
        retry: RetryConfig = RETRY,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._environment = environment
        self._models = models or {}
        self._session = session
        self._retry = RetryHandler(retry, sleep=sleep, chance=chance)
        self._clock = clock

    def check_connection(self, context: Mapping[str, Any]) -> DoctorResult:
        """Tell within 2 s whether calls would work; warns of tiers that the server lacks."""
        given = Context.of(context)

        def prepare(check: Check) -> Probe:
            from osiris_lsp.connectors.families.openai import CONNECTOR

            check.connection = self._connection(given)
            return with_replicas(CONNECTOR)

        result = examine(prepare, ("openai", "environment"), TIMEOUT)
        level = logging.INFO if result.ok else logging.WARNING
        extra = {"execution_id": given.execution_id, "category": result.category}
        _log.log(level, "llm check_connection: %s", result.message, extra=extra)
        return result

    def complete(
        self,
        messages: Messages,
        context: Mapping[str, Any],
        llm_params: Params | None = None,
        model_tier: str | None = None,
    ) -> Completion:
        """Return the answer to a conversation.

        `model_tier` is `low`, `medium` or `high`; without one it follows from the conversation
        (`suggested_tier`). `llm_params` holds parameters of the API, and `model` goes before tiers.
        """
        return self._completion("complete", messages, context, llm_params, model_tier)

    def complete_with_tools(
        self,
        messages: Messages,
        tools: Sequence[Mapping[str, Any]],
        context: Mapping[str, Any],
        llm_params: Params | None = None,
    ) -> Completion:
        """Return the answer to a conversation, or the functions that the model wants called."""
        if not tools:
            raise ConnectorConfigError("`tools` is empty", field="tools", remedy="use `complete`")
        return self._completion(
            "complete_with_tools", messages, context, llm_params, tools=list(tools)
        )

    def stream(
        self,
        messages: Messages,
        context: Mapping[str, Any],
        llm_params: Params | None = None,
    ) -> Stream:
        """Return the pieces of the answer as they come; `model_tier` stands in `llm_params`."""
        given = Context.of(context)
        with marked(_log, "stream", given.execution_id):
            request = self._request(messages, llm_params)
            create = self._create(request, stream=True, stream_options={"include_usage": True})
            measure = self._meter(given, request["model"])
            events = self._ask(given, "stream", create)
            timeout = self._environment.openai_timeout
            return Stream(events, self._session, timeout, given.execution_id, measure)

    def create_embedding(
        self,
        texts: str | Sequence[str],
        context: Mapping[str, Any],
        llm_params: Params | None = None,
    ) -> Embedding:
        """Return the vectors of texts in their order."""
        given = Context.of(context)
        with marked(_log, "create_embedding", given.execution_id):
            wanted = [texts] if isinstance(texts, str) else list(texts)
            if not wanted or not all(wanted):
                raise ConnectorConfigError(
                    "`texts` is empty, or one of them is", field="texts", remedy="leave it out"
                )
            params = parameters(llm_params)
            params.setdefault("model", self._environment.embedding_model)
            measure = self._meter(given, params["model"])
            answer = self._ask(
                given,
                "create_embedding",
                lambda client, headers: client.embeddings.create(
                    input=wanted, extra_headers=headers, **params
                ),
            )
            vectors = read("`llm.create_embedding`", lambda: _vectors(answer.data, len(wanted)))
            metrics = measure(answer.usage, answer.model)
            metrics.log(_log, "create_embedding")
            return Embedding(vectors, metrics)

    def client(self, context: Mapping[str, Any]) -> Client:
        """Return the client of a context: the same for equal credentials, TLS, URL and timeout."""
        return self._client(Context.of(context))

    def _client(self, given: Context) -> Client:
        tls, env = tls_settings(given.ssl_config), self._environment
        key = {
            "auth": given.auth.identity,
            "base_url": env.openai_base_url,
            "timeout": env.openai_timeout,
            "verify": tls.verify,
            "ca": tls.ca,
        }
        make = partial(Client, env.openai_base_url, env.openai_timeout, tls, self._session)
        return self._session.shared("llm", key, make)

    def _completion(
        self,
        operation: str,
        messages: Messages,
        context: Mapping[str, Any],
        llm_params: Params | None,
        model_tier: str | None = None,
        **more: Any,
    ) -> Completion:
        given = Context.of(context)
        with marked(_log, operation, given.execution_id):
            request = self._request(messages, llm_params, model_tier, tools="tools" in more)
            measure = self._meter(given, request["model"])
            answer = self._ask(given, operation, self._create(request, **more))
            content, reason, wanted = read(f"`llm.{operation}`", lambda: _said(answer.choices[0]))
            metrics = measure(answer.usage, answer.model)
            metrics.log(_log, operation)
            return Completion(content, reason, metrics, tuple(map(_tool_call, wanted)))

    def _request(
        self,
        messages: Messages,
        llm_params: Params | None,
        model_tier: str | None = None,
        *,
        tools: bool = False,
    ) -> dict[str, Any]:
        env = self._environment
        models = {**env.models, **self._models}
        return conversation(messages, llm_params, model_tier, env, models, tools=tools)

    def _create(self, request: Params, **more: Any) -> Call[Any]:
        return lambda client, headers: client.chat.completions.create(
            **request, **more, extra_headers=headers
        )

    def _ask(
        self,
        given: Context,
        operation: str,
        call: Call[Answer],
    ) -> Answer:
        client = self._client(given)  # in this thread: the library takes its time to import
        work = client.ask(given.auth, f"`llm.{operation}`", call, self._retry)
        return self._session.bridge.run(work)

    def _meter(self, given: Context, asked: str) -> Callable[[Any, Any], Metrics]:
        """Return what measures a call from now on; prices that cannot be used show before it."""
        known, begun = prices(self._environment.prices_file), self._clock()

        def measure(usage: Any, answered: Any) -> Metrics:
            models = (str(answered or ""), asked)
            return measured(usage, known, models, given.execution_id, self._clock() - begun)

        return measure

    def _connection(self, given: Context) -> ResolvedConnection:
        env, tls = self._environment, tls_settings(given.ssl_config)
        models = {**env.models, **self._models}
        values = {
            "api_key": self._session.bridge.run(given.auth.current()),
            "base_url": env.openai_base_url,
            "models": {tier: model_of(tier, models) for tier in ("low", "medium", "high")},
            "embedding_model": env.embedding_model,
            "verify": tls.verify,
        }
        return ResolvedConnection(
            "openai", "environment", {**values, **({"ssl_ca": tls.ca} if tls.ca else {})}
        )


def _said(choice: Any) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Return the text, why it ended, and the id, name and arguments of functions."""
    calls = [
        (str(call.id), str(call.function.name), str(call.function.arguments or "{}"))
        for call in choice.message.tool_calls or ()
    ]
    return str(choice.message.content or ""), str(choice.finish_reason or ""), calls


def _tool_call(call: tuple[str, str, str]) -> ToolCall:
    identity, name, arguments = call
    try:
        return ToolCall(identity, name, json.loads(arguments))
    except ValueError:
        pass
    raise ConnectorParseError(
        f"the model wants `{printable(name[:64])}` called with arguments that are no JSON",
        code="llm.tool_arguments",
        stage="query",
        remedy="try again, with a higher `max_tokens` if the answer was cut off",
        retryable=True,
    )


def _vectors(data: Any, count: int) -> tuple[tuple[float, ...], ...]:
    found = {int(entry.index): tuple(map(float, entry.embedding)) for entry in data}
    return tuple(found[number] for number in range(count))


_PROCESS: Final = LLMConnector()

check_connection = _PROCESS.check_connection
complete = _PROCESS.complete
complete_with_tools = _PROCESS.complete_with_tools
create_embedding = _PROCESS.create_embedding
stream = _PROCESS.stream
