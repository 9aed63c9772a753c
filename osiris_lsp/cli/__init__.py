"""The command line: `osiris-lsp COMMAND`; each command is a module, imported when it runs."""

import gc
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "lint": "check connections files, pipelines and component specs",
    "baseline": "list the findings of today, so that only new ones count",
    "graph": "draw pipelines and their connections",
    "cache": "show or empty the folder in which results are kept",
    "connections": "list, check, add, show and trust connections",
    "rule": "explain a rule, or list all of them",
    "schema": "print a JSON Schema for other tools",
    "server": "serve an editor (language server)",
    "root": "tell an editor whether a file is ours, and the root of its project",
    "completions": "print the completions for a shell",
    "demo": "lint an example project, and check its connections",
    "version": "print the version, and which `osiris` command is active",
}

_USAGE: Final = "usage: osiris-lsp [-h] [--version] COMMAND ..."


class UsageError(Exception):
    """Wrong use of the command line: one line for the user, exit code 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 nothing found, 1 findings, 2 usage, settings or input error, 3 a bug of ours.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    # A run makes many small objects and few cycles: the collector's usual pace only costs time.
    gc.set_threshold(50_000, 20, 50)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(args)
    except UsageError as error:
        print(f"osiris-lsp: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader went away, as `| head` does: nothing is left to say, not even at exit.
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # a bug of ours: one line, and a log without any text of a file
        from osiris_lsp.cli.crash import report, trace

        report([trace(args[0] if args else "", error)])
        return 3


def _run(args: list[str]) -> int:
    if not args or args[0] in ("-h", "--help", "help"):
        _help()
        return 0 if args else 2
    if args[0] in ("--version", "-V"):
        args[0] = "version"
    if args[0] not in COMMANDS:
        from osiris_lsp.specs import nearest

        close = nearest(args[0], COMMANDS)
        hint = f"; did you mean `{close}`?" if close else ""
        names = ", ".join(COMMANDS)
        raise UsageError(f"`{args[0]}` is no command{hint} (commands: {names})")
    code: int = import_module(f"osiris_lsp.cli.{args[0]}").run(args[1:])
    return code


def _help() -> None:
    lines = [
        f"{_USAGE}\n",
        "Check the connection and pipeline YAML of Osiris projects, and the connections.\n",
        "commands:",
    ]
    lines += [f"  {name:<13}{text}" for name, text in COMMANDS.items()]
    lines += [
        "",
        "examples:",
        "  osiris-lsp lint                    check the project of the current folder",
        "  osiris-lsp lint pipelines --fix    check a folder and repair what is safe to repair",
        "  osiris-lsp connections doctor      check that the connections work",
        "  osiris-lsp rule unknown-alias      what a rule means and what to do",
        "",
        "`osiris-lsp COMMAND --help` says more about a command.",
    ]
    print("\n".join(lines))
