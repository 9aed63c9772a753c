"""What a rule says and what a user gets: problems, findings, fixes."""

from typing import Final, Literal, NamedTuple

from osiris_lsp.text import Span

Severity = Literal["error", "warning", "info", "hint"]

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info", "hint")
"""All severities, the gravest first."""


class Edit(NamedTuple):
    """Replace `start` to `end` (offsets in code points) of a file; `path` None is the same file."""

    start: int
    end: int
    new_text: str
    path: str | None = None


class Fix(NamedTuple):
    """A repair.

    `safe` means that the runtime reads the same value afterwards, or that the text could not be
    loaded before.
    """

    title: str
    safe: bool
    edits: tuple[Edit, ...]


class Related(NamedTuple):
    """Another place that explains a finding; `path` None is the same file."""

    span: Span
    message: str
    path: str | None = None


class Problem(NamedTuple):
    """What a rule yields; `severity` None is the rule's own."""

    span: Span
    message: str
    fix: Fix | None = None
    related: tuple[Related, ...] = ()
    severity: Severity | None = None


class Finding(NamedTuple):
    """A problem of a file as every front end gets it; `path` is absolute."""

    code: str
    rule: str
    severity: Severity
    message: str
    path: str
    span: Span
    key_path: tuple[str | int, ...]
    fix: Fix | None
    related: tuple[Related, ...]
    source: str


def sort_key(finding: Finding) -> tuple[object, ...]:
    """Return the order of findings: path, place, code, key path."""
    return (finding.path, finding.span, finding.code, tuple(map(str, finding.key_path)))


def at_least(severity: Severity, threshold: Severity) -> bool:
    """Tell whether a severity is as grave as a threshold or graver."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(threshold)
