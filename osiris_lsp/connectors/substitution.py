"""The values of one connection: variables, references to secret stores, types."""

import os
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

from osiris_lsp.connectors.connection import METADATA, Origin, ResolvedConnection
from osiris_lsp.connectors.credentials import CredentialProvider
from osiris_lsp.connectors.errors import ConnectorConfigError, CredentialError
from osiris_lsp.documents import Connection
from osiris_lsp.refs import Segment, has_variable, segments
from osiris_lsp.secret import Secret
from osiris_lsp.specs import Section
from osiris_lsp.tree import to_python

_TRUE: Final = frozenset(("true", "yes", "on", "1"))
_FALSE: Final = frozenset(("false", "no", "off", "0"))


class Source(Protocol):
    """Where values come from; `missing` is `error`, `empty` or `keep`, as in `resolution`."""

    path: str
    missing: Literal["error", "empty", "keep"]
    providers: Mapping[str, CredentialProvider]

    def variable(self, name: str) -> tuple[str, str] | None:
        """Return the value of a variable and its source, or None."""

    def similar(self, name: str) -> str | None:
        """Return the variable that a misspelt one most likely means, or None."""


def substituted(source: Source, entry: Connection) -> ResolvedConnection:
    """Return a connection with its variables substituted and its values converted.

    Raises ConnectorConfigError, with the field that is to blame.
    """
    return _Substitution(source, entry).run()


class _Substitution:
    """The resolution of one connection."""

    def __init__(self, resolver: Source, entry: Connection) -> None:
        self.resolver = resolver
        self.entry = entry
        self.origins: dict[str, tuple[Origin, ...]] = {}
        self.stored: list[Secret] = []
        self.field = ""

    def run(self) -> ResolvedConnection:
        entry = self.entry
        section = entry.spec.section if entry.spec is not None else Section({})
        values = {}
        data = to_python(entry.node)
        for name, value in data.items() if isinstance(data, dict) else ():
            if name not in METADATA:
                self.field = name
                values[name] = self._value(value, section.fields.get(name, {}), section, name)
        port = section.fields.get("port", {}).get("default")
        if port is not None and values.get("host") and values.get("port") is None:
            values["port"] = port
        connection = ResolvedConnection(
            entry.family.canonical,
            entry.alias,
            values,
            spec=entry.spec,
            base=os.path.dirname(self.resolver.path),
            origins={section.spelling(name): origin for name, origin in self.origins.items()},
            more_secrets=tuple(self.stored),
        )
        _require(connection)
        return connection

    def _value(self, value: Any, schema: Any, section: Section, name: str) -> Any:
        schema = schema if isinstance(schema, Mapping) else {}
        if isinstance(value, str) and (has_variable(value)):
            return self._converted(self._text(value), schema)
        self.origins.setdefault(self.field, (Origin("literal"),))
        if isinstance(value, Mapping):
            inner = (section.inner.get(name) or [Section({})])[0]
            return {
                key: self._value(item, inner.fields.get(key, {}), inner, key)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._value(item, schema.get("items", {}), section, name) for item in value]
        self._check_type(value, schema)
        return value

    def _text(self, value: str) -> str:
        pieces = []
        for piece in segments(value):
            text = value[piece.start : piece.end]
            if piece.kind == "literal":
                pieces.append(text.replace("$${", "${"))
                self._note(Origin("literal"))
            elif piece.kind == "variable":
                pieces.append(self._variable(piece, value))
            elif piece.kind == "provider":
                pieces.append(self._stored(piece.name, text[3 + len(piece.name) : -1]))
            else:
                raise self._error(
                    f"a `${{…}}` in it cannot be read: {piece.reason or 'it is no variable'}",
                    "config.malformed_variable",
                    "write `${NAME}` or `${NAME:-default}`",
                )
        return "".join(pieces)

    def _note(self, origin: Origin) -> None:
        self.origins[self.field] = (*self.origins.get(self.field, ()), origin)

    def _variable(self, piece: Segment, value: str) -> str:
        found = self.resolver.variable(piece.name)
        if found is not None:
            self._note(Origin(found[1], piece.name))
            return found[0]
        if piece.default is not None:
            self._note(Origin("default", piece.name))
            return value[slice(*piece.default)]
        if self.resolver.missing != "error":
            self._note(Origin("unset", piece.name))
            return "" if self.resolver.missing == "empty" else value[piece.start : piece.end]
        close = self.resolver.similar(piece.name)
        hint = f"did you mean `{close}`? else " if close else ""
        folder = os.path.dirname(self.resolver.path)
        raise self._error(
            f"the variable `{piece.name}` is not set",
            "config.env_missing",
            f"{hint}set it in the environment or in {os.path.join(folder, '.env')}",
        )

    def _stored(self, provider: str, reference: str) -> str:
        try:
            found = self.resolver.providers[provider].get(reference)
        except CredentialError as error:
            error.field = error.field or self.field
            raise
        if found is None:
            raise self._error(
                f"`{provider}` has nothing under `{reference}`",
                "credential.missing",
                "check the name, or store the secret there",
            )
        self._note(Origin(provider, reference))
        self.stored.append(Secret(found))
        return found

    def _converted(self, text: str, schema: Mapping[str, Any]) -> Any:
        """Return a substituted text as its field's type (R-04)."""
        wanted = schema.get("type", "string")
        types = wanted if isinstance(wanted, list) else [wanted]
        stripped = text.strip()
        for kind in types:
            if kind == "string":
                return text
            if kind == "boolean" and stripped.lower() in _TRUE | _FALSE:
                return stripped.lower() in _TRUE
            if kind == "integer" and re.fullmatch(r"[+-]?\d+", stripped, re.ASCII):
                self._check_range(int(stripped), schema)
                return int(stripped)
            if kind == "number":
                try:
                    return float(stripped)
                except ValueError:
                    continue
        simple = [kind for kind in types if kind not in ("object", "array")]
        if not simple:
            return text
        raise self._error(
            f"what its variables give is no {' or '.join(simple)}",
            "config.type",
            "look at the values of the variables",
        )

    def _check_type(self, value: Any, schema: Mapping[str, Any]) -> None:
        wanted = schema.get("type")
        types = wanted if isinstance(wanted, list) else [wanted]
        if wanted is None or value is None or any(_is(value, kind) for kind in types):
            if _is(value, "integer"):
                self._check_range(value, schema)
            return
        kinds = {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}
        got = kinds.get(type(value).__name__, type(value).__name__)
        raise self._error(
            f"it must be {' or '.join(map(str, types))}, got {got}",
            "config.type",
            "`osiris-lsp lint --fix --unsafe-fixes` may repair it",
        )

    def _check_range(self, value: int, schema: Mapping[str, Any]) -> None:
        low, high = schema.get("minimum"), schema.get("maximum")
        if (low is not None and value < low) or (high is not None and value > high):
            raise self._error(f"{value} is not from {low} to {high}", "config.range", "")

    def _error(self, what: str, code: str, remedy: str) -> ConnectorConfigError:
        return ConnectorConfigError(
            f"field `{self.field}` of {self.entry}: {what}",
            code=code,
            field=self.field,
            remedy=remedy,
        )


def _is(value: Any, kind: object) -> bool:
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(
        value,
        {"string": str, "boolean": bool, "object": Mapping, "array": list}.get(str(kind), object),
    )


def _require(connection: ResolvedConnection) -> None:
    """Raise ConnectorConfigError where a field is missing that the family needs (CONN-007)."""
    if connection.spec is None:
        return
    for options in connection.spec.requirements:
        if any(all(connection.get(name) is not None for name in option) for option in options):
            continue
        started = [
            option for option in options if any(connection.get(name) is not None for name in option)
        ]
        option = (started or list(options))[0]
        missing = [name for name in option if connection.get(name) is None]
        others = [" and ".join(f"`{name}`" for name in other) for other in options]
        raise ConnectorConfigError(
            f"{connection.ref} lacks `{missing[0]}`",
            code="config.missing_field",
            field=missing[0],
            remedy=f"a {connection.family} connection needs {', or '.join(others)}",
        )
