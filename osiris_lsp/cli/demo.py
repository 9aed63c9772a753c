"""`osiris-lsp demo`: lint the example project of the package, and check its connections."""

import argparse
import csv
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing

from osiris_lsp.cli import lint
from osiris_lsp.cli.connections import doctor
from osiris_lsp.cli.terminal import Parser

SOURCE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "demo")

EMBEDDED = ("@filesystem.exports", "@filesystem.reports", "@duckdb.warehouse", "@sqlite.shop")
"""The connections that need no server."""


_EPILOG = """\
examples:
  osiris-lsp demo              in a temporary folder
  osiris-lsp demo example      in a new folder of that name
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(
        prog="osiris-lsp demo",
        description="Lint an example project and check its connections, in a copy of your own.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "folder",
        nargs="?",
        metavar="FOLDER",
        help="where to copy it; default: a temporary folder",
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp demo`; exits with 0, for what it finds is the point."""
    args = parser().parse_args(argv)
    folder = args.folder or os.path.join(tempfile.mkdtemp(prefix="osiris-demo-"), "demo")
    try:
        shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    except FileExistsError:
        print(f"osiris-lsp: error: {folder} exists already; name a new folder", file=sys.stderr)
        return 2
    os.chdir(folder)
    _fill_database()
    print(f"The example project is in {os.getcwd()}\n$ osiris-lsp lint --statistics\n", flush=True)
    code = lint.run(["--statistics"])
    if code > 1:
        return code
    print(f"\n$ osiris connections doctor {' '.join(EMBEDDED)}\n", flush=True)
    code = doctor.run(EMBEDDED)
    if code > 1:
        return code
    print("\nNext: `osiris-lsp rule unknown-alias` explains a rule;")
    print(f"      `osiris-lsp lint {os.getcwd()} --diff --unsafe-fixes` shows what fixes do")
    return 0


def _fill_database() -> None:
    """Make the SQLite database of the shop from its nightly export."""
    with (
        closing(sqlite3.connect(os.path.join("data", "shop.sqlite"))) as database,
        open(os.path.join("data", "orders.csv"), encoding="utf-8", newline="") as file,
    ):
        head, *rows = csv.reader(file)
        database.execute(f"CREATE TABLE orders ({', '.join(head)})")
        marks = ", ".join("?" for _ in head)
        database.executemany(f"INSERT INTO orders VALUES ({marks})", rows)
        database.commit()
