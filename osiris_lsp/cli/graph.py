"""`osiris-lsp graph`: draw steps, what they need, and the connections that they use."""

import argparse
import os
import sys
from collections.abc import Sequence

from osiris_lsp.cli import UsageError
from osiris_lsp.cli.outputs import save
from osiris_lsp.cli.terminal import Parser
from osiris_lsp.discovery import find_root
from osiris_lsp.graph import FORMATS, build, writer
from osiris_lsp.project import Project, open_project
from osiris_lsp.text import printable

_EPILOG = """\
examples:
  osiris-lsp graph                                   the project of the current folder
  osiris-lsp graph pipelines/orders.yaml --format svg --output-file orders.svg
  osiris-lsp graph --format dot | dot -Tpng > project.png
  osiris-lsp graph --format json | jq '.edges[] | select(.problem != "")'

What is broken is red: references and steps that do not exist, circles, families that do not fit.
GitHub and GitLab draw the Mermaid text inside a ```mermaid block of Markdown.

exit codes:
  0  the graph is written                 2  usage or input error
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(
        prog="osiris-lsp graph",
        description="Draw the pipelines of a project and their connections.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("paths", nargs="*", metavar="PATH", help="pipelines and folders; default: the project")
    add("--format", choices=FORMATS, default="mermaid", help="default: mermaid")
    add("--output-file", metavar="FILE", help="write to a file instead of standard output")
    add("--connections-file", metavar="FILE", help="the connections file of the project")
    return made


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp graph` and return its exit code."""
    args = parser().parse_args(argv)
    graph = build(_groups(args))
    if not graph.nodes:
        print("osiris-lsp: note: no pipelines and no connections were found", file=sys.stderr)
    if args.output_file is None:
        writer(args.format)(sys.stdout, graph)
        return 0
    from io import StringIO

    text = StringIO()
    writer(args.format)(text, graph)
    save(args.output_file, text.getvalue())
    return 0


def _groups(args: argparse.Namespace) -> list[tuple[Project, list[str]]]:
    """Return the files of the command line with their projects."""
    connections = os.path.abspath(args.connections_file) if args.connections_file else None
    if connections is not None and not os.path.isfile(connections):
        raise UsageError(f"`--connections-file {args.connections_file}`: there is no such file")
    home = os.environ.get("OSIRIS_HOME")
    groups: dict[tuple[str, str | None], tuple[Project, list[str]]] = {}
    by_folder: dict[str, tuple[Project, list[str]]] = {}

    def group(folder: str, fallback: str | None = None) -> tuple[Project, list[str]]:
        if folder not in by_folder:
            project = open_project(
                folder,
                fallback=fallback,
                connections_file=connections,
                home=os.path.abspath(home) if home else None,
            )
            identity = (project.root, project.settings.path)
            by_folder[folder] = groups.setdefault(identity, (project, []))
        return by_folder[folder]

    for name in args.paths or [find_root(os.getcwd())]:
        path = os.path.abspath(name)
        if os.path.isdir(path):
            for file in group(path)[0].files(path):
                group(os.path.dirname(file), path)[1].append(file)
        elif os.path.isfile(path):
            group(os.path.dirname(path))[1].append(path)
        else:
            raise UsageError(f"there is no file `{printable(name)}`")
    return [(project, sorted(set(paths))) for project, paths in groups.values()]
