"""Measure, and print Markdown tables."""

import argparse
import compileall
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import osiris_lsp
from tests.bench import inputs, tools
from tests.bench.inputs import Input
from tests.bench.measure import Cost, own_peak, run

HEADER = (
    "| tool | wall min, ms | wall median, ms | CPU median, ms | peak RSS, MiB | wall / ours |\n"
    "|---|--:|--:|--:|--:|--:|"
)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measure osiris-lsp lint, yamllint and check-jsonschema as whole processes.",
        epilog='example: make bench BENCH_ARGS="--files 200 --runs 3 --only project"',
    )
    parser.add_argument("--files", type=int, default=2000, help="small pipelines in the project")
    parser.add_argument("--runs", type=int, default=5, help="runs of each tool, taken in turns")
    parser.add_argument("--only", nargs="+", choices=inputs.NAMES, default=inputs.NAMES)
    parser.add_argument("--inputs", choices=("own", "shared"), default="own")
    options = parser.parse_args(arguments)
    if options.files < 1 or options.runs < 1:
        parser.error("--files and --runs have to be at least 1")
    return options


def measure(
    commands: Mapping[str, tools.Command], subject: Input, runs: int
) -> Mapping[str, list[Cost]]:
    """Run the tools in turns, each round beginning with another one."""
    costs: dict[str, list[Cost]] = {tool: [] for tool in commands}
    order = list(commands)
    for number in range(runs):
        print(f"{subject.name}: run {number + 1} of {runs}", file=sys.stderr)
        for tool in order:
            costs[tool].append(run(commands[tool](subject), subject.folder))
        order.append(order.pop(0))
    return costs


def row(tool: str, costs: Sequence[Cost], ours: Sequence[Cost]) -> str:
    """One line of the table; the ratio is the median over the pairs of one round."""
    walls = [cost.wall * 1000 for cost in costs]
    cpu = statistics.median(cost.cpu * 1000 for cost in costs)
    ratio = statistics.median(a.wall / b.wall for a, b in zip(costs, ours, strict=True))
    return (
        f"| {tool} | {min(walls):,.0f} | {statistics.median(walls):,.0f} | {cpu:,.0f} "
        f"| {max(cost.rss for cost in costs):.0f} | {ratio:.2f} |"
    )


def report(subject: Input, commands: Mapping[str, tools.Command], runs: int) -> None:
    """Measure one input and print its table."""
    files = "1 file" if len(subject.files) == 1 else f"{len(subject.files):,} files"
    print(f"\n### {subject.name}: {files}, {subject.lines:,} lines\n")
    notes = {tool: tools.trial(tool, command, subject) for tool, command in commands.items()}
    if notes[tools.OURS]:
        raise SystemExit(f"error: {tools.OURS} failed on {subject.name}: {notes[tools.OURS]}")
    able = {tool: command for tool, command in commands.items() if not notes[tool]}
    costs = measure(able, subject, runs)
    print(HEADER)
    for tool in able:
        print(row(tool, costs[tool], costs[tools.OURS]))
    for tool, note in notes.items():
        if note:
            print(f"\n{tool} is left out, {note}")


def main() -> None:
    """Make the inputs in a temporary folder, measure and print."""
    options = parse()
    # pip compiled the peers when it installed them; an editable install is not compiled.
    compileall.compile_dir(str(Path(osiris_lsp.__file__).parent), quiet=2)
    versions = {tool: tools.installed(tool) for tool in tools.commands(Path())}
    print(
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}, {options.runs} runs in turns;",
        ", ".join(f"{tool} {version or 'not installed'}" for tool, version in versions.items()),
    )
    print(f"Memory below {own_peak():.0f} MiB, the benchmark's own, cannot be told apart.")
    with tempfile.TemporaryDirectory(prefix="osiris-lsp-bench-") as name:
        folder = Path(name)
        make = inputs.make_shared if options.inputs == "shared" else inputs.make_own
        make(folder / "raw", options.files)
        tools.write_schemas(folder)
        commands = {
            tool: command for tool, command in tools.commands(folder).items() if versions[tool]
        }
        for subject in inputs.arrange(folder / "raw", folder / "inputs"):
            if subject.name in options.only:
                report(subject, commands, options.runs)


if __name__ == "__main__":
    main()
