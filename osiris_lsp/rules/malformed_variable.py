"""A variable is written so that the runtime does not substitute it.

Only `${NAME}` is substituted, with letters, digits and `_` in the name. Anything else reaches the
driver as it stands: the password is then the text `$DB_PASSWORD`.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: ${DB_HOST
      database: shop
      user: reader
      password: $DB_PASSWORD
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: ${DB_HOST}
      database: shop
      user: reader
      password: ${DB_PASSWORD}
```

Fix: writes `${NAME}` where the name is clear. Unsafe, because the value of the variable is
used then.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument, Document
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import Segment, segments
from osiris_lsp.text import lazy, printable
from osiris_lsp.values import Value, variable_values

CODE: Final = "OSR401"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline")
SOURCE: Final = "R-06"
ENTRYWISE: Final = True

_DOLLAR: Final = lazy(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_CAPITALS: Final = lazy(r"\$[A-Z_][A-Z0-9_]*")
_TEMPLATE: Final = lazy(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")
_HALF: Final = lazy(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")
_SPACED: Final = lazy(r"\$\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}")


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield each piece of a value that looks like a variable and is none."""
    text = document.text
    # A single character is found much faster than two.
    if "$" not in text and ("{" not in text or "{{" not in text):
        return
    for value in variable_values(document):
        written = value.node.value
        if "${" in written:
            for piece in segments(written):
                if piece.kind == "malformed":
                    yield _malformed(document, value, piece)
        elif isinstance(document, ConnectionsDocument):
            yield from _other_syntax(document, value)


def _malformed(document: Document, value: Value, piece: Segment) -> Problem:
    node = value.node
    span = document.tree.value_span(node, piece.start, piece.end)
    written = node.value[piece.start : piece.end]
    half, spaced = _HALF.fullmatch(written), _SPACED.fullmatch(written)
    reason = "spaces cannot stand in the braces" if spaced else piece.reason
    shown = written if len(written) <= 40 and "://" not in written else ""
    if value.secret or not shown:
        if "is no variable name" in reason or "names no secret" in reason:
            reason = "what stands in the braces is no variable name"
        message = f"this variable is malformed: {reason}"
    else:
        message = f"`{printable(shown)}` is malformed: {printable(reason)}"
    fix = None
    if document.text[span.start : span.end] == written:
        if half:
            fix = Fix("Close the variable", False, (Edit(span.end, span.end, "}"),))
        elif spaced:
            first, last = spaced.span(1)
            edits = (
                Edit(span.start + 2, span.start + first, ""),
                Edit(span.start + last, span.end - 1, ""),
            )
            fix = Fix("Remove the spaces", False, tuple(e for e in edits if e.end > e.start))
    return Problem(span, message, fix)


def _other_syntax(document: Document, value: Value) -> Iterator[Problem]:
    """Report a whole value in the syntax of a shell or of Jinja; the text is not repeated."""
    node = value.node
    text = node.value
    dollar = _DOLLAR.fullmatch(text)
    if dollar and value.secret and not _CAPITALS.fullmatch(text):
        return
    match = dollar or _TEMPLATE.fullmatch(text)
    if match is None:
        return
    span = document.tree.value_span(node, 0, len(text))
    form = "$NAME" if dollar else "{{ NAME }}"
    message = f"`{form}` is not substituted but taken as the text itself; write `${{NAME}}`"
    fix = None
    if document.text[span.start : span.end] == text:
        first, last = span.start + match.start(1), span.start + match.end(1)
        opening, closing = ("", "") if node.style or not value.in_flow else ('"', '"')
        edits = (
            Edit(span.start, first, f"{opening}${{"),
            Edit(last, span.end, f"}}{closing}"),
        )
        fix = Fix("Change to `${NAME}`", False, edits)
    yield Problem(span, message, fix, severity="warning")
