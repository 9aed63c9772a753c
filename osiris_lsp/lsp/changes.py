"""Edits behind code actions: all safe fixes at once, comments that silence, and no secret shown."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from osiris_lsp import fixes
from osiris_lsp.edits import newline
from osiris_lsp.engine import Linter
from osiris_lsp.finding import Edit, Finding
from osiris_lsp.lsp import cursor
from osiris_lsp.lsp.views import View
from osiris_lsp.suppressions import find_suppressions
from osiris_lsp.syntax import parse
from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import Tree

_LONG: Final = 2_000
"""Code points up to which a replaced text is compared with the new one."""

_COMMENT: Final = lazy(r"(?:^|\s)#")


def fix_all(view: View) -> tuple[Edit, ...]:
    """Return the edits that give the text of `osiris-lsp lint --fix`."""
    path, text, findings = view.document.path, view.text, view.findings
    pieces: list[Span | str] = [Span(0, len(text))]
    for _ in range(fixes.ROUNDS):
        applied = fixes.apply(text, fixes.applicable(findings, False), path)
        if applied.text == text:
            break
        chosen = [item.fix for item in applied.fixed if item.fix is not None]
        made = dict.fromkeys(edit for fix in chosen for edit in fix.edits)
        pieces = edited_pieces(pieces, sorted(made, key=_place))
        text = applied.text
        project = view.project.overlaid(path, text)
        document = project.open(path)
        findings = () if document is None else Linter(project).lint(document).findings
    return tuple(edits_of(pieces, len(view.text)))


def _place(edit: Edit) -> tuple[int, int]:
    return edit.start, edit.end


def edited_pieces(pieces: Iterable[Span | str], edits: Sequence[Edit]) -> list[Span | str]:
    """Return the pieces of a text, spans of the first one and what is new, after edits of it."""
    result: list[Span | str] = []
    left = list(reversed(edits))
    at = skipped = 0  # where the piece starts in the text, and up to where that is replaced
    for piece in pieces:
        length = len(piece) if isinstance(piece, str) else piece.end - piece.start
        kept = at
        while left and left[-1].start < at + length:
            edit = left.pop()
            result += (_part(piece, max(kept, skipped) - at, edit.start - at), edit.new_text)
            kept = skipped = max(edit.end, skipped)
        result.append(_part(piece, max(kept, skipped) - at, length))
        at += length
    return [piece for piece in (*result, *(edit.new_text for edit in reversed(left))) if piece]


def _part(piece: Span | str, start: int, end: int) -> Span | str:
    if start >= end:
        return ""
    if isinstance(piece, str):
        return piece[start:end]
    return Span(piece.start + start, piece.start + end)


def edits_of(pieces: Iterable[Span | str], length: int) -> Iterator[Edit]:
    """Yield the edits that make pieces out of the first text."""
    at, new = 0, ""
    for piece in (*pieces, Span(length, length)):
        if isinstance(piece, str):
            new += piece
            continue
        if piece.start > at or new:
            yield Edit(at, piece.start, new)
        at, new = piece.end, ""


def public(view: View, edits: Sequence[Edit]) -> tuple[Edit, ...] | None:
    """Return edits that write no secret: what they keep of a text is left where it stands.

    None where a secret would still be written.
    """
    secrets = view.document.secret_spans
    words = [view.text[span.start : span.end] for span in secrets]
    result: list[Edit] = []
    for edit in edits:
        own = edit.path in (None, view.document.path)
        if own and any(edit.start < span.end and span.start < edit.end for span in secrets):
            parts = list(_smaller(view.text, edit))
            if any(word and word in part.new_text for part in parts for word in words):
                return None
            result += parts
        else:
            result.append(edit)
    return tuple(result)


def _smaller(text: str, edit: Edit) -> Iterator[Edit]:
    """Yield the edits of only those characters that an edit changes."""
    old = text[edit.start : edit.end]
    if not edit.new_text or max(len(old), len(edit.new_text)) > _LONG:
        yield edit
        return
    matcher = difflib.SequenceMatcher(None, old, edit.new_text, autojunk=False)
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag != "equal":
            yield Edit(edit.start + start, edit.start + end, edit.new_text[first:last], edit.path)


def ignore(view: View, finding: Finding) -> Edit | None:
    """Return the edit that writes a comment which silences a finding, and changes no value."""
    places = (*_extended(view, finding, "ignore"), *_new(view, finding))
    return next((edit for edit in places if _silences(view, edit, finding)), None)


def ignore_file(view: View, finding: Finding) -> Edit | None:
    """Return the edit that silences the rule of a finding in the whole file."""
    at = 1 if view.text.startswith("\ufeff") else 0
    comment = f"# osiris: ignore-file[{finding.code}]{newline(view.document)}"
    places = (*_extended(view, finding, "ignore-file"), Edit(at, at, comment))
    return next((edit for edit in places if _silences(view, edit, finding)), None)


def _extended(view: View, finding: Finding, verb: str) -> Iterator[Edit]:
    """Yield the edits that add the rule to a comment on this line or the one before."""
    line = view.lines.position(finding.span.start).line
    for comment in view.document.suppressions:
        if comment.own and comment.verb == verb and comment.rules:
            near = line - view.lines.position(comment.span.start).line
            if verb == "ignore-file" or near in (0, 1):
                end = comment.rules[-1][1].end
                yield Edit(end, end, f", {finding.code}")


def _new(view: View, finding: Finding) -> Iterator[Edit]:
    """Yield the edits that write a comment: behind the line, else above it, or above its key."""
    place = cursor.find(view.document, finding.span.start)
    line = view.lines.position(finding.span.start).line
    comment = f"# osiris: ignore[{finding.code}]"
    span = view.lines.line_span(line)
    if not _has_comment(view, span):
        yield Edit(span.end, span.end, f"  {comment}")
    starts = [finding.span.start]
    starts += [node.begin for node in (place.node, place.key) if node is not None]
    for above in dict.fromkeys(view.lines.position(start).line for start in starts):
        text = view.lines.line(above)
        start = view.lines.line_span(above).start + text.startswith("\ufeff")
        text = text.removeprefix("\ufeff")
        lead = text[: len(text) - len(text.lstrip(" "))]
        yield Edit(start, start, f"{lead}{comment}{newline(view.document)}")


def _has_comment(view: View, line: Span) -> bool:
    """Tell whether a line has a comment, or the head of a block scalar, which may have one."""
    near = [
        node
        for node in view.document.tree.scalars()
        if node.start <= line.end and line.start <= node.end
    ]
    if any(node.style in ("|", ">") for node in near):
        return True
    return any(
        not any(node.start <= match.end() - 1 < node.end for node in near)
        for match in _COMMENT.finditer(view.text, line.start, line.end)
    )


def _silences(view: View, edit: Edit, finding: Finding) -> bool:
    """Tell whether an edit silences a finding, breaks nothing and changes no value."""
    tree = view.document.tree
    after = parse(view.text[: edit.start] + edit.new_text + view.text[edit.end :])
    if len(after.problems) > len(tree.problems) or _values(after) != _values(tree):
        return False
    above = edit.start < finding.span.start or edit.new_text.endswith(("\n", "\r"))
    at = finding.span.start + (len(edit.new_text) if above else 0)
    return any(
        comment.own
        and comment.silences(finding.code, finding.rule, at)
        and comment.names(finding.code, finding.rule)
        for comment in find_suppressions(after)
    )


def _values(tree: Tree) -> list[str]:
    return [node.value for node in tree.scalars()]
