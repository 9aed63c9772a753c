"""`osiris-lsp cache`: where results are kept, and removing them."""

import argparse
from collections.abc import Sequence
from typing import Final

from osiris_lsp import cache
from osiris_lsp.cli import UsageError
from osiris_lsp.cli.terminal import Parser
from osiris_lsp.text import printable

_EPILOG: Final = """\
examples:
  osiris-lsp cache dir      the folder in which `osiris-lsp lint` keeps results
  osiris-lsp cache clean    remove them; the next run looks at every file

Results are kept by the text of files, settings and version, without any line of a file. Old ones
make room. `osiris-lsp lint --no-cache` does without. Results of `--check-env`, of the doctor, of
fixes and of the formats sarif and html are never kept.

exit codes:
  0  done        2  usage error, or a file that cannot be removed
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(
        prog="osiris-lsp cache",
        description="Show or empty the folder in which results of earlier runs are kept.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("action", choices=("dir", "clean"), metavar="ACTION", help="dir or clean")
    return made


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp cache` and return its exit code."""
    args = parser().parse_args(argv)
    folder = cache.folder()
    if args.action == "dir":
        print(printable(folder))
        return 0
    try:
        removed = cache.clean()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"{printable(folder)} cannot be emptied: {reason}") from error
    print(f"{removed} file{'' if removed == 1 else 's'} removed from {printable(folder)}")
    return 0
