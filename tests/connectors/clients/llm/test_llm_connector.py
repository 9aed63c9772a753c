"""Calls of models against llmock, and what they tell about themselves."""

import ast
import inspect
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import osiris_lsp
from osiris_lsp.connectors import ConnectorConfigError, LLMConnector, llm_connector
from osiris_lsp.connectors.clients.llm.tiers import suggested_tier
from tests.connectors.clients.llm.conftest import MESSAGES, WEATHER, Caller, Double, Llmock
from tests.connectors.clients.llm.talk import answer
from tests.connectors.resilience.virtual import Clock
from tests.doubles.messages import CANARY, as_json
from tests.doubles.openai import API_KEY

PACKAGE = Path(osiris_lsp.__file__).parent


@pytest.mark.inventory("S0-LLM-01")
def test_only_this_package_imports_the_library() -> None:
    """And only when a call is made: it takes most of a second."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            if any(name.partition(".")[0] == "openai" for name in names):
                found.add(path.parent.relative_to(PACKAGE).as_posix())
    assert found == {"connectors/clients/llm"}
    code = (
        "import sys; from osiris_lsp.connectors import llm_connector, LLMConnector; "
        "sys.exit('openai' in sys.modules or 'httpx2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.inventory("S0-LLM-13", "S0-LLM-14", "S0-LLM-15", "S0-LLM-16", "S0-LLM-12")
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("check_connection", "context"),
        ("complete", "messages context llm_params model_tier"),
        ("stream", "messages context llm_params"),
        ("complete_with_tools", "messages tools context llm_params"),
        ("create_embedding", "texts context llm_params"),
    ],
)
def test_signatures(name: str, parameters: str) -> None:
    """As the seed calls them."""
    function = getattr(llm_connector, name)
    assert list(inspect.signature(function).parameters) == parameters.split()


@pytest.mark.inventory("S0-LLM-01", "S0-LLM-13", "S0-LLM-17", "S0-CTX-01")
def test_the_variables_of_the_process(mock: Llmock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions of the module need nothing but the context."""
    from osiris_lsp.connectors import create_context

    monkeypatch.setenv("AUTH_METHOD", "api_key")
    monkeypatch.setenv("API_KEY", API_KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{mock.url}/v1/")
    context = create_context()
    found = llm_connector.complete(MESSAGES, context, model_tier="low")
    assert found.content
    assert found.finish_reason == "stop"
    assert found.metrics.execution_id == context["execution_id"]
    assert found.metrics.cost is not None


@pytest.mark.inventory("S0-LLM-13", "S0-CFG-05", "S0-CFG-06", "S0-LLM-04", "S0-LLM-05", "S0-LLM-06")
@pytest.mark.inventory("R-38", "S0-PERF-04")
@pytest.mark.parametrize(
    ("tier", "model"),
    [
        ("low", "gpt-4o-mini"),
        ("small", "gpt-4o-mini"),
        ("Medium", "gpt-4o-mini-2024-07-18"),
        ("high", "gpt-4o-2025-01-09"),
        ("large", "gpt-4o-2025-01-09"),
        (None, "gpt-4o-mini"),
    ],
)
def test_what_is_asked(double: Double, tier: str | None, model: str) -> None:
    """The model of the tier, the defaults of the variables, the credential."""
    double.server.always(answer())
    double.connector().complete(MESSAGES, double.context(), None, tier)
    request = double.server.requests[0]
    assert request.json() == {
        "model": model,
        "messages": MESSAGES,
        "temperature": 0.7,
        "max_tokens": 2000,
    }
    assert request.bearer == API_KEY
    assert "OpenAI-Organization" not in request.headers


@pytest.mark.inventory("S0-LLM-04", "S0-LLM-05", "S0-LLM-06", "S0-CFG-05", "S0-CFG-06", "R-38")
def test_what_overrides(double: Double) -> None:
    """Parameters of the call go before variables, a model before a tier; None is left out."""
    double.server.always(answer())
    connector = double.connector(
        DEFAULT_TEMPERATURE="0", DEFAULT_MAX_TOKENS="5", LLM_MODEL_HIGH="gpt-x"
    )
    context = double.context()
    connector.complete(MESSAGES, context, None, "high")
    connector.complete(MESSAGES, context, {"model": "m", "temperature": 1, "top_p": 0.5}, "low")
    params = {"temperature": None, "max_completion_tokens": 7, "model_tier": "medium"}
    connector.complete(MESSAGES, context, params)
    other = LLMConnector(connector._environment, models={"low": "mine"}, session=double.session)
    other.complete(MESSAGES, context, {"max_tokens": 1}, "low")
    asked = [request.json() | {"messages": None} for request in double.server.requests]
    common = {"messages": None}
    assert asked == [
        common | {"model": "gpt-x", "temperature": 0, "max_tokens": 5},
        common | {"model": "m", "temperature": 1, "top_p": 0.5, "max_tokens": 5},
        common | {"model": "gpt-4o-mini-2024-07-18", "max_completion_tokens": 7},
        common | {"model": "mine", "temperature": 0, "max_tokens": 1},
    ]


@pytest.mark.inventory("S0-PERF-04")
def test_a_tier_by_the_size_of_the_question() -> None:
    """A short question is cheap; the dear one is never chosen."""
    long = [{"role": "user", "content": "x" * 4001}]
    assert [
        suggested_tier(MESSAGES),
        suggested_tier(MESSAGES, tools=True),
        suggested_tier(long),
        suggested_tier([{"role": "assistant", "content": None}]),
    ] == ["low", "medium", "medium", "low"]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda api, context: api.complete([], context), "messages"),
        (lambda api, context: api.complete(MESSAGES, context, None, "huge"), "model_tier"),
        (lambda api, context: api.complete(MESSAGES, context, {"stream": True}), "llm_params"),
        (lambda api, context: api.complete(MESSAGES, context, {"wrong": True}), "llm_params"),
        (lambda api, context: api.complete_with_tools(MESSAGES, [], context), "tools"),
        (lambda api, context: api.create_embedding([], context), "texts"),
        (lambda api, context: api.create_embedding(["a", ""], context), "texts"),
    ],
)
def test_what_cannot_be_asked(double: Double, call: Any, field: str) -> None:
    """Nothing is sent, and what is wrong is named."""
    context = double.context()
    with pytest.raises(ConnectorConfigError) as caught:
        call(double.connector(), context)
    assert caught.value.field == field
    assert double.server.requests == []


@pytest.mark.inventory("S0-LLM-09", "S0-LLM-15")
def test_tools(caller: Caller) -> None:
    """The model asks for a function, gets its result and answers."""
    connector, context = caller.connector(), caller.context()
    found = connector.complete_with_tools(MESSAGES, [WEATHER], context)
    assert found.finish_reason == "tool_calls"
    call = found.tool_calls[0]
    assert (call.name, list(call.arguments)) == ("get_weather", ["city"])
    asked = {
        "role": "assistant",
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": '{"city": "Brno"}'},
            }
        ],
    }
    result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    found = connector.complete_with_tools([*MESSAGES, asked, result], [WEATHER], context)
    assert (found.finish_reason, found.tool_calls) == ("stop", ())
    assert found.content


@pytest.mark.inventory("S0-LLM-10", "S0-LLM-16")
def test_embeddings(caller: Caller, double: Double) -> None:
    """One text or several, in their order, whatever the order of the server."""
    connector, context = caller.connector(), caller.context()
    one = connector.create_embedding("a", context)
    several = connector.create_embedding(["a", "b", "c"], context)
    assert [len(vector) for vector in one.vectors] == [1536]
    assert [len(vector) for vector in several.vectors] == [1536] * 3
    assert one.metrics.model == "text-embedding-3-small"
    data = [{"object": "embedding", "index": i, "embedding": [float(i)]} for i in (2, 0, 1)]
    usage = {"prompt_tokens": 100_000, "total_tokens": 100_000}
    body = {"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage}
    double.server.always(as_json(200, body))
    mixed = double.connector().create_embedding(["a", "b", "c"], double.context())
    assert mixed.vectors == ((0.0,), (1.0,), (2.0,))
    assert (mixed.metrics.cost, mixed.metrics.completion_tokens) == (0.002, 0)
    assert double.server.requests[0].json()["model"] == "text-embedding-3-small"


class Stepping(Clock):
    """A clock on which a second passes whenever it is looked at."""

    def __call__(self) -> float:
        """Return the time, and let some pass."""
        self.now += 1.0
        return self.now


@pytest.mark.inventory("S0-LLM-03", "S0-LLM-07", "S0-LLM-17", "S0-LLM-18", "S0-LLM-19", "S0-LLM-20")
@pytest.mark.inventory("S0-CTX-02", "S0-TEST-04")
def test_metrics_and_their_record(double: Double, caplog: pytest.LogCaptureFixture) -> None:
    """Tokens, cost and time, in the result and in one record; no prompt, no answer, no key."""
    caplog.set_level(logging.DEBUG)
    double.clock = Stepping()
    double.server.always(answer("the c0ntent"))
    context = double.context()
    found = double.connector().complete(MESSAGES, context)
    metrics = found.metrics
    assert (metrics.prompt_tokens, metrics.completion_tokens, metrics.total_tokens) == (
        1000,
        100,
        1100,
    )
    assert (metrics.input_cost, metrics.output_cost, metrics.cost) == (0.00015, 0.00006, 0.00021)
    assert (metrics.response_time, metrics.currency) == (1.0, "USD")
    records = [record for record in caplog.records if record.name.startswith("osiris_lsp")]
    assert len(records) == 1
    fields = vars(records[0])
    assert {name: fields[name] for name in ("execution_id", "operation", "model", "tokens")} == {
        "execution_id": context["execution_id"],
        "operation": "complete",
        "model": "gpt-4o-mini-2024-07-18",
        "tokens": {"prompt": 1000, "completion": 100, "cached": 0, "total": 1100},
    }
    assert (fields["cost"], fields["response_time"], fields["currency"]) == (0.00021, 1.0, "USD")
    everything = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    for secret in ("pr0mpt", "c0ntent", CANARY):
        assert secret not in everything + repr(found)


@pytest.mark.inventory("S0-LLM-02", "S0-PERF-01", "R-25")
def test_clients_are_shared(double: Double) -> None:
    """By equal configurations, over one connection; another key, URL, TLS or timeout gets one."""
    double.server.always(answer())
    context = double.context()
    client = double.connector().client(context)
    for _ in range(5):
        connector = double.connector()
        connector.complete(MESSAGES, context)
        assert connector.client(double.context()) is client
    assert double.server.connections == 1
    others = [
        double.connector().client(double.context(auth_config={"token": "another"})),
        double.connector(OPENAI_BASE_URL="http://localhost:1/v1").client(context),
        double.connector().client(double.context(ssl_config={"verify": False})),
        double.connector(OPENAI_TIMEOUT="5").client(context),
    ]
    assert len({id(found) for found in (client, *others)}) == 5
    double.session.close_all("llm")
    assert double.connector().client(context) is not client


@pytest.mark.inventory("S0-LLM-11", "S0-CTX-01")
@pytest.mark.parametrize("name", ["execution_id", "auth_config", "ssl_config"])
def test_a_context_that_is_not_complete(double: Double, name: str) -> None:
    """Every function names the key that is missing."""
    connector = double.connector()
    context = {key: value for key, value in double.context().items() if key != name}
    for call in (
        lambda: connector.check_connection(context),
        lambda: connector.complete(MESSAGES, context),
        lambda: connector.stream(MESSAGES, context),
        lambda: connector.complete_with_tools(MESSAGES, [WEATHER], context),
        lambda: connector.create_embedding("a", context),
    ):
        with pytest.raises(ConnectorConfigError, match=f"the context has no `{name}`"):
            call()
