"""Reports: findings for people and machines; 1-based lines and columns exist only here."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple, TextIO, cast

from osiris_lsp.finding import SEVERITIES
from osiris_lsp.project import Project
from osiris_lsp.reports.record import Record, Silenced

FORMATS: Final = (
    "full",
    "concise",
    "grouped",
    "json",
    "jsonl",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "azure",
    "rdjson",
    "checkstyle",
    "markdown",
    "html",
)
"""All formats; each is a module of this package with a `write` function."""

DETAILED: Final = frozenset(("sarif", "html"))
"""Formats that show suppressed findings, or the lines around a finding."""

QUOTING: Final = frozenset(("full", *DETAILED))
"""Formats that show the line of a finding."""


class Summary(NamedTuple):
    """What a run counted, and what some reports show beside the findings.

    `known` are the findings of the baseline, which do not count; `compared` says that there is one.
    `silenced` is filled for detailed formats only, `linted` has the files of each project, and
    `doctor` the results that `connections doctor --json` printed.
    """

    files: int = 0
    suppressed: int = 0
    fixed: int = 0
    known: Sequence[Record] = ()
    compared: bool = False
    exit_code: int = 0
    silenced: Sequence[Silenced] = ()
    linted: Sequence[tuple[Project, Sequence[str]]] = ()
    doctor: Sequence[Mapping[str, Any]] | None = None


class Style(NamedTuple):
    """How a report for people looks; `width` is that of the terminal."""

    colour: bool = False
    width: int = 120
    statistics: bool = False


Write = Callable[[TextIO, Sequence[Record], Summary, Style], None]


def writer(name: str) -> Write:
    """Return the function that writes a format."""
    return cast(Write, import_module(f"osiris_lsp.reports.{name}").write)


def counts(records: Sequence[Record]) -> dict[str, int]:
    """Return the number of records of each severity, the gravest first."""
    found: dict[str, int] = dict.fromkeys(SEVERITIES, 0)
    for record in records:
        found[record.severity] += 1
    return found


def gravest_first(records: Sequence[Record]) -> list[Record]:
    """Return the records by severity; those of one severity keep their order."""
    return sorted(records, key=lambda record: SEVERITIES.index(record.severity))
