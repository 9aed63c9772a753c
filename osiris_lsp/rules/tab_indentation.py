"""A tab stands where YAML allows spaces only.

The loader that Osiris uses stops at a tab in front of a line, between a key and its value, or at
the end of a line. Inside quotes, comments and texts of several lines a tab is fine.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
␉path: data/local.duckdb
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: data/local.duckdb
```

Fix: writes spaces instead. Safe, because the file could not be loaded before.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.edits import reported
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import Scalar

CODE: Final = "OSR012"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True

_TABS: Final = lazy(r"[ ]*\t[ \t]*")
_BREAK: Final = lazy(r"[\r\n]|\Z")
_BLANK: Final = lazy(r"\s*")
_HASH: Final = lazy(r"(?<![^ \t\r\n])#")


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield the tabs that PyYAML refuses; its C parser lets those between tokens pass."""
    if "\t" not in document.text:
        return
    found = list(reported(document, "tab-indentation"))
    yield from found
    lines = document.tree.lines
    gone = {lines.position(problem.start).line for problem in document.tree.problems}
    for problem in found:
        for edit in problem.fix.edits if problem.fix else ():
            gone.add(lines.position(edit.start).line)
    by_line: dict[int, list[Edit]] = {}
    for start, end in _between_tokens(document):
        line = lines.position(start).line
        if line not in gone:
            by_line.setdefault(line, []).append(_spaces(document, line, start, end))
    for edits in by_line.values():
        span = Span(edits[0].start, edits[0].end)
        message = "a tab cannot stand here; use spaces"
        if span.start == lines.line_span(lines.position(span.start).line).start:
            message = "a tab is used for indentation, which YAML forbids; indent with spaces"
        yield Problem(span, message, Fix("Use spaces", True, tuple(edits)))


def _spaces(document: Document, line: int, start: int, end: int) -> Edit:
    first, last = document.tree.lines.line_span(line)
    if start == first:
        return Edit(start, end, document.text[start:end].expandtabs(2))
    return Edit(start, end, "" if end == last else " ")


def _between_tokens(document: Document) -> Iterator[tuple[int, int]]:
    """Yield the white space with tabs that lies outside of quotes, texts and comments."""
    text, lines = document.text, document.tree.lines
    styled = sorted(_reach(text, node) for node in document.tree.scalars() if node.style)
    for match in _TABS.finditer(text):
        start, end = match.span()
        if _is_inside(styled, end - 1):
            continue
        hashes = _HASH.finditer(text, lines.starts[lines.position(start).line], start)
        if all(_is_inside(styled, found.start()) for found in hashes):
            yield start, end


def _reach(text: str, node: Scalar) -> tuple[int, int]:
    """Return where tabs belong to a scalar: its quotes, or the lines of a block scalar."""
    if node.style not in ("|", ">"):
        return node.start, node.end
    first = _BREAK.search(text, node.start)
    last = _BLANK.match(text, node.end)
    return first.start() if first else node.end, last.end() if last else node.end


def _is_inside(spans: Sequence[tuple[int, int]], offset: int) -> bool:
    at = bisect_right(spans, (offset, 1 << 62)) - 1
    return at >= 0 and spans[at][0] <= offset < spans[at][1]
