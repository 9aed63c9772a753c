"""`osiris-lsp connections`, also `osiris connections`: the connections of a project."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

from osiris_lsp.cli import UsageError

COMMANDS: Final[Mapping[str, str]] = {
    "list": "list the connections, without secrets",
    "doctor": "check that they work, and say what to do where one does not",
    "show": "show one with the source of each value, secrets masked",
    "add": "add one to the file, asking for its fields",
    "trust": "allow editors and hooks to connect, or take that back",
}


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp connections COMMAND` and return its exit code."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        _help()
        return 0 if argv else 2
    if argv[0] not in COMMANDS:
        from osiris_lsp.specs import nearest

        close = nearest(argv[0], COMMANDS)
        hint = f"; did you mean `{close}`?" if close else ""
        names = ", ".join(COMMANDS)
        raise UsageError(f"`connections {argv[0]}` is no command{hint} (commands: {names})")
    code: int = import_module(f"osiris_lsp.cli.connections.{argv[0]}").run(argv[1:])
    return code


def _help() -> None:
    lines = ["usage: osiris-lsp connections COMMAND ...\n", "commands:"]
    lines += [f"  {name:<9}{text}" for name, text in COMMANDS.items()]
    lines += [
        "",
        "examples:",
        "  osiris connections list                    what there is",
        "  osiris connections doctor                  check all of them",
        "  osiris connections doctor @mysql.default   check one",
        "  osiris connections add postgres            add one",
        "",
        "`osiris connections COMMAND --help` says more about a command.",
    ]
    print("\n".join(lines))
