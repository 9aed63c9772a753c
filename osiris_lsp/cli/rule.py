"""`osiris-lsp rule`: explain a rule, or list all of them."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from osiris_lsp import ruledoc
from osiris_lsp.cli import UsageError
from osiris_lsp.cli.terminal import Parser, style
from osiris_lsp.reports.paint import paint, severity
from osiris_lsp.rules import RULES, Entry, find, load
from osiris_lsp.specs import nearest

_EPILOG = """\
examples:
  osiris-lsp rule unknown-alias
  osiris-lsp rule OSR219 --format markdown
  osiris-lsp rule --all
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(
        prog="osiris-lsp rule",
        description="Explain a rule, or list all of them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("rule", nargs="?", metavar="CODE|NAME", help="a rule")
    add("--all", action="store_true", help="every rule")
    made.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="default: text"
    )
    made.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="default: auto"
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp rule` and return its exit code."""
    args = parser().parse_args(argv)
    if bool(args.rule) == args.all:
        raise UsageError("name one rule, or give `--all`")
    entries = list(RULES.values()) if args.all else [_find(args.rule)]
    if args.format == "json":
        data = [_json(entry) for entry in entries]
        print(json.dumps(data if args.all else data[0], indent=2, ensure_ascii=False))
    elif args.format == "markdown":
        print(
            "\n".join(ruledoc.markdown(entry.name, load(entry.name)) for entry in entries), end=""
        )
    elif args.all:
        look = style(args.color, sys.stdout)
        for entry in entries:
            level = severity(entry.severity, look) + " " * (8 - len(entry.severity))
            summary = ruledoc.read(load(entry.name)).summary
            print(f"{paint(entry.code, 'bold', look)}  {level}{entry.name:<30}{summary}")
    else:
        _explain(entries[0], args.color)
    return 0


def _find(word: str) -> Entry:
    entry = find(word)
    if entry is None:
        names = [name for rule in RULES.values() for name in (rule.name, rule.code)]
        close = nearest(word, names)
        hint = f"; did you mean `{close}`?" if close else "; see `osiris-lsp rule --all`"
        raise UsageError(f"`{word}` is no rule{hint}")
    return entry


def _json(entry: Entry) -> Mapping[str, Any]:
    doc = ruledoc.read(load(entry.name))
    return {
        "code": entry.code,
        "name": entry.name,
        "severity": entry.severity,
        "kinds": list(entry.kinds),
        "source": entry.source,
        "summary": doc.summary,
        "why": doc.why,
        "example": dict(doc.example),
        "use_instead": dict(doc.instead),
        "fix": doc.fix,
    }


def _explain(entry: Entry, colour: str) -> None:
    look = style(colour, sys.stdout)
    doc = ruledoc.read(load(entry.name))
    print(f"{paint(entry.name, 'bold', look)} ({entry.code}, {severity(entry.severity, look)})\n")
    print(f"{doc.summary}\n")
    if doc.why:
        print(f"{doc.why}\n")
    for title, files in (("Example", doc.example), ("Use instead", doc.instead)):
        for name, body in files.items():
            print(paint(f"{title}: {name}", "bold", look))
            print("".join(f"    {line}\n" if line else "\n" for line in body.splitlines()))
    if doc.fix:
        print(f"{paint('Fix:', 'bold', look)} {doc.fix}\n")
    if entry.source:
        print(f"Source: {entry.source}")
    print(f"Silence: # osiris: ignore[{entry.code}] reason")
