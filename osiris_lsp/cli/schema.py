"""`osiris-lsp schema`: print a JSON Schema for yaml-language-server and others."""

import argparse
import json
from collections.abc import Sequence

from osiris_lsp.bundle import NAMES, bundle
from osiris_lsp.cli import UsageError
from osiris_lsp.cli.terminal import Parser
from osiris_lsp.specs import nearest, schema_names

_EPILOG = """\
examples:
  osiris-lsp schema connections > osiris-connections.schema.json
  osiris-lsp schema families/mysql
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(
        prog="osiris-lsp schema",
        description="Print a JSON Schema (2020-12) that stands on its own.",
        epilog=f"names: {', '.join(_names())}\n\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("name", metavar="NAME", help="which schema")
    return made


def _names() -> list[str]:
    return [*NAMES, *(f"families/{name}" for name in schema_names("families"))]


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp schema` and return its exit code."""
    args = parser().parse_args(argv)
    names = _names()
    if args.name not in names:
        close = nearest(args.name, names)
        hint = (
            f"; did you mean `{close}`?"
            if close
            else f" (schemas: {', '.join(NAMES)}, families/...)"
        )
        raise UsageError(f"`{args.name}` is no schema{hint}")
    print(json.dumps(bundle(args.name), indent=2, ensure_ascii=False))
    return 0
