"""`make bench`: speed and memory of osiris-lsp beside its peers, measured in turns."""

import argparse
import compileall
import os
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import osiris_lsp
from tests.bench import editor, files, http, inputs, lint, secrets, sql, tools

EDITOR: Final = "editor"

ALONE: Final[Mapping[str, Callable[[argparse.Namespace], None]]] = {
    "http": lambda options: http.report(options.requests, options.runs),
    "sql": lambda options: sql.report(options.runs),
}
"""What is measured without the inputs of the linter."""

SECTIONS: Final = (*ALONE, files.NAME, secrets.NAME, EDITOR)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measure osiris-lsp lint beside other linters as whole processes, our language "
        "server beside yaml-language-server, and our clients beside what they stand on.",
        epilog='example: make bench BENCH_ARGS="--only editor pipeline-80 --peers none"',
    )
    parser.add_argument("--files", type=int, default=2000, help="small pipelines in the project")
    parser.add_argument("--runs", type=int, default=7, help="of each tool on each input")
    parser.add_argument(
        "--keystrokes", type=int, default=240, help="in each editor, for each input"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*SECTIONS, *inputs.NAMES, *inputs.BARE),
        help="these sections (`files`: the project, cold and warm, beside more tools; "
        "`secrets`: beside scanners), or these inputs of the linter; with `editor`: in the "
        "editor, and nowhere else",
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
    everything = (*SECTIONS, *inputs.NAMES, *inputs.BARE)
    only = set(options.only or everything)
    # pip compiled the peers when it installed them; an editable install is not compiled.
    compileall.compile_dir(str(Path(osiris_lsp.__file__).parent), quiet=2)
    print(
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    for name in [name for name in ALONE if name in only]:
        ALONE[name](options)
    if only <= ALONE.keys():
        return
    named = only.difference(SECTIONS)
    peers = options.peers == "all"
    with tempfile.TemporaryDirectory(prefix="osiris-lsp-bench-") as temporary:
        folder = Path(temporary)
        make = inputs.make_shared if options.inputs == "shared" else inputs.make_own
        make(folder / "raw", options.files)
        tools.write_schemas(folder)
        subjects = inputs.arrange(folder / "raw", folder / "inputs")
        if EDITOR not in only or not options.only:
            chosen = [subject for subject in subjects if subject.name in named]
            if chosen:
                lint.report(chosen, folder, options.runs, peers)
        if files.NAME in only:
            files.report(subjects[4], folder, folder / "scratch", options.runs, peers)
        if secrets.NAME in only:
            secrets.report(subjects[:4], options.runs, peers)
        if EDITOR in only:
            subjects = subjects[:4] + inputs.bare(folder / "raw", folder / "inputs")
            chosen = [subject for subject in subjects if not named or subject.name in named]
            editor.report(chosen, folder, options.keystrokes, peers)


if __name__ == "__main__":
    main()
