"""`osiris-lsp completions`: what bash, zsh and fish need to complete the command line."""

import argparse
from collections.abc import Sequence
from typing import Final

from osiris_lsp.cli import COMMANDS
from osiris_lsp.cli.osiris import OWN
from osiris_lsp.cli.terminal import Parser

SHELLS: Final = ("bash", "zsh", "fish")

_EPILOG: Final = """\
examples:
  osiris-lsp completions bash > ~/.local/share/bash-completion/completions/osiris-lsp
  osiris-lsp completions zsh > ~/.zfunc/_osiris-lsp      with `fpath+=~/.zfunc` before `compinit`
  osiris-lsp completions fish > ~/.config/fish/completions/osiris-lsp.fish
  osiris-lsp completions fish --command osiris > ~/.config/fish/completions/osiris.fish
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(
        prog="osiris-lsp completions",
        description="Print the completions for a shell, which go where it looks for them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    made.add_argument(
        "--command",
        choices=("osiris-lsp", "osiris"),
        default="osiris-lsp",
        help="the command to complete; default: osiris-lsp",
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp completions` and return its exit code."""
    args = parser().parse_args(argv)
    print(script(args.shell, args.command), end="")
    return 0


def script(shell: str, command: str) -> str:
    """Return the completions of a command in the language of a shell."""
    import shtab

    from osiris_lsp.bundle import NAMES
    from osiris_lsp.cli.parsers import tree
    from osiris_lsp.rules import RULES
    from osiris_lsp.specs import schema_names

    names = tuple(RULES)
    codes = tuple(rule.code for rule in RULES.values())
    choices = {
        "CODE|NAME": (*names, *codes),
        "RULES": ("ALL", *names, *codes),
        "NAME": (*NAMES, *(f"families/{name}" for name in schema_names("families"))),
    }
    places = {"FILE": shtab.FILE, "PATH": shtab.FILE, "FOLDER": shtab.DIRECTORY}
    root = tree(command, COMMANDS if command == "osiris-lsp" else OWN)
    for action in _actions(root):
        metavar = str(action.metavar)
        if action.choices is None and metavar in choices and action.dest != "stdin_filename":
            action.choices = choices[metavar]
        elif metavar in places:
            action.complete = places[metavar]  # type: ignore[attr-defined]  # read by shtab
    text: str = shtab.complete(root, shell)
    return text if text.endswith("\n") else f"{text}\n"


def _actions(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    found = []
    for action in parser._actions:
        found.append(action)
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                found.extend(_actions(inner))
    return found
