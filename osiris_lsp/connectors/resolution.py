"""From `@family.alias` to values: the connections file, variables, secret stores, types."""

import os
from collections.abc import Mapping
from typing import Any, Literal

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.credentials import CredentialProvider, default_providers
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    InvalidReferenceError,
    UnknownAliasError,
    UnknownFamilyError,
)
from osiris_lsp.connectors.substitution import substituted
from osiris_lsp.discovery import CONNECTIONS
from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.project import Project, open_project
from osiris_lsp.refs import Reference, parse_reference, segments
from osiris_lsp.secret import Sieve
from osiris_lsp.specs import nearest

Missing = Literal["error", "empty", "keep"]
"""What an unset variable without default gives: an error, an empty text, or itself (R-03)."""


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
        return substituted(self, entry)

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
            message = Sieve(text, document.masked_spans).clean(fault.message)
            raise ConnectorConfigError(
                f"{path}:{at.line + 1}:{at.column + 1}: {message}",
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
