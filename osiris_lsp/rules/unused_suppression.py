"""A `# osiris:` comment silences nothing.

The finding is gone, or was never there: the comment only hides what comes next. A rule that is
switched off in this run is not counted.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: data/local.duckdb # osiris: ignore[unknown-field] the driver takes it
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: data/local.duckdb
```

Fix: removes the selector, or the comment where nothing of it is left. Safe, because comments are
not read at run time.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.discovery import matcher
from osiris_lsp.documents import Document
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.rules import ENVIRONMENT, RULES, find, matches, selected
from osiris_lsp.suppressions import Suppression
from osiris_lsp.text import Span

CODE: Final = "OSR901"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""

_OWN: Final = "unused-suppression"


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield comments and selectors that silenced nothing; the engine runs this rule last."""
    active = _active(document, project)
    for comment in document.suppressions:
        if not comment.own:
            continue
        if not comment.rules:
            if "" not in comment.used and _is_on("ALL", active):
                message = "this comment silences nothing; remove it"
                yield Problem(comment.span, message, _without_comment(document, comment))
            continue
        unused = [
            index
            for index, (selector, _) in enumerate(comment.rules)
            if selector not in comment.used and _is_on(selector, active)
        ]
        if len(unused) == len(comment.rules):
            listed = ", ".join(f"`{selector}`" for selector, _ in comment.rules)
            verb = "silences" if len(unused) == 1 else "silence"
            message = f"{listed} {verb} nothing here; remove the comment"
            yield Problem(comment.span, message, _without_comment(document, comment))
            continue
        for index in unused:
            selector, span = comment.rules[index]
            edit = _without_selector(comment, index)
            fix = Fix(f"Remove `{selector}`", True, (edit,))
            yield Problem(span, f"`{selector}` silences nothing here; remove it", fix)


def _active(document: Document, project: Project) -> frozenset[str]:
    """Return the names of the rules that are on for a file."""
    settings = project.settings
    base = settings.folder or project.root
    ignored = [
        selector
        for glob, selectors in settings.per_file_ignores
        if matcher([glob], base)(document.path)
        for selector in selectors
    ]
    chosen = selected(settings.select, settings.ignore, project.environment is not None)
    return frozenset(
        entry.name for entry in chosen if not any(matches(word, entry) for word in ignored)
    )


def _is_on(selector: str, active: frozenset[str]) -> bool:
    """Tell whether the rules of a selector ran, so that it would have silenced something.

    A prefix counts when all its rules ran; those of the environment group are left aside there.
    """
    exact = find(selector)
    if exact is not None:
        return exact.name in active and exact.name != _OWN
    covered = [
        entry.name
        for entry in RULES.values()
        if matches(selector, entry)
        and entry.name not in ENVIRONMENT
        and "settings" not in entry.kinds
    ]
    return bool(covered) and active.issuperset(covered)


def _without_selector(comment: Suppression, index: int) -> Edit:
    """Return the edit that removes a selector with one separator; another one stays."""
    start, end = comment.rules[index][1]
    if index + 1 < len(comment.rules):
        return Edit(start, comment.rules[index + 1][1].start, "")
    return Edit(comment.rules[index - 1][1].end, end, "")


def _without_comment(document: Document, comment: Suppression) -> Fix:
    edits = [_removal(document, comment.span.start)]
    end = comment.covers.end
    if comment.verb == "off" and end < len(document.text):
        edits.append(_removal(document, end))
    return Fix("Remove the comment", True, _joined(edits))


def _joined(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return edits without overlap: two comment lines in a row become one edit."""
    if len(edits) == 2 and edits[0].end >= edits[1].start:
        return (Edit(edits[0].start, edits[1].end, ""),)
    return tuple(edits)


def _removal(document: Document, start: int) -> Edit:
    """Return the edit that removes a comment, with its line where nothing else is on it."""
    lines = document.tree.lines
    line = lines.position(start).line
    span: Span = lines.line_span(line)
    before = document.text[span.start : start]
    if before.strip():
        return Edit(span.start + len(before.rstrip()), span.end, "")
    if line + 1 < len(lines):
        return Edit(span.start, lines.starts[line + 1], "")
    return Edit(lines.line_span(line - 1).end if line else 0, span.end, "")
