"""Values in the JSON of services."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorParseError
from osiris_lsp.secret import Secret

Data: TypeAlias = Mapping[str, Any]
"""An object of JSON."""

Value = TypeVar("Value")


def required(data: Data, name: str) -> Any:
    """Return a value that no answer is without; raises ConnectorParseError where it is not."""
    found = data.get(name)
    if found is None:
        raise ConnectorParseError(
            f"an answer lacks `{name}`", code="service.answer", stage="query", field="base_url"
        )
    return found


def listed(page: Data, name: str) -> list[dict[str, Any]]:
    """Return the objects of a page; none where the page does not name them."""
    found = page.get(name)
    if found is not None and not isinstance(found, list):
        raise ConnectorParseError(
            f"`{name}` of an answer is no list",
            code="service.answer",
            stage="query",
            field="base_url",
        )
    return [mapping(item) for item in found or ()]


def epoch(value: object, unit: float = 1.0) -> datetime | None:
    """Return the moment that a number of `unit` seconds since 1970 stands for, in UTC."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value * unit, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def moment(value: object) -> datetime | None:
    """Return the moment of a text in ISO 8601, in UTC where it names no zone."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def mapping(value: object) -> dict[str, Any]:
    """Return an object of JSON, empty for anything else."""
    return dict(value) if isinstance(value, Mapping) else {}


def hide(credentials: object, *names: str) -> None:
    """Turn plain fields of frozen credentials into `Secret`; the first must not be empty."""
    for name in names:
        value = getattr(credentials, name)
        if isinstance(value, str):
            object.__setattr__(credentials, name, Secret(value))
    if not getattr(credentials, names[0]):
        raise ConnectorConfigError(
            f"`{names[0]}` is missing",
            code="config.missing_field",
            field=names[0],
            remedy=f"give `{names[0]}`, and check that its environment variable is set",
        )
