"""A `# osiris:` comment names no rule that exists.

It silences nothing, or more than it says: without brackets `ignore` silences every rule.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: data/local.duckdb
      cache: 5 # osiris: ignore[unknwon-field] our driver reads it
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: data/local.duckdb
      cache: 5 # osiris: ignore[unknown-field] our driver reads it
```

Fix: takes the nearest name, or puts the brackets. Unsafe, because other findings are silenced then.
"""

import re
from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.rules import RULES, find, is_selector
from osiris_lsp.specs import nearest
from osiris_lsp.suppressions import VERBS, Suppression, misread_comments
from osiris_lsp.text import Span, lazy, printable

CODE: Final = "OSR902"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""

_BARE: Final = lazy(
    r"osiris:[ \t]*(?:ignore-file|ignore|off)(?P<gap>[ \t]*[=(:]?[ \t]*)(?P<words>[\w,; \t-]+\)?)"
)
_WORD: Final = lazy(r"[\w-]+")
_CODE: Final = lazy(r"OSR[-_ ]?(\d{3})", re.IGNORECASE)
_SYNONYMS: Final = {
    "disable": "ignore",
    "enable": "on",
    "noqa": "ignore",
    "nolint": "ignore",
    "skip": "ignore",
    "disable-line": "ignore",
    "disable-file": "ignore-file",
}


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield selectors and verbs of `# osiris:` comments that do not exist."""
    if "osiris:" not in document.text:
        return
    for comment in document.suppressions:
        if not comment.own:
            continue
        if not comment.rules:
            yield from _without_brackets(document, comment)
        for selector, span in comment.rules:
            if not is_selector(selector):
                yield _unknown_selector(selector, span)
    for match in misread_comments(document.tree):
        word, rest = match["word"], match["rest"].strip()
        meant = _SYNONYMS.get(word) or nearest(word, VERBS[:2] if rest[:1] != "[" else VERBS)
        if rest and rest[:1] not in ("[", "-", "("):
            continue
        if meant is None and rest[:1] != "[":
            continue
        span = Span(*match.span("word"))
        message = f"`{printable(word)}` is no command of osiris-lsp"
        fix = None
        if meant is None:
            message += "; there is `ignore`, `ignore-file`, `off` and `on`"
        else:
            message += f"; did you mean `{meant}`?"
            fix = Fix(f"Change to `{meant}`", False, (Edit(span.start, span.end, meant),))
        yield Problem(span, message, fix)


def _unknown_selector(selector: str, span: Span) -> Problem:
    code = _CODE.fullmatch(selector)
    close = f"OSR{code[1]}" if code and find(f"OSR{code[1]}") else None
    if close is None and not selector.upper().startswith("OSR"):
        close = nearest(selector, RULES)
    message = f"`{printable(selector)}` is no rule"
    if close is None:
        return Problem(span, message)
    fix = Fix(f"Change to `{close}`", False, (Edit(span.start, span.end, close),))
    return Problem(span, f"{message}; did you mean `{close}`?", fix)


def _without_brackets(document: Document, comment: Suppression) -> Iterator[Problem]:
    """Report rules that stand without brackets, and so are read as the reason."""
    match = _BARE.search(document.text, comment.span.start, comment.span.end)
    if match is None:
        return
    rules: dict[str, str] = {}
    end = match.start("words")
    for word in _WORD.finditer(match["words"]):
        entry = find(word[0])
        if entry is None:
            break
        rules.setdefault(entry.code, word[0])
        end = match.start("words") + word.end()
    if not rules:
        return
    start = match.start("words")
    if document.text[end : end + 1] == ")":
        end += 1
    written = f"[{', '.join(rules.values())}]"
    message = f"without brackets this comment silences every rule; write `{comment.verb}{written}`"
    fix = Fix("Put brackets", False, (Edit(match.start("gap"), end, written),))
    yield Problem(Span(start, end), message, fix)
