"""`osiris-lsp version`: the version, and which `osiris` command is active."""

import platform
from collections.abc import Sequence

from osiris_lsp import __version__
from osiris_lsp.cli.osiris import active
from osiris_lsp.cli.terminal import Parser


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp version` and return its exit code."""
    Parser(
        prog="osiris-lsp version",
        description="Print the version, and which `osiris` command is active.",
        allow_abbrev=False,
    ).parse_args(argv)
    print(f"osiris-lsp {__version__} (Python {platform.python_version()})")
    print(active())
    return 0
