"""The cost of a process, from the kernel's own accounts."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Linux counts in KiB, macOS in bytes.
RSS_UNITS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """Wall and CPU time in seconds, peak memory in MiB.

    CPU time covers the processes that the command started and waited for; the memory is that of
    the largest single one, and at least `own_peak()`: a child begins with its parent's peak.
    """

    wall: float
    cpu: float
    rss: float


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command with its output thrown away, and say what it cost."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / RSS_UNITS_PER_MIB)


def own_peak() -> float:
    """The peak memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / RSS_UNITS_PER_MIB


def rss(pid: int) -> float:
    """Resident memory of a process that runs, in MiB (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / RSS_UNITS_PER_MIB


def cpu(pid: int) -> float:
    """CPU time of the threads of a process that runs, in seconds (Linux)."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):  # a thread may end at any time
            spent += int(task.read_text().split()[0])
    return spent / 1e9
