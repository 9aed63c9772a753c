"""Rows as they go into JSON."""

import datetime
import decimal
import math
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import pandas

Row: TypeAlias = dict[str, Any]
Table: TypeAlias = "Mapping[str, Any] | Sequence[Mapping[str, Any]] | pandas.DataFrame"
"""One row, several, or a table of pandas."""


def records(data: Table) -> list[Row]:
    """Return rows whose values JSON can hold: times as ISO 8601, what is not there as null."""
    rows: Any = data
    if isinstance(data, Mapping):
        rows = [data]
    elif hasattr(rows, "to_dict"):
        whole = rows.astype(object)
        rows = whole.where(whole.notna(), None).to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, float) and math.isnan(value):
        return None  # JSON has no NaN
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value  # a number of numpy
