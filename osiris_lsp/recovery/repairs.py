"""The parser's complaints about single values and characters, said as a person would."""

import re
from typing import Final

from osiris_lsp.recovery.brackets import CLOSING, enclosing, extent, extra
from osiris_lsp.recovery.patient import Diagnosis, Patient, insertion, quoting
from osiris_lsp.text import Span, lazy, printable
from osiris_lsp.tree import SyntaxEdit

_BLOCK_TOKEN: Final = lazy(r"[^\s#](?:[^\s:]|:(?=\S)|[ \t]+(?=[^\s#]))*")
_FLOW_TOKEN: Final = lazy(r"[^\s,\]}#](?:[^\s:,\]}]|:(?=[^\s,\]}])|[ \t]+(?=[^\s#,\]}]))*")
_REFERENCE: Final = lazy(r"@[\w.-]*")
_CONTROL: Final = lazy("[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OPEN_QUOTES: Final = (
    re.compile(r'(?:^|[:\-\[{,]\s+|^\s*|[\[{])("(?:[^"\\\n]|\\.)*)$'),
    re.compile(r"(?:^|[:\-\[{,]\s+|^\s*|[\[{])('(?:[^'\n]|'')*)$"),
)
_CLOSED: Final = (
    re.compile(r'"(?:[^"\\]|\\.)*"\s*(?:$|[,\]}#:])', re.DOTALL | re.MULTILINE),
    re.compile(r"'(?:[^']|'')*'\s*(?:$|[,\]}#:])", re.DOTALL | re.MULTILINE),
)
_INDENT: Final = lazy(r"[ \t]*")
_DASHED: Final = lazy(r"[ \t]*(?:-[ \t]+)*")
_BLOCK_HEADER: Final = lazy(r"[|>][-+0-9]*\s*(?:#.*)?$")
_CONFLICT: Final = lazy(r"(?:<{7}|={7}|>{7}|\|{7})(?: |$)")


def control(patient: Patient) -> Diagnosis | None:
    """Report characters that no YAML text may hold, and replace them by spaces."""
    places = [match.start() for match in _CONTROL.finditer(patient.text)]
    if not places:
        return None
    for place in places:
        patient.touched.append(Span(place, place + 1))
    patient.text = _CONTROL.sub(" ", patient.text)
    start = places[0]
    message = (
        f"the character `{printable(patient.original[start])}` is not allowed in YAML; delete it, "
        "or write it as an escape in a double-quoted value"
    )
    edits = tuple(SyntaxEdit(place, place + 1, "") for place in places)
    title = "Delete the character" if len(places) == 1 else "Delete the characters"
    return Diagnosis(start, start + 1, message, title=title, candidates=(edits,))


def byte_order_mark(patient: Patient, line: int) -> Diagnosis | None:
    """Report a byte order mark in front of a line; files that were joined have one."""
    start = patient.lines.starts[line]
    if start == 0 or patient.text[start : start + 1] != "\ufeff":
        return None
    patient.blank_block(line)
    message = "a byte order mark stands inside the text; delete it"
    edits = ((SyntaxEdit(start, start + 1, ""),),)
    return Diagnosis(start, start + 1, message, title="Delete it", candidates=edits)


def conflict(patient: Patient, line: int) -> Diagnosis | None:
    """Report the markers of a merge conflict; the first side of the conflict stays."""
    if not _CONFLICT.match(patient.line(line)):
        return None
    first, last = line, line
    skipping = not patient.line(line).startswith("<")
    for below in range(line + 1, len(patient.lines)):
        text = patient.line(below)
        if _CONFLICT.match(text):
            if not skipping:
                patient.blank(first, first)
                first, skipping = below, True
            last = below
            if text.startswith(">"):
                break
            if text.startswith("<"):
                last = below - 1
                break
    patient.blank(first, last if skipping else first)
    start, end = patient.lines.line_span(line)
    message = "this is the marker of a merge conflict; resolve the conflict"
    return Diagnosis(start, end, message)


def bad_start(patient: Patient, at: int) -> Diagnosis:
    """Report a character that no plain value starts with: `@`, a backtick, `%`, a tab."""
    char = patient.text[at]
    if char == "\t":
        return tab(patient, at)
    inside = enclosing(patient, at) is not None
    match = (_FLOW_TOKEN if inside else _BLOCK_TOKEN).match(patient.text, at)
    stop = match.end() if match else at + 1
    token = patient.text[at:stop]
    candidates = quoting(patient.text, at, stop)
    patient.put(at, at + 1, "x")
    patient.holes[at] = True
    if char == "@":
        message = "a reference must be quoted, because YAML reserves `@` at the start of a value"
        rule, title = "unquoted-reference", "Quote the reference"
        reference = _REFERENCE.match(token)
        if reference is None or reference.end() != len(token):
            message = "a value cannot start with `@`, which YAML reserves; quote it"
            title = "Quote the value"
        return Diagnosis(at, stop, message, rule, title, candidates)
    shown = "a backtick" if char == "`" else f"`{printable(char)}`"
    message = f"a value cannot start with {shown}; quote it"
    return Diagnosis(at, stop, message, title="Quote the value", candidates=candidates)


def tab(patient: Patient, at: int) -> Diagnosis:
    """Report a tab where YAML allows spaces only."""
    line = patient.line_of(at)
    start = patient.lines.starts[line]
    text = patient.line(line)
    lead = text[: at - start].strip(" \t")
    if lead and lead.strip("- \t"):
        end = at + len(text[at - start :]) - len(text[at - start :].lstrip("\t "))
        patient.put(at, end, " ")
        message = "a tab cannot stand here; use spaces"
        filler = " " if end < patient.lines.line_span(line).end else ""
        edits = ((SyntaxEdit(at, end, filler),),)
        return Diagnosis(at, end, message, "tab-indentation", "Use spaces", edits)
    width = _unit(patient)
    found: list[Span] = []
    last = line
    while last < len(patient.lines):
        indent = (
            _INDENT.match(patient.line(last)) if last > line or not lead else _DASHED.match(text)
        )
        if indent is None or "\t" not in indent[0]:
            break
        base = patient.lines.starts[last]
        found.append(Span(base, base + indent.end()))
        last += 1
    candidates = [
        tuple(SyntaxEdit(*span, patient.text[slice(*span)].expandtabs(width)) for span in found)
    ]
    above = patient.above(line)
    if lead and len(found) == 1:
        end = found[0].end
        stop = start + len(text[: end - start].rstrip())
        candidates.insert(0, (SyntaxEdit(stop, end, " "),))
    elif above is not None and _BLOCK_HEADER.search(patient.line(above)):
        column = patient.key_column(above) + width
        candidates.append(tuple(SyntaxEdit(*span, " " * column) for span in found))
    if lead and len(found) == 1:
        patient.put(at, at + 1, " ")
    else:
        patient.blank(line, max(last - 1, line))
    first = start + text.find("\t")
    message = "a tab is used for indentation, which YAML forbids; indent with spaces"
    title = "Indent with spaces"
    return Diagnosis(first, first + 1, message, "tab-indentation", title, tuple(candidates))


def _unit(patient: Patient) -> int:
    """Return by how many spaces the file indents."""
    widths = [
        len(match[0]) for match in re.finditer(r"^ +(?=[^\s#])", patient.original, re.MULTILINE)
    ]
    return min(min(widths, default=2), 8) if widths else 2


def tab_near(patient: Patient, line: int) -> int | None:
    """Return the first tab in the indentation of a line or of one close below it."""
    for candidate in range(line, min(line + 50, len(patient.lines))):
        text = patient.line(candidate)
        indent = text[: len(text) - len(text.lstrip(" \t"))]
        if "\t" in indent:
            return patient.lines.starts[candidate] + indent.index("\t")
    return None


def escape(patient: Patient, opened: int, at: int) -> Diagnosis:
    """Report an escape that YAML does not know."""
    end = patient.lines.line_span(patient.line_of(opened)).end
    match = re.compile(r'"(?:[^"\\]|\\.)*"').match(patient.text, opened, end)
    slash = patient.text.rfind("\\", opened, at + 1)
    slash = at if slash < 0 else slash
    candidates: tuple[tuple[SyntaxEdit, ...], ...] = ()
    if match and "'" not in match[0] and '\\"' not in match[0]:
        candidates = ((SyntaxEdit(opened, match.end(), f"'{match[0][1:-1]}'"),),)
    patient.hole(opened, match.end() if match else end)
    message = (
        "this backslash starts no escape that YAML knows; write `\\\\` for a backslash, or use "
        "single quotes"
    )
    return Diagnosis(slash, slash + 2, message, title="Use single quotes", candidates=candidates)


def open_quote(patient: Patient, line: int, reach: int) -> int | None:
    """Find a quote up to `reach` lines above that its own line does not close: the likely cause."""
    for candidate in range(line, max(line - reach, -1), -1):
        if candidate in patient.blanked:
            continue
        start = patient.lines.starts[candidate]
        text = patient.line(candidate)
        for opening, closed in zip(_OPEN_QUOTES, _CLOSED, strict=True):
            match = opening.search(text)
            if match and not text.count(match[1][0], 0, match.start(1)) % 2:
                at = start + match.start(1)
                whole = closed.match(patient.text, at)
                if whole is None or patient.line_of(whole.end()) > line:
                    return at
    return None


def unclosed(patient: Patient, opened: int) -> Diagnosis:
    """Report a quote that is never closed."""
    quote = patient.text[opened]
    stop = patient.body_end(opened)
    opener = enclosing(patient, opened)
    if opener is not None:
        inner = re.compile(r"(?:\$\{[^}\r\n]*\}|[^,\]}\r\n])*").match(patient.text, opened)
        stop = min(inner.end() if inner else stop, stop)
    stop = max(stop, opened + 1)
    patient.hole(opened, stop)
    message = f"the quote `{quote}` that opens here is never closed"
    closing = quote
    if opener is not None:
        reach = extent(patient, opener)
        if reach.unclosed and reach.last == stop:
            closing += "".join(CLOSING[patient.text[at]] for at in reversed(reach.unclosed))
            patient.put(opener, stop, " ")
            patient.hole(opener, patient.body_end(opener) if stop > opener + 1 else opener + 1)
    candidates = (insertion(stop, closing),)
    return Diagnosis(opened, stop, message, title="Close the quote", candidates=candidates)


def after_quote(patient: Patient, at: int) -> Diagnosis | None:
    """Report text behind a closing quote, as in `'it's here'`."""
    line = patient.line_of(at)
    start = patient.value_start(line)
    quote = patient.text[start : start + 1]
    if quote not in ("'", '"') or start >= at:
        return None
    stop = patient.body_end(start)
    body = patient.text[start + 1 : stop - 1]
    stray = patient.text.rfind(quote, start + 1, at)
    if stray < 0:
        return None
    ends_with_quote = patient.text[stop - 1] == quote and stop > at
    patient.take_value(line, at)
    if not ends_with_quote:
        return Diagnosis(at, max(stop, at + 1), "nothing more may follow the closing quote")
    doubled = "''" if quote == "'" else '\\"'
    message = f"this quote ends the text too early; write `{doubled}` for a quote inside it"
    other = '"' if quote == "'" else "'"
    written = f"{other}{body}{other}"
    if other in body or (other == '"' and "\\" in body) or (other == "'" and "\\" in body):
        written = f"{quote}{body.replace(quote, doubled)}{quote}"
    edits = ((SyntaxEdit(start, stop, written),),)
    return Diagnosis(stray, stray + 1, message, title="Quote the whole text", candidates=edits)


def other(patient: Patient, at: int, opened: int, problem: str) -> Diagnosis:
    """Report what no other function of this module knows."""
    line = patient.line_of(at)
    while line > 0 and not patient.line(line).strip():
        line -= 1
    start, stop = patient.content(line)
    if start < at < stop:
        start = at
    char = patient.text[start : start + 1]
    if char in ("]", "}") and char:
        return extra(patient, start)
    message = f"this is not valid YAML: {problem or 'it cannot be read'}"
    title = ""
    candidates: tuple[tuple[SyntaxEdit, ...], ...] = ()
    value = patient.value_start(line)
    if "block sequence entries" in problem:
        message = "a list cannot start on the line of its key; put `- ` on the next line"
    elif "undefined tag handle" in problem:
        message = "this tag uses a handle that no `%TAG` line defines"
        start = value
    elif "mapping keys are not allowed" in problem or "expected node content" in problem:
        shown = "? " if char == "?" else char
        message = f"a value cannot start with `{printable(shown)}`; quote it"
        title, candidates = "Quote the value", quoting(patient.text, value, stop)
    elif "document start" in problem:
        return _document_start(patient, line)
    patient.take_value(line, at)
    return Diagnosis(start, max(stop, start), message, title=title, candidates=candidates)


def anchor_name(patient: Patient, opened: int) -> Diagnosis:
    """Report `*` or `&` without a name behind it."""
    char = patient.text[opened]
    inside = enclosing(patient, opened) is not None
    match = (_FLOW_TOKEN if inside else _BLOCK_TOKEN).match(patient.text, opened)
    stop = match.end() if match else opened + 1
    what = "an alias" if char == "*" else "an anchor"
    candidates = quoting(patient.text, opened, stop)
    patient.hole(opened, stop)
    message = f"`{char}` starts {what} and needs a name behind it; quote the value to mean the text"
    return Diagnosis(opened, stop, message, title="Quote the value", candidates=candidates)


def block_header(patient: Patient, opened: int) -> Diagnosis:
    """Report text on the line of `|` or `>`."""
    line = patient.line_of(opened)
    char = patient.text[opened]
    stop = patient.body_end(opened)
    if opened < patient.value_start(line):
        patient.blank_block(line)
        return Diagnosis(
            opened, opened + 1, f"a key cannot start with `{char}`; quote or delete it"
        )
    head = re.compile(r"[|>][-+0-9]*").match(patient.text, opened)
    start = head.end() if head else opened + 1
    body = start + len(patient.text[start:stop]) - len(patient.text[start:stop].lstrip())
    last = patient.block_end(line, patient.key_column(line))
    indent = patient.key_column(line) + 2 if last == line else patient.indent(line + 1)
    break_ = re.compile(r"\r\n|\n|\r").search(patient.text, stop)
    moved = ((SyntaxEdit(start, body, f"{break_[0] if break_ else chr(10)}{' ' * indent}"),),)
    whole = quoting(patient.text, opened, stop)
    patient.take_value(line, opened)
    if char == ">" and last == line:
        message = "a value cannot start with `>`; quote it"
        return Diagnosis(opened, stop, message, title="Quote the value", candidates=whole)
    message = f"the text of `{char}` starts on the next line; nothing may follow on this one"
    return Diagnosis(body, stop, message, title="Move to the next line", candidates=moved)


def directive(patient: Patient, at: int) -> Diagnosis:
    """Report a line that starts with `%`, which YAML keeps for directives."""
    return _directive(patient, patient.line_of(at))


def _directive(patient: Patient, line: int) -> Diagnosis:
    start, stop = patient.content(line)
    patient.blank(line, line)
    if patient.original.startswith(("%YAML", "%TAG"), start):
        message = "`---` must follow the `%` lines at the top of a file"
    else:
        message = "a line cannot start with `%`, which YAML keeps for directives; quote the key"
    return Diagnosis(start, stop, message)


def _document_start(patient: Patient, line: int) -> Diagnosis:
    """Report what follows when the document is over, or comes before it starts."""
    above = patient.above(line)
    if above is not None and patient.line(above).startswith("%"):
        return _directive(patient, above)
    start, stop = patient.content(line)
    patient.blank(line, len(patient.lines) - 1)
    message = "the document ends above, so nothing more may stand here"
    return Diagnosis(start, max(stop, start), message)
