"""`osiris-lsp demo`: lint the example project that ships with the package."""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence

from osiris_lsp.cli import lint
from osiris_lsp.cli.terminal import Parser

SOURCE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "demo")


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp demo`; exits with 0, for the findings are the point."""
    parser = Parser(
        prog="osiris-lsp demo",
        description="Lint an example project; a copy, so that you can change it.",
        allow_abbrev=False,
    )
    parser.add_argument("folder", nargs="?", help="where to copy it; default: a temporary folder")
    args = parser.parse_args(argv)
    folder = args.folder or os.path.join(tempfile.mkdtemp(prefix="osiris-demo-"), "demo")
    try:
        shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    except FileExistsError:
        print(f"osiris-lsp: error: {folder} exists already; name a new folder", file=sys.stderr)
        return 2
    os.chdir(folder)
    print(f"The example project is in {os.getcwd()}\n$ osiris-lsp lint --statistics\n", flush=True)
    code = lint.run(["--statistics"])
    if code > 1:
        return code
    print("\nNext: `osiris-lsp rule unknown-alias` explains a rule;")
    print(f"      `osiris-lsp lint {os.getcwd()} --diff --unsafe-fixes` shows what fixes do")
    return 0
