"""Rows as a DataFrame of pandas, where pandas is there."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any


def framed(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
    """Return a DataFrame with the values as the driver gives them; without pandas, dicts (R-41)."""
    if find_spec("pandas") is None:
        return [dict(zip(columns, row, strict=True)) for row in rows]
    import pandas

    return pandas.DataFrame([tuple(row) for row in rows], columns=list(columns))
