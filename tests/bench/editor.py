"""The language servers: from a keystroke to its diagnostics, start and memory."""

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tests.bench import servers
from tests.bench.client import Client, Server
from tests.bench.inputs import NAMES, Input
from tests.bench.keystrokes import Draft, typed
from tests.bench.measure import cpu, rss
from tests.bench.tools import BIN, LINT, OURS

STARTS: Final = 5
WARM_UP: Final = 20
CHECK_EVERY: Final = 40
LOOP: Final = "a fixed loop, for the noise"
SEVERITIES: Final = ("", "error", "warning", "info", "hint")
HEADER: Final = (
    "| input | server | p50, ms | p95, ms | target p95 | max, ms | CPU p50, ms | CPU p95, ms "
    "| p50 / ours | p95 / ours | RSS, MiB | shown at the end |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)
METHOD: Final = (
    "From the write of a change until its diagnostics are read, over standard input and output; "
    "`osiris.lint.debounce` is 0. All servers get the same edits in turns, and each waits for the "
    f"one before; {WARM_UP} keystrokes before do not count. Each {CHECK_EVERY}th time and "
    "at the end ours show what a fresh lint of the same text finds, and what is pushed is pulled "
    "each time. CPU is that of all threads of the server until it answered; others on the machine "
    "disturb it less than the rest."
)
PEER_METHOD: Final = (
    f"{servers.PEER} {servers.VERSION} has the schemas that `osiris-lsp schema` prints, and no "
    "schema store. Its pause of 200 ms (`validationDelayMs`, a timer in its validationHandlers.js) "
    "is replaced by a call: nothing has to be subtracted. Its diagnostics carry no version: the "
    "first after a change count, and a second one would stop the run."
)
START_HEADER: Final = (
    "| server | start min, ms | start median, ms | target | RSS with a, MiB | target "
    "| d more, MiB | target |\n|---|--:|--:|--:|--:|--:|--:|--:|"
)


@dataclass
class Run:
    """One server on one input: wall and CPU seconds of each keystroke, memory in MiB."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rss: float = 0.0
    shown: Sequence[Any] = ()


def percentile(values: Sequence[float], share: float) -> float:
    """Return, in ms, what this share of the values, in seconds, does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1] * 1000


@contextmanager
def sessions(measured: Sequence[Server], folders: Sequence[Path]) -> Iterator[list[Client]]:
    """Start the servers, and end them whatever happens."""
    clients: list[Client] = []
    try:
        for server in measured:
            clients.append(Client(server, folders))
        yield clients
    finally:
        for client in clients:
            client.end()


def measure(measured: Sequence[Server], subject: Input, count: int) -> Mapping[str, Run]:
    """Type into all servers in turns, each keystroke beginning with another one."""
    path = subject.folder / subject.target
    uri = path.as_uri()
    draft = Draft(path.read_text(encoding="utf-8"))
    runs = {server.name: Run() for server in measured}
    loop = runs.setdefault(LOOP, Run())
    with sessions(measured, [subject.folder]) as clients:
        for client in clients:
            client.open(uri, draft.text)
        order = list(clients)
        for number, change in enumerate(islice(typed(draft), WARM_UP + count), 1 - WARM_UP):
            loop.wall.append(_spin())
            for client in order:
                run = runs[client.server.name]
                before = cpu(client.process.pid)
                seconds, run.shown = client.change(uri, change)
                run.wall.append(seconds)
                run.cpu.append(cpu(client.process.pid) - before)
            order.append(order.pop(0))
            ours = [run.shown for name, run in runs.items() if name.startswith(OURS)]
            if any(shown != ours[0] for shown in ours):
                _fail(subject, draft, "pushed and pulled diagnostics differ")
            if number % CHECK_EVERY == 0 or number == count:
                print(f"{subject.name}: keystroke {number} of {count}", file=sys.stderr)
                _check(subject, draft, ours[0])
        for client in clients:
            runs[client.server.name].rss = rss(client.process.pid)
    for run in runs.values():
        del run.wall[:WARM_UP], run.cpu[:WARM_UP]
    return runs


def _spin() -> float:
    """Return the seconds that a loop of always the same length takes."""
    began = time.perf_counter()
    sum(range(100_000))
    return time.perf_counter() - began


def _check(subject: Input, draft: Draft, shown: Sequence[Any]) -> None:
    """Compare what is shown with a fresh lint of the same text in a copy of the project."""
    copy = subject.folder.with_name(f"{subject.folder.name}-copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(subject.folder, copy)
    (copy / subject.target).write_text(draft.text, encoding="utf-8", newline="\n")
    done = subprocess.run(
        [str(BIN / OURS), *LINT, subject.target], cwd=copy, capture_output=True, check=True
    )
    shutil.rmtree(copy)
    expected = [
        (
            *(item[name] for name in ("line", "column", "end_line", "end_column")),
            *(item[name] for name in ("code", "severity", "message")),
        )
        for item in json.loads(done.stdout)["findings"]
        if item["path"] == subject.target
    ]
    found = [_plain(item) for item in shown]
    if sorted(found) != sorted(expected):
        missing, more = set(expected) - set(found), set(found) - set(expected)
        _fail(subject, draft, f"a fresh lint differs: it has {missing}, and not {more}")


def _plain(item: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a diagnostic as the shell has it (the inputs hold no wide characters)."""
    start, end = item["range"]["start"], item["range"]["end"]
    place = (start["line"], start["character"], end["line"], end["character"])
    rest = (item["code"], SEVERITIES[item["severity"]], item["message"])
    return (*(number + 1 for number in place), *rest)


def _fail(subject: Input, draft: Draft, what: str) -> None:
    path = Path(tempfile.gettempdir(), f"osiris-lsp-bench-{os.getpid()}.yaml")
    path.write_text(draft.text, encoding="utf-8")
    raise SystemExit(f"error: {subject.name}: {what}; the text is in `{path}`")


def report(subjects: Sequence[Input], schemas: Path, count: int, peers: bool) -> None:
    """Measure the inputs, then start and memory, and print the tables."""
    if not Path("/proc/self/schedstat").exists():
        print("\neditor: left out, memory and CPU time are read from /proc (Linux)")
        return
    measured = list(servers.ours())
    reason = servers.install_peer() if peers else "as asked"
    if reason is None:
        measured.append(servers.peer(schemas))
    print(f"\n### editor: keystroke to diagnostics, {count} keystrokes in turns\n\n{HEADER}")
    for subject in subjects:
        runs = measure(measured, subject, count)
        ours = runs[measured[0].name]
        target = 8 if subject.lines < 1000 else 25
        for name, run in runs.items():
            print(_row(subject, name, run, ours, target), flush=True)
    print(f"\n{METHOD}")
    print(f"\n{servers.PEER} is left out, {reason}" if reason else f"\n{PEER_METHOD}")
    by_name = {subject.name: subject for subject in subjects}
    if by_name.keys() >= {NAMES[0], NAMES[3]}:
        report_start(measured, by_name[NAMES[0]], by_name[NAMES[3]])


def _row(subject: Input, name: str, run: Run, ours: Run, target: int) -> str:
    p50, p95 = percentile(run.wall, 0.5), percentile(run.wall, 0.95)
    cells = [subject.name, name, f"{p50:.1f}", f"{p95:.1f}"]
    cells.append(_target(p95, target) if name.startswith(OURS) else "")
    cells.append(f"{max(run.wall) * 1000:.1f}")
    if name == LOOP:
        return _line([*cells, *[""] * 6])
    cells += [f"{percentile(run.cpu, share):.1f}" for share in (0.5, 0.95)]
    ratios = (p50 / percentile(ours.wall, 0.5), p95 / percentile(ours.wall, 0.95))
    cells += [f"{ratio:.2f}" for ratio in ratios]
    return _line([*cells, f"{run.rss:.1f}", str(len(run.shown))])


def _target(value: float, target: float) -> str:
    return f"< {target:g}: {'met' if value < target else 'missed'}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def report_start(measured: Sequence[Server], small: Input, big: Input) -> None:
    """Measure the starts in turns, and the memory with the small input and the big one more."""
    starts: dict[str, list[float]] = {server.name: [] for server in measured}
    for _ in range(STARTS):
        for server in measured:
            with sessions([server], [small.folder]) as (client,):
                starts[server.name].append(client.start * 1000)
    print(f"\n### editor: start to initialized, {STARTS} in turns, and memory\n\n{START_HEADER}")
    for server in measured:
        with sessions([server], [small.folder, big.folder]) as (client,):
            sizes = []
            for subject in (small, big):
                path = subject.folder / subject.target
                client.open(path.as_uri(), path.read_text(encoding="utf-8"))
                sizes.append(rss(client.process.pid))
        first, more = sizes[0], sizes[1] - sizes[0]
        fast = statistics.median(starts[server.name])
        targets = [_target(fast, 1000), _target(first, 60), _target(more, 60)]
        if not server.name.startswith(OURS):
            targets = ["", "", ""]
        cells = [server.name, f"{min(starts[server.name]):.0f}", f"{fast:.0f}", targets[0]]
        cells += [f"{first:.1f}", targets[1], f"{more:.1f}", targets[2]]
        print(_line(cells))
