"""`osiris-lsp version`: the version, and which `osiris` command is active."""

import argparse
import platform
from collections.abc import Sequence

from osiris_lsp import __version__
from osiris_lsp.cli.osiris import active
from osiris_lsp.cli.terminal import Parser

_EPILOG = """\
examples:
  osiris-lsp version           for a bug report
  osiris-lsp --version         the same
"""


def parser() -> Parser:
    """Return the parser of the command."""
    return Parser(
        prog="osiris-lsp version",
        description="Print the version, and which `osiris` command is active.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp version` and return its exit code."""
    parser().parse_args(argv)
    print(f"osiris-lsp {__version__} (Python {platform.python_version()})")
    print(active())
    return 0
