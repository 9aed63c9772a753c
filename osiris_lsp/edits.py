"""Edits of YAML that several rules share: replace, quote, rename, add and remove without loss."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Edit, Fix, Problem
from osiris_lsp.syntax import parse
from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import Map, Node, Scalar, Tree, deref, resolve

_LINE_BREAK: Final = lazy(r"\r\n|\n|\r")
_PLAIN: Final = lazy(r"[A-Za-z0-9_./$][A-Za-z0-9_./ $+-]*")


def folded(text: str) -> str:
    """Return a text without accents and without other letters than those of ASCII."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def quoted(text: str, quote: str = '"') -> str:
    """Return a text as a quoted YAML scalar; `quote` is used where the text allows it."""
    if "\n" in text or not text.isprintable():
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return '"' + escaped.encode("unicode_escape").decode().replace("\\\\", "\\") + '"'
    if quote == "'" or '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def scalar_text(text: str) -> str:
    """Return a text as a scalar that YAML 1.1 reads as a string: plain where that is possible."""
    if _PLAIN.fullmatch(text) and not text.endswith(" ") and resolve(text) == "str":
        return text
    return quoted(text)


def replace_scalar(document: Document, node: Scalar, text: str) -> Edit | None:
    """Return the edit that gives a scalar another text in the same style; None in block scalars."""
    if node.style in ("|", ">"):
        return None
    if node.style == '"':
        return Edit(node.start, node.end, quoted(text))
    if node.style == "'":
        return Edit(node.start, node.end, quoted(text, "'"))
    needs_space = document.text[node.start - 1 : node.start] == ":"
    return Edit(node.start, node.end, (" " if needs_space else "") + scalar_text(text))


def quote_scalar(document: Document, node: Scalar) -> Edit | None:
    """Return the edit that quotes a plain one-line scalar as it is written."""
    written = document.text[node.start : node.end]
    if node.style or not written or "\n" in written or "\r" in written:
        return None
    return Edit(node.start, node.end, quoted(written))


def rename_key(key: Scalar, name: str) -> Edit | None:
    """Return the edit that renames a key and keeps its quotes."""
    if key.style in ("|", ">"):
        return None
    return Edit(key.start, key.end, f"{key.style}{name}{key.style}")


def newline(document: Document) -> str:
    """Return the line break that a file uses."""
    at = document.text.find("\n")
    if at > 0 and document.text[at - 1] == "\r":
        return "\r\n"
    return "\n" if at >= 0 or "\r" not in document.text else "\r"


def insert_before(document: Document, key: Scalar, lines: Sequence[str]) -> Edit | None:
    """Return the edit that puts lines above a key, with its indentation; None in flow style."""
    lead = _lead(document.text, key.start)
    if lead.strip(" \ufeff"):
        return None
    lead = lead.removeprefix("\ufeff")
    body = "".join(f"{line}{newline(document)}{lead}" for line in lines)
    return Edit(key.start, key.start, body)


def nest(
    document: Document, key: Scalar, end: int, header: Sequence[str]
) -> tuple[Edit, ...] | None:
    """Return the edits that put lines above a key and indent all from there to `end` below them.

    Block scalars, comments and quoted texts over several lines keep their meaning. None where tabs,
    the bounds of a document or flow style are in the way.
    """
    text = document.text
    first = insert_before(document, key, header)
    if first is None:
        return None
    edits = [Edit(first.start, first.end, first.new_text + "  ")]
    for match in _LINE_BREAK.finditer(text, key.start, end):
        at = match.end()
        if text.startswith(("\t", "---", "..."), at):
            return None
        if text[at : at + 1] not in ("", "\r", "\n"):
            edits.append(Edit(at, at, "  "))
    return tuple(edits)


def preview(document: Document, edits: Sequence[Edit]) -> Tree:
    """Return the tree of the text that edits, in their order, would give."""
    pieces = []
    at = 0
    for edit in edits:
        pieces += [document.text[at : edit.start], edit.new_text]
        at = edit.end
    return parse("".join((*pieces, document.text[at:])))


def _lead(text: str, offset: int) -> str:
    """Return what stands on the line before an offset."""
    return text[max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1 : offset]


def add_fields(
    document: Document, key: Scalar, value: Node, fields: Sequence[tuple[str, str]]
) -> Edit | None:
    """Return the edit that adds fields (name, YAML text) to the mapping under a key.

    It comes behind the last field, with its indentation. An empty value becomes a mapping. None
    where the place cannot be told, as behind an alias.
    """
    text = document.text
    if isinstance(value, Map) and value.flow:
        body = ", ".join(f"{name}: {written}" for name, written in fields)
        last = text[value.start : value.end - 1].rstrip()
        glue = "" if not value.pairs else (" " if last.endswith(",") else ", ")
        if "\n" in text[value.start : value.end]:
            return None
        return Edit(value.start + len(last), value.start + len(last), glue + body)
    if isinstance(value, Map):
        if not value.pairs or deref(value) is not value:
            return None
        column = document.tree.lines.position(value.pairs[0][0].start).column
        at = _line_end(text, value.end)
    elif isinstance(value, Scalar) and value.start == value.end and value.type == "null":
        column = document.tree.lines.position(key.start).column + 2
        at = _line_end(text, value.end)
        if value.anchor or value.tag:
            return None
        if any(item.flow and item.start < key.start < item.end for item in document.tree.maps):
            return None
    else:
        return None
    line = newline(document)
    body = "".join(f"{line}{' ' * column}{name}: {written}" for name, written in fields)
    return Edit(at, at, body)


def insert_behind(
    document: Document, mapping: Map, key: str, name: str, written: str
) -> Edit | None:
    """Return the edit that adds a field (name, YAML text) to a mapping right behind another one.

    None where the field does not stand in the mapping itself, or shares its last line with more.
    """
    pairs = [pair for pair in mapping.pairs if getattr(pair[0], "value", None) == key]
    if len(pairs) != 1:
        return None
    before, value = pairs[0]
    text = document.text
    if not isinstance(value, Scalar) or value.style in ("|", ">") or value.start == value.end:
        return None
    if mapping.flow:
        return Edit(value.end, value.end, f", {name}: {written}")
    at = _line_end(text, value.end)
    tail = text[value.end : at].strip()
    line = document.tree.lines.position(before.begin)
    lead = text[before.begin - line.column : before.begin]
    if (tail and not tail.startswith("#")) or lead.strip(" -"):
        return None
    return Edit(at, at, f"{newline(document)}{' ' * line.column}{name}: {written}")


def _line_end(text: str, offset: int) -> int:
    match = re.compile(r"\r\n|\n|\r|\Z").search(text, offset)
    return match.start() if match else len(text)


def remove_field(document: Document, mapping: Map, key: Scalar) -> Edit | None:
    """Return the edit that removes a field from its mapping; comments stay.

    None where more than the field would go: an only field, one that an alias or merge brings in,
    or a field whose anchor is in use.
    """
    index = next((i for i, pair in enumerate(mapping.pairs) if pair[0] is key), None)
    if index is None or len(mapping.pairs) < 2:
        return None
    value = mapping.pairs[index][1]
    text = document.text
    if any(value.start <= node.start <= value.end for node, _ in document.tree.anchors):
        return None
    if mapping.flow:
        if index + 1 < len(mapping.pairs):
            following = mapping.pairs[index + 1][0].start
            return (
                Edit(key.start, following, "") if "#" not in text[value.end : following] else None
            )
        before = mapping.pairs[index - 1][1].end
        return Edit(before, value.end, "") if "#" not in text[before : key.start] else None
    line_start = max(text.rfind("\n", 0, key.start), text.rfind("\r", 0, key.start)) + 1
    line_end = _line_end(text, value.end)
    tail = text[value.end : line_end].strip()
    lead = text[line_start : key.start]
    if tail and not tail.startswith("#"):
        return None
    if lead.strip():
        if index + 1 >= len(mapping.pairs):
            return None
        following = mapping.pairs[index + 1][0].start
        return Edit(key.start, following, "") if "#" not in text[value.end : following] else None
    if _comments_inside(document, key.start, value):
        return None
    if tail:
        at = text.index("#", value.end, line_end)
        return Edit(line_start + len(lead), at, "")
    after = re.compile(r"\r\n|\n|\r").match(text, line_end)
    if after:
        return Edit(line_start, after.end(), "")
    return Edit(max(line_start - len(newline(document)), 0), line_end, "")


def _comments_inside(document: Document, start: int, value: Node) -> bool:
    """Tell whether comments stand between the lines of a field's value."""
    if isinstance(value, Scalar):
        return False
    return re.search(r"(?m)(?:^|\s)#", document.text[start : value.end]) is not None


def reported(document: Document, rule: str) -> Iterator[Problem]:
    """Yield what the parser noticed for a rule, with its repairs.

    These are safe: the text could not be loaded before.
    """
    end = len(document.text)
    for problem in document.tree.problems:
        if problem.rule == rule:
            fix = None
            if problem.edits:
                fix = Fix(problem.title, True, tuple(Edit(*edit) for edit in problem.edits))
            yield Problem(Span(problem.start, min(problem.end, end)), problem.message, fix)


def quote_marks(document: Document, node: Scalar) -> tuple[Edit, Edit] | None:
    """Return the edits that put quotes around a plain one-line scalar; they hold no text of it."""
    written = document.text[node.start : node.end]
    if node.style or not written or not written.isprintable() or '"' in written or "\\" in written:
        return None
    return Edit(node.start, node.start, '"'), Edit(node.end, node.end, '"')
