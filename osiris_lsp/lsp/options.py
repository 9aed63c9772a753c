"""What a client can set: section `osiris`, by initializationOptions, pulled or changed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from osiris_lsp.specs import nearest


class Options(NamedTuple):
    """Settings of the editor; `debounce` is in milliseconds."""

    debounce: int = 150
    scope: Literal["openFiles", "workspace"] = "openFiles"
    on_hover: Literal["off", "cached", "live"] = "cached"
    timeout: float = 2.0


_KNOWN: Final[Mapping[str, tuple[str, tuple[Any, ...]]]] = {
    "lint.debounce": ("debounce", ()),
    "lint.scope": ("scope", ("openFiles", "workspace")),
    "doctor.onHover": ("on_hover", ("off", "cached", "live")),
    "doctor.timeout": ("timeout", ()),
}

# Of the client, not for us.
_FOREIGN: Final = frozenset(("path", "interpreter", "trace", "workspaceTrusted"))


def read(data: Any) -> tuple[Options, list[str]]:
    """Return the settings in `{"lint": {"debounce": 0}, …}`, and what is wrong with others."""
    found: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in _flat(data, ""):
        if key.partition(".")[0] in _FOREIGN:
            continue
        if key not in _KNOWN:
            close = nearest(key, _KNOWN)
            hint = f"; did you mean `osiris.{close}`?" if close else ""
            problems.append(f"`osiris.{key}` is no setting{hint}")
            continue
        name, allowed = _KNOWN[key]
        if allowed:
            if value not in allowed:
                problems.append(f"`osiris.{key}` must be one of {', '.join(allowed)}")
                continue
        elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            problems.append(f"`osiris.{key}` must be a number from 0 on")
            continue
        found[name] = value
    return Options(**found), problems


def _flat(data: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(data, Mapping):
        return
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", value
