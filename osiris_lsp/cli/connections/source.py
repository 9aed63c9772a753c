"""What the commands for connections share: finding the file, and choosing from it."""

import argparse
import os
from collections.abc import Sequence
from typing import Any

from osiris_lsp.cli import UsageError
from osiris_lsp.cli.terminal import Parser
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.resolution import ConnectionResolver
from osiris_lsp.documents import Connection
from osiris_lsp.specs import nearest


def command_parser(command: str, description: str, epilog: str = "") -> Parser:
    """Return the parser of a command, with the option that names the file."""
    made = Parser(
        prog=f"osiris-lsp connections {command}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--connections-file", metavar="FILE", help="default: the project's")
    return made


def open_resolver(args: argparse.Namespace, **options: Any) -> ConnectionResolver:
    """Return the resolver of the connections file; raises UsageError where there is none."""
    path = args.connections_file
    if path is not None and not os.path.isfile(path):
        raise UsageError(f"`--connections-file {path}`: there is no such file")
    try:
        return ConnectionResolver(path, **options)
    except ConnectorConfigError as error:
        raise UsageError(str(error)) from error


def choose(
    resolver: ConnectionResolver,
    references: Sequence[str] = (),
    family: str | None = None,
    alias: str | None = None,
) -> list[Connection]:
    """Return the connections that are meant; raises UsageError for a name that there is not."""
    try:
        named = [resolver.find(reference) for reference in references]
    except ConnectorConfigError as error:
        raise UsageError(str(error)) from error
    if named:
        return named
    entries = list(resolver.document.connections)
    if family is not None:
        canonical = resolver.project.families.canonical(family)
        kept = [entry for entry in entries if entry.family.canonical == canonical]
        if not kept:
            raise UsageError(_unknown("family", family, {entry.family.name for entry in entries}))
        entries = kept
    if alias is not None:
        kept = [entry for entry in entries if entry.alias == alias]
        if not kept:
            raise UsageError(_unknown("alias", alias, {entry.alias for entry in entries}))
        entries = kept
    return entries


def _unknown(what: str, name: str, known: set[str]) -> str:
    close = nearest(name, known)
    hint = f"; did you mean `{close}`?" if close else ""
    listed = ", ".join(sorted(known)) or "none"
    return f"no connection has the {what} `{name}`{hint} (there is: {listed})"
