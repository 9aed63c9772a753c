"""Settings: `osiris-lsp.toml` or `[tool.osiris-lsp]` in `pyproject.toml`."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from osiris_lsp.finding import SEVERITIES, Severity
from osiris_lsp.specs import load_schema, nearest
from osiris_lsp.text import Span

Profile = Literal["contract", "osiris-runtime"]
FailOn = Literal["error", "warning", "info", "hint", "never"]

PROFILES: Final = ("contract", "osiris-runtime")


class Settings(NamedTuple):
    """Settings of a project; `path` is their file, None when the defaults hold.

    Globs have the syntax of `.gitignore` and are relative to `folder`.
    """

    path: str | None = None
    folder: str = ""
    profile: Profile = "contract"
    select: tuple[str, ...] = ("ALL",)
    ignore: tuple[str, ...] = ()
    severity: tuple[tuple[str, Severity], ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    connections_file: str | None = None
    check_env: bool = False
    families: tuple[str, ...] = ()
    fail_on: FailOn = "warning"
    force_exclude: bool = False
    baseline: str | None = None


class SettingsProblem(NamedTuple):
    """Something in a settings file that cannot be used, and where."""

    path: str
    span: Span
    message: str


def load_settings(path: str, text: str) -> tuple[Settings, list[SettingsProblem]]:
    """Read settings from the text of their file; what cannot be used is left at its default."""
    import tomllib

    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        return Settings(), [SettingsProblem(path, *_toml_error(text, str(error)))]
    except RecursionError:
        return Settings(), [SettingsProblem(path, Span(0, 0), "this TOML is nested too deeply")]
    prefix = ""
    if os.path.basename(path) == "pyproject.toml":
        tool = data.get("tool")
        data = tool.get("osiris-lsp", {}) if isinstance(tool, dict) else {}
        prefix = "tool.osiris-lsp"
        if not isinstance(data, dict):
            span = _find(text, "osiris-lsp")
            return Settings(), [SettingsProblem(path, span, "`tool.osiris-lsp` must be a table")]
    problems: list[SettingsProblem] = []
    values = _read(path, text, data, prefix, problems)
    return Settings(path=path, folder=os.path.dirname(path), **values), problems


def _toml_error(text: str, message: str) -> tuple[Span, str]:
    """Return where a TOML error lies and what it says."""
    match = re.search(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)", message)
    at = len(text)
    if match:
        message = message[: match.start()]
        if match[1]:
            lines = text.splitlines(keepends=True)
            at = sum(map(len, lines[: int(match[1]) - 1])) + int(match[2]) - 1
    said = message[:1].lower() + message[1:]
    return Span(min(at, len(text)), min(at + 1, len(text))), f"this is not valid TOML: {said}"


def _find(text: str, *keys: str) -> Span:
    """Return the range of the last of nested keys; of the first mention of the word."""
    at = 0
    span = Span(0, 0)
    for key in keys:
        match = re.compile(
            rf"""(?m)(?:^|[\[.\s{{,"'])({re.escape(key)})["']?\s*(?:=|\]|\.)"""
        ).search(text, at)
        if match is None:
            break
        span = Span(*match.span(1))
        at = match.end(1)
    return span


def _read(
    path: str, text: str, data: Mapping[str, Any], prefix: str, problems: list[SettingsProblem]
) -> dict[str, Any]:
    properties = load_schema("settings")["properties"]
    values: dict[str, Any] = {}
    folded = {}
    for key, value in data.items():
        name = key.replace("_", "-")
        span = _find(text, *([prefix.rpartition(".")[2]] if prefix else []), key)
        if name not in properties:
            close = nearest(name, properties)
            hint = f"; did you mean `{close}`?" if close else ""
            problems.append(SettingsProblem(path, span, f"`{key}` is no setting{hint}"))
            continue
        problem = _problem(name, value, properties[name])
        if problem:
            problems.append(SettingsProblem(path, span, problem))
            continue
        folded[name] = value
    for name, value in folded.items():
        field = name.replace("-", "_")
        if name in ("extend-select", "extend-ignore"):
            continue
        if name == "severity":
            values[field] = tuple(sorted(value.items()))
        elif name == "per-file-ignores":
            values[field] = tuple((glob, tuple(rules)) for glob, rules in value.items())
        elif isinstance(value, list):
            values[field] = tuple(value)
        else:
            values[field] = value
    for name in ("select", "ignore"):
        extra = tuple(folded.get(f"extend-{name}", ()))
        if extra:
            default = ("ALL",) if name == "select" else ()
            values[name] = (*values.get(name, default), *extra)
    return values


def _problem(name: str, value: object, schema: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the value of a setting, or None."""
    options = schema.get("enum")
    if options is not None:
        if value in options:
            return None
        listed = ", ".join(f"`{option}`" for option in options)
        return f"`{name}` must be one of {listed}"
    kind = schema.get("type")
    if kind == "boolean" and not isinstance(value, bool):
        return f"`{name}` must be true or false"
    if kind == "string" and not isinstance(value, str):
        return f"`{name}` must be a string"
    if kind == "array" and not _is_strings(value):
        return f"`{name}` must be a list of strings"
    if kind == "object":
        if not isinstance(value, dict):
            return f"`{name}` must be a table"
        if name == "severity":
            for rule, level in value.items():
                if level not in SEVERITIES:
                    listed = ", ".join(f"`{item}`" for item in SEVERITIES)
                    return f"the severity of `{rule}` must be one of {listed}"
        elif not all(map(_is_strings, value.values())):
            return f"each entry of `{name}` must be a list of strings"
    return None


def _is_strings(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(item, str) for item in value)
    )
