"""What a run of `lint` gathers."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from osiris_lsp.batch import FileResult
from osiris_lsp.project import Project
from osiris_lsp.reports.record import Record, Silenced
from osiris_lsp.text import printable

if TYPE_CHECKING:
    from osiris_lsp.cli.baseline import Baselines
    from osiris_lsp.engine import Crash


class Outcome:
    """What a run gathers, whichever project it comes from.

    `baseline` is the file that an option names; without it each project has that of its settings.
    """

    def __init__(self, baseline: str | None = None) -> None:
        self.baseline = baseline
        self.records: list[Record] = []
        self.crashes: list[Crash] = []
        self.errors = 0
        self.files = 0
        self.suppressed = 0
        self.silenced: list[Silenced] = []
        self.fixed = 0
        self.moved = 0
        self.changed: list[tuple[str, str, str]] = []
        self.baselines: Baselines | None = None
        self.known: list[Record] = []

    def add(self, result: FileResult, records: Iterable[Record]) -> None:
        """Take over the result of a file, and those of its records that count."""
        self.files += 1
        self.records.extend(records)
        self.suppressed += result.suppressed
        self.silenced.extend(result.silenced)
        self.crashes.extend(result.crashes)

    def prepare(self, project: Project) -> None:
        """Read the baseline of a project, if it has one; raises UsageError."""
        if self.baselines is None and (self.baseline or project.settings.baseline):
            from osiris_lsp.cli.baseline import Baselines

            self.baselines = Baselines(self.baseline)
        if self.baselines is not None:
            self.baselines.of(project)

    def new(self, project: Project, result: FileResult) -> Sequence[Record]:
        """Return the records of a result that no baseline knows, and count the others."""
        self.prepare(project)
        if self.baselines is None:
            return result.records
        new, known = self.baselines.sift(project, result.path, result.records)
        self.known.extend(known)
        return new

    def complain(self, message: str) -> None:
        """Say what is wrong with the call, which will fail."""
        print(f"osiris-lsp: error: {printable(message)}", file=sys.stderr)
        self.errors += 1
