"""`osiris-lsp connections show`: one connection, masked, with the source of each value."""

import json
from collections.abc import Sequence

from osiris_lsp.cli.connections.source import choose, command_parser, open_resolver
from osiris_lsp.cli.terminal import Parser
from osiris_lsp.connectors.connection import Origin
from osiris_lsp.connectors.display import shown_fields, shown_name, shown_reference
from osiris_lsp.reports.record import Recorder
from osiris_lsp.text import printable


def parser() -> Parser:
    """Return the parser of the command."""
    options = command_parser(
        "show",
        "Show a connection with the source of each value; secrets are masked.",
        "examples:\n  osiris connections show @mysql.default\n",
    )
    options.add_argument("reference", metavar="@REF", help="`@family.alias`, or `@family`")
    options.add_argument("--json", action="store_true", help="as JSON")
    return options


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp connections show` and return its exit code."""
    args = parser().parse_args(argv)
    resolver = open_resolver(args)
    (entry,) = choose(resolver, [args.reference])
    fields = list(shown_fields(resolver, entry))
    place, _ = Recorder(resolver.project).shown(resolver.document, entry.key.span)
    family, alias = shown_name(resolver, entry)
    if args.json:
        listed = [
            {
                "name": field.name,
                "value": field.value,
                "secret": field.secret,
                "sources": [{"kind": item.kind, "name": item.name} for item in field.origins],
            }
            for field in fields
        ]
        head = {"family": family, "alias": alias, "default": False}
        head.update(path=place.path, line=place.line)
        head["default"] = entry.default is not None
        print(json.dumps({**head, "fields": listed}, indent=2, ensure_ascii=False))
        return 0
    title = f", {entry.spec.title}" if entry.spec is not None else ""
    print(f"{shown_reference(resolver, entry)}{title} ({place.path}:{place.line})")
    names = max((len(field.name) for field in fields), default=0)
    values = max((len(field.value) for field in fields), default=0)
    for field in fields:
        source = ", ".join(dict.fromkeys(map(_source, field.origins)))
        shown = printable(field.value)
        print(f"  {field.name:<{names}}  {shown:<{min(values, 60)}}  {source}".rstrip())
    return 0


def _source(origin: Origin) -> str:
    if origin.kind == "literal":
        return "written here"
    if origin.kind == "environment":
        return f"${origin.name} from the environment"
    if origin.kind == ".env":
        return f"${origin.name} from .env"
    if origin.kind == "default":
        return f"${origin.name} is not set: its default"
    if origin.kind == "unset":
        return f"${origin.name} is NOT SET" if origin.name else "cannot be read"
    return f"{origin.kind}: {origin.name}"
