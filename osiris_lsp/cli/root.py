"""`osiris-lsp root`: whether an editor should start the server for a file, and in which folder."""

import argparse
import os
import sys
from collections.abc import Sequence

from osiris_lsp.cli import UsageError
from osiris_lsp.cli.terminal import Parser
from osiris_lsp.discovery import YAML_SUFFIXES, is_marked
from osiris_lsp.project import Project, open_project

_EPILOG = """\
examples:
  osiris-lsp root pipelines/orders.yaml        prints the folder; exit code 1: not ours
  osiris-lsp root --stdin orders.yaml < text   what an editor does: the text is not on disk yet
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(
        prog="osiris-lsp root",
        description="Print the root of a file's project if the file is ours; else exit with 1.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("file", metavar="FILE", help="a YAML file, or `.env`")
    made.add_argument("--stdin", action="store_true", help="its text is on standard input")
    return made


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp root` and return its exit code."""
    args = parser().parse_args(argv)
    path = os.path.abspath(args.file)
    if not args.stdin and not os.path.isfile(path):
        raise UsageError(f"`{args.file}` is no file; `--stdin` takes its text")
    overlay = {path: sys.stdin.buffer.read()} if args.stdin else {}
    project = open_project(
        os.path.dirname(path), overlay=overlay, home=os.environ.get("OSIRIS_HOME")
    )
    if not _is_ours(project, path):
        return 1
    print(project.root)
    return 0


def _is_ours(project: Project, path: str) -> bool:
    if os.path.basename(path) == ".env":
        return is_marked(project.root)
    if not path.endswith(YAML_SUFFIXES):
        return False
    # In a project of ours an empty file is one that is being started.
    text, problem = project.read(path)
    is_new = problem is None and not text.strip() and is_marked(project.root)
    return is_new or not project.is_foreign(path)
