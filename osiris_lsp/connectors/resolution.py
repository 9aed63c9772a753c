"""From `@family.alias` to values: the connections file, variables, secret stores, types."""

import os
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from osiris_lsp.connectors.connection import METADATA, Origin, ResolvedConnection
from osiris_lsp.connectors.credentials import CredentialProvider, default_providers
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    CredentialError,
    InvalidReferenceError,
    UnknownAliasError,
    UnknownFamilyError,
)
from osiris_lsp.discovery import CONNECTIONS
from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.project import Project, open_project
from osiris_lsp.refs import Reference, Segment, has_variable, parse_reference, segments
from osiris_lsp.secret import Secret
from osiris_lsp.specs import Section, nearest
from osiris_lsp.tree import to_python

Missing = Literal["error", "empty", "keep"]
"""What an unset variable without default gives: an error, an empty text, or itself (R-03)."""

_TRUE: Final = frozenset(("true", "yes", "on", "1"))
_FALSE: Final = frozenset(("false", "no", "off", "0"))


def resolve(
    reference: str,
    connections_file: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> ResolvedConnection:
    """Return the connection that `@family.alias` or `@family` means.

    Raises ConnectorConfigError, which is a ValueError, and for an unknown family or alias also a
    KeyError.
    """
    return ConnectionResolver(connections_file, environment=environment).resolve(reference)


class ConnectionResolver:
    """The connections of a file, with variables from the environment and the `.env` beside it.

    Without a path the file is found as the linter finds it: OSIRIS_HOME, then the nearest folder
    upwards (R-55). The real environment wins over `.env`. `providers` maps `vault`, `aws-sm`,
    `keyring` and `file` to what serves `${vault:…}` and so on.
    """

    def __init__(
        self,
        connections_file: str | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        providers: Mapping[str, CredentialProvider] | None = None,
        missing: Missing = "error",
        project: Project | None = None,
    ) -> None:
        self.environment = os.environ if environment is None else environment
        self.missing = missing
        path = os.path.abspath(connections_file) if connections_file else None
        folder = os.path.dirname(path) if path else os.getcwd()
        home = self.environment.get("OSIRIS_HOME")
        self.project = project or open_project(folder, connections_file=path, home=home)
        found = path or self.project.connections_path(os.path.join(folder, CONNECTIONS[0]))
        if found is None:
            raise ConnectorConfigError(
                f"there is no `{CONNECTIONS[0]}` in {folder} or above",
                code="config.no_file",
                remedy="name the file with `--connections-file`, or run this inside the project",
            )
        self.path = found
        self.document = _document(self.project, found)
        self.providers = providers or default_providers(self.environment, os.path.dirname(found))

    @property
    def connections(self) -> Mapping[str, Mapping[str, Connection]]:
        """The connections by family, as it is spelt in the file, and alias."""
        found: dict[str, dict[str, Connection]] = {}
        for entry in self.document.connections:
            found.setdefault(entry.family.name, {})[entry.alias] = entry
        return found

    def find(self, reference: str) -> Connection:
        """Return the entry that a reference means (CONN-003, CONN-004); no value is resolved."""
        parsed = parse_reference(reference)
        if parsed is None:
            close = self.document.guess(reference)
            raise InvalidReferenceError(
                f"Invalid reference: {reference}",
                code="config.invalid_reference",
                field="connection",
                remedy=f"did you mean `{close}`?" if close else "write `@family.alias`",
            )
        known = self.document.of_family(parsed.family)
        if not known:
            close_family = nearest(parsed.family, self.connections)
            raise UnknownFamilyError(
                f"Unknown connection family: {parsed.family}",
                code="config.unknown_family",
                field="connection",
                remedy=_meant(close_family, "families", self.connections),
            )
        entry = self.document.resolve(parsed)
        if entry is None:
            raise self._no_alias(parsed, [item.alias for item in known])
        return entry

    def _no_alias(self, reference: Reference, aliases: list[str]) -> UnknownAliasError:
        if reference.alias is None:
            return UnknownAliasError(
                f"{reference} has no default connection",
                code="config.no_default",
                field="connection",
                remedy=f"mark one with `default: true` (aliases: {', '.join(aliases)})",
            )
        return UnknownAliasError(
            f"Unknown alias: {reference.alias} in {reference.family}",
            code="config.unknown_alias",
            field="connection",
            remedy=_meant(nearest(reference.alias, aliases), "aliases", aliases),
        )

    def resolve(self, reference: str) -> ResolvedConnection:
        """Return the connection that a reference means, with values (CONN-006)."""
        return self.values_of(self.find(reference))

    def values_of(self, entry: Connection) -> ResolvedConnection:
        """Return an entry with its variables substituted and its values converted."""
        if entry.node is None:
            raise ConnectorConfigError(
                f"{entry} has no fields", code="config.empty", remedy="add the fields of its family"
            )
        return _Substitution(self, entry).run()

    def variable(self, name: str) -> tuple[str, str] | None:
        """Return the value of a variable and its source (`environment`, `.env`), or None.

        One that is set but empty counts as missing (R-03).
        """
        value = self.environment.get(name)
        if value:
            return value, "environment"
        value = self.project.dotenv(self.path).get(name)
        return (value, ".env") if value else None

    def similar(self, name: str) -> str | None:
        """Return the variable that a misspelt one most likely means, or None."""
        return nearest(name, {*self.environment, *self.project.dotenv(self.path)})


def _meant(close: str | None, what: str, known: Any) -> str:
    listed = f"{what}: {', '.join(known)}"
    return f"did you mean `{close}`? ({listed})" if close else listed


def _document(project: Project, path: str) -> ConnectionsDocument:
    text, problem = project.read(path)
    if problem is not None:
        raise ConnectorConfigError(f"{path}: {problem[1]}", code="config.unreadable")
    document = ConnectionsDocument(path, text, project.families)
    for fault in document.tree.problems:
        if fault.rule not in ("unused-anchor", "multiple-documents", "duplicate-key"):
            at = document.tree.lines.position(fault.start)
            raise ConnectorConfigError(
                f"{path}:{at.line + 1}:{at.column + 1}: {fault.message}",
                code="config.syntax",
                remedy="`osiris-lsp lint` shows the place",
            )
    return document


def resolve_env_vars(
    value: str, environment: Mapping[str, str] | None = None, missing: Missing = "error"
) -> str:
    """Return a text with every `${NAME}` and `${NAME:-default}` replaced (CONN-002, R-04, R-05).

    `$${` gives `${`. Raises ConnectorConfigError for an unset variable unless `missing` says else.
    """
    known = os.environ if environment is None else environment
    pieces = []
    for piece in segments(value):
        text = value[piece.start : piece.end]
        if piece.kind == "literal":
            pieces.append(text.replace("$${", "${"))
        elif piece.kind != "variable":
            raise ConnectorConfigError(f"`${{…}}` cannot be read: {piece.reason or piece.kind}")
        elif known.get(piece.name):
            pieces.append(known[piece.name])
        elif piece.default is not None:
            pieces.append(value[slice(*piece.default)])
        elif missing == "error":
            raise ConnectorConfigError(f"`{piece.name}` is not set", code="config.env_missing")
        else:
            pieces.append("" if missing == "empty" else text)
    return "".join(pieces)


class _Substitution:
    """The resolution of one connection."""

    def __init__(self, resolver: ConnectionResolver, entry: Connection) -> None:
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
