"""The parsers of all commands, for what is made of them: completions, the manual, the reference."""

import argparse
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

from osiris_lsp.cli import COMMANDS
from osiris_lsp.cli.terminal import Parser

_PACKAGE: Final = "osiris_lsp.cli"


class Command(NamedTuple):
    """A command: `("connections", "doctor")`, what it is for in a line, and its parser."""

    names: tuple[str, ...]
    about: str
    parser: Parser


def commands() -> Iterator[Command]:
    """Yield every command that has options, in the order of the help."""
    yield from _below((), COMMANDS)


def _below(names: tuple[str, ...], listed: Mapping[str, str]) -> Iterator[Command]:
    for name, about in listed.items():
        module = import_module(".".join((_PACKAGE, *names, name)))
        if hasattr(module, "parser"):
            yield Command((*names, name), about, module.parser())
        else:
            yield from _below((*names, name), module.COMMANDS)


def tree(program: str, names: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return one parser of a program with all its commands as sub-parsers."""
    root = argparse.ArgumentParser(prog=program)
    groups: dict[tuple[str, ...], Any] = {(): root.add_subparsers(dest="command")}
    for command in commands():
        if command.names[0] not in names:
            continue
        *above, name = command.names
        for depth in range(1, len(above) + 1):
            path = tuple(above[:depth])
            if path not in groups:
                about = COMMANDS[path[0]]
                group = groups[path[:-1]].add_parser(path[-1], help=about)
                groups[path] = group.add_subparsers(dest="command")
        groups[tuple(above)].add_parser(
            name,
            help=command.about,
            description=command.parser.description,
            parents=[command.parser],
            add_help=False,
        )
    return root
