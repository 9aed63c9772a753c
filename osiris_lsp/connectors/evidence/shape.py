"""What answers of services look like: taken apart without trusting any of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from osiris_lsp.connectors.errors import ConnectorParseError


def part(body: Any, *path: str, where: str) -> Any:
    """Return what stands below these keys; raises ConnectorParseError where a key is missing."""
    for key in path:
        if not isinstance(body, Mapping) or key not in body:
            raise ConnectorParseError(
                f"`{where}` was answered with something else than expected: `{'.'.join(path)}` "
                "is not in it",
                code="answer.shape",
                stage="query",
                remedy="check that `base_url` leads to the API of the service",
            )
        body = body[key]
    return body


def items(body: Any, *path: str, where: str) -> Sequence[Mapping[str, Any]]:
    """Return the mappings of the list below these keys; raises ConnectorParseError for no list."""
    found = part(body, *path, where=where)
    if not isinstance(found, list):
        raise ConnectorParseError(
            f"`{where}` was answered with something else than a list", code="answer.shape"
        )
    return [item for item in found if isinstance(item, Mapping)]


def inner(item: Any, *path: str) -> Any:
    """Return what stands below these keys, or None where a key is missing."""
    for key in path:
        item = item.get(key) if isinstance(item, Mapping) else None
    return item


def text(item: Any, *path: str) -> str:
    """Return the text or number below these keys as text; empty where there is none."""
    found = inner(item, *path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return str(found).strip()


def number(item: Any, *path: str) -> int:
    """Return the whole number below these keys; 0 where there is none."""
    found = inner(item, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0
