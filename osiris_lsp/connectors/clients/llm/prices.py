"""What tokens cost: a dated file of prices, ours or a user's."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from osiris_lsp.connectors.errors import ConnectorConfigError

_DATED: Final = re.compile(r"-\d{4}-\d{2}-\d{2}$", re.ASCII)
_CENTS: Final = Decimal("0.000001")


@dataclass(frozen=True)
class Price:
    """What one token costs."""

    input: Decimal
    output: Decimal
    cached_input: Decimal


@dataclass(frozen=True)
class Cost:
    """What a call cost, each rounded to 6 decimals, half up."""

    input: float
    output: float
    total: float


@dataclass(frozen=True)
class Prices:
    """The prices of models; `date` and `source` say how far to trust them."""

    date: str
    source: str
    currency: str
    models: Mapping[str, Price]

    def find(self, *names: str) -> Price | None:
        """Return the price of the first name that has one; a dated name is one of its model."""
        for name in names:
            found = self.models.get(name) or self.models.get(_DATED.sub("", name))
            if found is not None:
                return found
        return None


def cost(price: Price, prompt: int, completion: int, cached: int = 0) -> Cost:
    """Return what tokens cost; `cached` of those of the prompt are cheaper."""
    given = price.input * (prompt - cached) + price.cached_input * cached
    made = price.output * completion
    return Cost(_rounded(given), _rounded(made), _rounded(given + made))


def prices(path: str = "") -> Prices:
    """Return our prices, those of a file before them; raises ConnectorConfigError."""
    if not path:
        return _read("", 0)
    try:
        return _read(path, os.stat(path).st_mtime_ns)
    except (OSError, ValueError, TypeError, AttributeError, KeyError, ArithmeticError) as error:
        raise ConnectorConfigError(
            f"the prices in {path} cannot be used: {type(error).__name__}",
            code="llm.prices",
            field="LLM_PRICES_FILE",
            remedy="write them as `[models.NAME]` with `input` and `output`, and `per`, `currency`",
        ) from None


@lru_cache(maxsize=8)
def _read(path: str, stamp: int) -> Prices:
    ours = (files("osiris_lsp.connectors.clients.llm") / "prices.toml").read_text(encoding="utf-8")
    found = _parsed(ours, "")
    if not path:
        return found
    with open(path, encoding="utf-8") as file:
        given = _parsed(file.read(), path)
    if given.currency != found.currency:
        return given  # sums of two currencies would mean nothing
    return Prices(given.date, given.source, given.currency, {**found.models, **given.models})


def _parsed(text: str, path: str) -> Prices:
    read = tomllib.loads(text, parse_float=Decimal)
    per = Decimal(read.get("per", 1_000_000))
    models = {name: _price(entry, per) for name, entry in read["models"].items()}
    return Prices(
        str(read.get("date", "")),
        str(read.get("source") or path),
        str(read.get("currency", "USD")),
        models,
    )


def _price(entry: Mapping[str, Any], per: Decimal) -> Price:
    given = Decimal(entry["input"])
    cached = Decimal(entry.get("cached_input", given))
    amounts = (given, Decimal(entry.get("output", 0)), cached)
    if not all(amount.is_finite() and amount >= 0 for amount in amounts):
        raise ValueError("a price is below 0")
    return Price(*(amount / per for amount in amounts))


def _rounded(amount: Decimal) -> float:
    return float(amount.quantize(_CENTS, ROUND_HALF_UP))
