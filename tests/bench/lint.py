"""The linters as whole processes: wall time, CPU time and peak memory of one run."""

import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench import tools
from tests.bench.inputs import Input
from tests.bench.measure import Cost, own_peak, run

HEADER = (
    "| tool | wall min, ms | wall median, ms | CPU median, ms | peak RSS, MiB | wall / ours |\n"
    "|---|--:|--:|--:|--:|--:|"
)


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


def report(subjects: Sequence[Input], schemas: Path, runs: int, peers: bool) -> None:
    """Measure the inputs and print a table of each."""
    commands = tools.commands(schemas)
    versions = {tool: tools.installed(tool) for tool in commands if peers or tool == tools.OURS}
    named = (f"{tool} {version or 'not installed'}" for tool, version in versions.items())
    print(f"Whole processes, {runs} runs in turns;", ", ".join(named))
    print(f"Memory below {own_peak():.0f} MiB, the benchmark's own, cannot be told apart.")
    able = {tool: commands[tool] for tool, version in versions.items() if version}
    for subject in subjects:
        report_input(subject, able, runs)


def report_input(subject: Input, commands: Mapping[str, tools.Command], runs: int) -> None:
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
