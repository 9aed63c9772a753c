"""What tokens cost."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from osiris_lsp.connectors import ConnectorConfigError
from osiris_lsp.connectors.clients.llm.prices import Price, cost, prices
from osiris_lsp.connectors.clients.llm.results import measured
from osiris_lsp.connectors.clients.llm.tiers import MODELS


def price(given: str, made: str, cached: str | None = None) -> Price:
    """A price for one token."""
    return Price(Decimal(given), Decimal(made), Decimal(cached or given))


@pytest.mark.inventory("S0-LLM-03", "S0-LLM-19", "S0-TEST-04")
@pytest.mark.parametrize(
    ("found", "tokens", "expected"),
    [
        (price("0.001", "0.002"), (3, 5, 0), (0.003, 0.01, 0.013)),
        (price("0.001", "0.002"), (3, 0, 0), (0.003, 0.0, 0.003)),
        (price("0.001", "0.002", "0.0001"), (3, 0, 2), (0.0012, 0.0, 0.0012)),
        (price("0.0000005", "0.0000005"), (1, 1, 0), (0.000001, 0.000001, 0.000001)),
        (price("0.0000004", "0.0000004"), (1, 1, 0), (0.0, 0.0, 0.000001)),
        (price("0.00000015", "0.0000006"), (1_234_567, 7, 0), (0.185185, 0.000004, 0.185189)),
    ],
)
def test_costs(
    found: Price, tokens: tuple[int, int, int], expected: tuple[float, float, float]
) -> None:
    """Prompt and answer have prices of their own; sums are rounded once, to 6 decimals."""
    result = cost(found, *tokens)
    assert (result.input, result.output, result.total) == expected


@pytest.mark.inventory("S0-LLM-03", "R-38")
def test_our_prices_have_a_date() -> None:
    """And cover the models of all tiers, and later versions of a model."""
    ours = prices()
    assert date.fromisoformat(ours.date) >= date(2026, 1, 1)
    assert ours.source.startswith("https://")
    assert {*MODELS.values(), "text-embedding-3-small"} <= set(ours.models)
    assert ours.find("gpt-4o-mini-2099-01-01") == ours.models["gpt-4o-mini"]
    assert ours.find("llama3", "gpt-4o") == ours.models["gpt-4o"]
    assert ours.find("llama3") is None


def test_prices_of_a_user(tmp_path: Path) -> None:
    """They go before ours, a change of the file counts at once; other currencies stand alone."""
    file = tmp_path / "prices.toml"
    file.write_text(
        'per = 1000\n[models.gpt-4o-mini]\ninput = 1\noutput = 2\n[models."our/x"]\ninput = 3'
    )
    found = prices(str(file))
    assert found.models["gpt-4o-mini"] == price("0.001", "0.002")
    assert found.models["our/x"] == price("0.003", "0")
    assert "gpt-4o" in found.models
    file.write_text('currency = "EUR"\n[models.x]\ninput = 1')
    found = prices(str(file))
    assert (found.currency, list(found.models)) == ("EUR", ["x"])


@pytest.mark.parametrize(
    "text",
    ["no toml", "date = 1", "[models.x]\noutput = 1", "[models.x]\ninput = -1", "models = 1"],
)
def test_prices_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    """The variable is named."""
    file = tmp_path / "prices.toml"
    file.write_text(text)
    for path in (str(file), str(tmp_path / "missing")):
        with pytest.raises(ConnectorConfigError, match="write them as") as caught:
            prices(path)
        assert caught.value.field == "LLM_PRICES_FILE"


@pytest.mark.inventory("S0-LLM-03", "S0-LLM-17")
def test_usage_that_is_not_complete() -> None:
    """None counts as zero where there is usage at all; without it nothing is known."""
    usage = SimpleNamespace(prompt_tokens=1000, completion_tokens=None)
    found = measured(usage, prices(), ("gpt-4o", ""), "", 0.0)
    assert (found.completion_tokens, found.total_tokens, found.cost) == (0, 1000, 0.0025)
    details = SimpleNamespace(cached_tokens=400)
    usage = SimpleNamespace(prompt_tokens=1000, completion_tokens=0, prompt_tokens_details=details)
    assert measured(usage, prices(), ("gpt-4o", ""), "", 0.0).cost == 0.002
    unknown = measured(usage, prices(), ("llama3", "llama3"), "", 0.0)
    assert (unknown.total_tokens, unknown.cost) == (1000, None)
    nothing = measured(None, prices(), ("", "gpt-4o"), "", 0.0)
    assert (nothing.model, nothing.total_tokens, nothing.cost) == ("gpt-4o", None, None)
