"""`osiris-lsp connections list`: what a project can connect to (CONN-021)."""

import json
from collections.abc import Sequence
from typing import Any

from osiris_lsp.cli.connections.source import choose, command_parser, open_resolver
from osiris_lsp.cli.terminal import Parser
from osiris_lsp.connectors.display import public_fields, shown_fields, shown_reference
from osiris_lsp.connectors.resolution import ConnectionResolver
from osiris_lsp.documents import Connection
from osiris_lsp.text import printable

_EPILOG = """\
examples:
  osiris connections list --json               for programs
  osiris connections list --family mysql       one family

Secrets never show: only fields that the schema lists as public do.
"""


def parser() -> Parser:
    """Return the parser of the command."""
    options = command_parser("list", "List the connections of the project.", _EPILOG)
    options.add_argument("--family", metavar="F", help="only this family")
    options.add_argument("--json", action="store_true", help="a JSON array (CONN-021)")
    options.add_argument(
        "--full", action="store_true", help="with --json: all fields masked, and their variables"
    )
    return options


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp connections list` and return its exit code."""
    args = parser().parse_args(argv)
    resolver = open_resolver(args)
    entries = choose(resolver, family=args.family)
    if args.json:
        found = [_full(resolver, e) if args.full else public_fields(resolver, e) for e in entries]
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 0
    rows = [_row(resolver, entry) for entry in entries]
    wide = [max((len(row[at]) for row in rows), default=0) for at in range(2)]
    for name, title, rest in rows:
        print(f"{name:<{wide[0]}}  {title:<{wide[1]}}  {rest}".rstrip())
    if not rows:
        print("there are no connections yet; `osiris connections add FAMILY` makes one")
    return 0


def _row(resolver: ConnectionResolver, entry: Connection) -> tuple[str, str, str]:
    fields = public_fields(resolver, entry)
    shown = [
        f"{name}={printable(str(value))}"
        for name, value in fields.items()
        if name not in ("family", "alias", "default")
    ]
    if "default" in fields:
        shown.insert(0, "(default)")
    missing = _missing(resolver, entry)
    if missing:
        shown.append(f"not set: {', '.join(missing)}")
    title = entry.spec.title if entry.spec is not None else "unknown family"
    return shown_reference(resolver, entry), title, " ".join(shown)


def _missing(resolver: ConnectionResolver, entry: Connection) -> list[str]:
    """Return the variables that a connection needs and that have no value."""
    return [
        origin.name
        for field in shown_fields(resolver, entry)
        for origin in field.origins
        if origin.kind == "unset"
    ]


def _full(resolver: ConnectionResolver, entry: Connection) -> dict[str, Any]:
    fields = list(shown_fields(resolver, entry))
    variables = [o for field in fields for o in field.origins if o.kind in _VARIABLES]
    return {
        **public_fields(resolver, entry),
        "config": {field.name: field.value for field in fields},
        "env": {
            "set": sorted({item.name for item in variables if item.kind not in ("unset",)}),
            "missing": sorted({item.name for item in variables if item.kind == "unset"}),
        },
    }


_VARIABLES = ("environment", ".env", "default", "unset")
