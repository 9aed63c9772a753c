"""Measure, and print Markdown tables."""

import argparse
import compileall
import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path

import osiris_lsp
from tests.bench import editor, files, http, inputs, lint, tools

EDITOR = "editor"
HTTP = "http"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measure osiris-lsp lint, yamllint and check-jsonschema as whole processes, "
        "our language server beside yaml-language-server, and many files beside ruff and others.",
        epilog='example: make bench BENCH_ARGS="--only editor pipeline-80 --peers none"',
    )
    parser.add_argument("--files", type=int, default=2000, help="small pipelines in the project")
    parser.add_argument("--runs", type=int, default=5, help="runs of each tool, taken in turns")
    parser.add_argument(
        "--keystrokes", type=int, default=240, help="in each editor, for each input"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(EDITOR, HTTP, files.NAME, *inputs.NAMES, *inputs.BARE),
        help="these inputs; with `editor`: in the editor, and nowhere else; `http`: the client; "
        "`files`: the project, cold and warm, beside more tools",
    )
    parser.add_argument("--requests", type=int, default=3000, help="of the HTTP client")
    parser.add_argument("--peers", choices=("all", "none"), default="all")
    parser.add_argument("--inputs", choices=("own", "shared"), default="own")
    options = parser.parse_args(arguments)
    if min(options.files, options.runs, options.keystrokes, options.requests) < 1:
        parser.error("--files, --runs, --keystrokes and --requests have to be at least 1")
    return options


def main() -> None:
    """Make the inputs in a temporary folder, measure and print."""
    options = parse()
    only = set(options.only or (EDITOR, HTTP, files.NAME, *inputs.NAMES, *inputs.BARE))
    # pip compiled the peers when it installed them; an editable install is not compiled.
    compileall.compile_dir(str(Path(osiris_lsp.__file__).parent), quiet=2)
    print(
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    if HTTP in only:
        http.report(options.requests, options.runs)
    if only == {HTTP}:
        return
    with tempfile.TemporaryDirectory(prefix="osiris-lsp-bench-") as name:
        folder = Path(name)
        make = inputs.make_shared if options.inputs == "shared" else inputs.make_own
        make(folder / "raw", options.files)
        tools.write_schemas(folder)
        subjects = inputs.arrange(folder / "raw", folder / "inputs")
        peers = options.peers == "all"
        if EDITOR not in only or not options.only:
            chosen = [subject for subject in subjects if subject.name in only]
            if chosen:
                lint.report(chosen, folder, options.runs, peers)
        if files.NAME in only:
            files.report(subjects[4], folder, folder / "scratch", options.runs, peers)
        if EDITOR in only:
            subjects = subjects[:4] + inputs.bare(folder / "raw", folder / "inputs")
            chosen = [
                s for s in subjects if s.name in only or only - {HTTP, files.NAME} == {EDITOR}
            ]
            editor.report(chosen, folder, options.keystrokes, peers)


if __name__ == "__main__":
    main()
