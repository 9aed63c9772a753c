"""The parser's complaints about keys, list items and indentation, said as a person would."""

from typing import Final

from osiris_lsp.recovery.brackets import extra
from osiris_lsp.recovery.patient import KEY, Diagnosis, Patient, insertion, quoting
from osiris_lsp.text import lazy
from osiris_lsp.tree import SyntaxEdit

_NO_SPACE: Final = lazy(r"\s*(?:-\s+)*[A-Za-z_][\w.-]*:(?=[^\s/:])")
_EQUALS: Final = lazy(r"\s*(?:-\s+)*[A-Za-z_][\w.-]*(\s*=\s*)(?=[^\s=])")
_DASH: Final = lazy(r"\s*(-)[A-Za-z_\"'{\[][^\r\n]*")
_BLOCK_HEADER: Final = lazy(r"[|>][-+0-9]*\s*(?:#.*)?$")
_NAME: Final = lazy(r"[A-Za-z_][\w.-]*")
_WORD: Final = lazy(r"[a-z_][a-z0-9_]*")


def mapping_value(patient: Patient, at: int) -> Diagnosis:
    """Report a colon where no key may stand."""
    line = patient.line_of(at)
    span = patient.lines.line_span(line)
    text = patient.line(line)
    key = KEY.match(text)
    colon = at - span.start
    if key and key.end() <= colon and text[key.end() : colon].strip():
        return _second_colon(patient, line, at)
    if key and key.end() <= colon:
        end = at + 1 + len(text[colon + 1 :]) - len(text[colon + 1 :].lstrip())
        edits = ((SyntaxEdit(at, end, ""),),)
        patient.take_value(line, at)
        message = "there is one `:` too many behind this key"
        return Diagnosis(at, at + 1, message, title="Delete the `:`", candidates=edits)
    above = patient.above(line)
    start = span.start + patient.indent(line)
    if above is not None:
        found = no_pair(patient, above) or _dashless_space(patient, above)
        if found is not None:
            return found
        parent: int | None = above
        while parent is not None and patient.indent(parent) > patient.indent(line):
            parent = patient.above(parent)
        for candidate in (parent, above):
            if candidate is None or not _is_bare(patient, candidate):
                continue
            if candidate == above or patient.indent(candidate) == patient.indent(line):
                return _not_a_pair(patient, candidate)
        if patient.indent(above) < patient.indent(line):
            return _too_deep(patient, line, patient.key_column(above), at)
        if ":" not in patient.line(above):
            return _not_a_pair(patient, above)
    message = "a `key: value` pair cannot stand here; check the indentation"
    patient.blank_block(line)
    return Diagnosis(start, max(at, start), message)


def _is_bare(patient: Patient, line: int) -> bool:
    """Tell whether a line is a single word, as a key without its colon is."""
    if KEY.match(patient.line(line)):
        return False
    start = patient.value_start(line)
    return _NAME.fullmatch(patient.text, start, patient.body_end(start)) is not None


def _too_deep(patient: Patient, line: int, column: int, at: int) -> Diagnosis:
    """Report a line below one that has a value already, and hide what hangs on it."""
    start = patient.lines.starts[line] + patient.indent(line)
    last = patient.block_end(line, column)
    own = patient.block_end(line)
    alone = all(
        patient.indent(below) < patient.indent(line)
        for below in range(own + 1, last + 1)
        if patient.line(below).strip()
    )
    edits = _shifted(patient, line, column) if alone else ()
    patient.blank(line, last)
    message = (
        "this line is indented deeper than the line above, although that line has a value already; "
        "check the indentation"
    )
    title = "Align with the line above"
    return Diagnosis(start, max(at, start), message, title=title, candidates=edits)


def _second_colon(patient: Patient, line: int, at: int) -> Diagnosis:
    start = patient.value_start(line)
    stop = patient.body_end(start)
    first = patient.text[start:at].strip()
    candidates = quoting(patient.text, start, stop)
    patient.take_value(line, at)
    if _WORD.fullmatch(first):
        message = "a second key cannot stand on this line; put it on the next, or quote the value"
        return Diagnosis(start, at + 1, message)
    message = "the value holds a second `: `; quote it"
    return Diagnosis(start, stop, message, title="Quote the value", candidates=candidates)


def no_pair(patient: Patient, line: int) -> Diagnosis | None:
    """Report a key and a value without `: ` between them: `host:db`, `host = db`."""
    text = patient.line(line)
    if KEY.match(text):
        return None
    start = patient.lines.starts[line]
    glued = _NO_SPACE.match(text)
    if glued:
        colon = start + glued.end()
        message = "a space is missing behind this `:`"
        patient.blank_block(line)
        edits = (insertion(colon, " "),)
        return Diagnosis(colon - 1, colon, message, title="Insert the space", candidates=edits)
    equals = _EQUALS.match(text)
    if equals:
        first, last = start + equals.start(1), start + equals.end(1)
        sign = start + text.index("=", equals.start(1))
        patient.blank_block(line)
        message = "`: ` must stand between a key and its value, not `=`"
        edits_ = ((SyntaxEdit(first, last, ": "),),)
        return Diagnosis(sign, sign + 1, message, title="Change to `: `", candidates=edits_)
    return None


def _dashless_space(patient: Patient, line: int) -> Diagnosis | None:
    """Report a list item without the space behind its dash: `-id: a`."""
    text = patient.line(line)
    match = _DASH.match(text)
    if match is None or text.lstrip().startswith("---"):
        return None
    at = patient.lines.starts[line] + match.start(1)
    patient.blank_block(line)
    message = "a space is missing behind this `-`"
    edits = (insertion(at + 1, " "),)
    return Diagnosis(at, at + 1, message, title="Insert the space", candidates=edits)


def missing_colon(patient: Patient, opened: int) -> Diagnosis:
    """Report a line that is no pair and no list item."""
    line = patient.line_of(opened)
    found = no_pair(patient, line)
    if found is not None:
        return found
    above = patient.above(line)
    text = patient.line(line)
    parent = above
    while parent is not None and patient.indent(parent) >= patient.indent(line):
        parent = patient.above(parent)
    if parent is not None and _is_bare(patient, parent):
        return _not_a_pair(patient, parent)
    if above is not None and patient.indent(above) == patient.indent(line):
        if patient.line(above).lstrip().startswith("- "):
            dash = _dashless_space(patient, line)
            if dash is not None:
                return dash
            start = patient.lines.starts[line] + patient.indent(line)
            stop = patient.body_end(start)
            patient.blank_block(line)
            message = "this list item lacks the `- ` in front of it"
            edits = (insertion(start, "- "),)
            return Diagnosis(start, stop, message, title="Insert `- `", candidates=edits)
        if text.lstrip().startswith("-"):
            dash = _dashless_space(patient, line)
            if dash is not None:
                return dash
    return _not_a_pair(patient, line)


def _not_a_pair(patient: Patient, line: int) -> Diagnosis:
    start, stop = patient.content(line)
    dashes = patient.value_start(line)
    start = dashes if dashes < stop and not KEY.match(patient.line(line)) else start
    message = "this line is no `key: value` pair; add the colon and the value"
    following = next(patient.below(line), None)
    if (
        following is not None
        and patient.indent(following) == patient.indent(line)
        and patient.line(following).lstrip().startswith("- ")
        and not patient.line(line).lstrip().startswith("- ")
    ):
        patient.blank(line, patient.run_end(following))
    else:
        patient.blank_block(line)
    return Diagnosis(start, max(stop, start), message)


def _shifted(patient: Patient, line: int, column: int) -> tuple[tuple[SyntaxEdit, ...], ...]:
    """Return the candidates that indent a line by `column`: with its block, or alone."""
    indent = patient.indent(line)
    delta = column - indent
    edits = []
    for below in range(line, patient.block_end(line) + 1):
        start = patient.lines.starts[below]
        if patient.line(below).strip():
            new = patient.indent(below) + delta
            edits.append(SyntaxEdit(start, start + patient.indent(below), " " * max(new, 0)))
    whole = tuple(edits)
    return (whole, whole[:1]) if len(whole) > 1 else (whole,)


def expected_key(patient: Patient, at: int, listed: bool) -> Diagnosis:
    """Report a line that does not fit its neighbours; `listed` where these are list items."""
    text = patient.text
    line = patient.line_of(at)
    while line > 0 and not patient.line(line).strip():
        line -= 1
    start, stop = patient.content(line)
    before = text[start:at].strip(" -") if at <= stop else ""
    if at > start and before:
        if text[at : at + 1] in ("]", "}"):
            return extra(patient, at)
        patient.take_value(line, at)
        return Diagnosis(at, max(stop, at + 1), "nothing more may follow the value on this line")
    if text[at : at + 1] == ":" and at <= stop:
        patient.blank_block(line)
        return Diagnosis(at, at + 1, "a key is missing in front of this `:`")
    found = _falls_out(patient, line)
    if found is not None:
        return found
    if text.startswith("- ", start) or text[start:stop] == "-":
        return _misplaced_item(patient, line, listed)
    return _key_among_items(patient, line) if listed else _misplaced_key(patient, line)


def _misplaced_key(patient: Patient, line: int) -> Diagnosis:
    """Report a key that is not in line with the keys around it."""
    column = _neighbour(patient, line)
    above = patient.above(line)
    if column is None or above is None:
        start, stop = patient.content(line)
        if above is not None and patient.key_column(above) < patient.indent(line):
            at = start + len(patient.text[start:stop].partition(":")[0])
            return _too_deep(patient, line, patient.key_column(above), at)
        patient.blank(line, patient.run_end(line))
        message = "expected a key here; check the indentation"
        return Diagnosis(start, max(stop, start + 1), message)
    odd, right = line, column
    siblings = [
        below
        for below in range(line, patient.run_end(line) + 1)
        if patient.indent(below) == patient.indent(line) and patient.line(below).strip()
    ]
    before = patient.above(above)
    first = before is None or patient.indent(before) < column
    if len(siblings) > 1 and first and patient.indent(above) == column:
        odd, right = above, patient.indent(line)
    start, stop = patient.content(odd)
    edits = _shifted(patient, odd, right)
    message = f"this line is indented by {_spaces(patient.indent(odd))}, its neighbours by {right}"
    value = patient.value_start(odd)
    if value < stop and patient.text[value] not in "|>":
        patient.blank(odd, odd)
    else:
        patient.blank(odd, patient.block_end(odd, min(column, patient.indent(odd))))
    title = "Align with its neighbours"
    return Diagnosis(start, max(stop, start + 1), message, title=title, candidates=edits)


def _falls_out(patient: Patient, line: int) -> Diagnosis | None:
    """Report a line of a block scalar that is not indented deep enough."""
    indent = patient.indent(line)
    above = patient.above(line)
    start, stop = patient.content(line)
    if above is not None and indent <= patient.key_column(above):
        header = _BLOCK_HEADER.search(patient.line(above))
        if header is not None and KEY.match(patient.line(above)):
            last = line
            for below in patient.below(line):
                if patient.indent(below) < indent:
                    break
                last = below
            patient.blank(line, last)
            message = f"the text of `{header[0][0]}` must be indented deeper than its key"
            return Diagnosis(start, stop, message)
    found = _header_above(patient, line)
    if found is None:
        return None
    header_line, first = found
    width = patient.indent(first) - indent
    last = patient.block_end(line, patient.key_column(header_line))
    edits = _shifted(patient, line, patient.indent(first)) if last == line else ()
    patient.blank(line, last)
    message = (
        "this line is indented less than the first line of the text above, which ends the text; "
        f"indent it by {width} more"
    )
    return Diagnosis(start, stop, message, title="Indent it", candidates=edits)


def _header_above(patient: Patient, line: int) -> tuple[int, int] | None:
    """Return the header line of a block scalar that a line falls out of, and its first line."""
    indent = patient.indent(line)
    above = patient.above(line)
    first = None
    for _ in range(200):
        if above is None:
            return None
        if patient.indent(above) < indent:
            break
        first = above
        above = patient.above(above)
    if above is None or first is None or patient.indent(first) <= indent:
        return None
    return (above, first) if _BLOCK_HEADER.search(patient.line(above)) else None


def _neighbour(patient: Patient, line: int) -> int | None:
    """Return the column of the keys above where a line misses it by one or two spaces."""
    above = patient.above(line)
    if above is None:
        return None
    indent = patient.indent(line)
    column = patient.key_column(above)
    return column if 0 < abs(column - indent) <= 1 else None


def _misplaced_item(patient: Patient, line: int, listed: bool) -> Diagnosis:
    indent = patient.indent(line)
    start, stop = patient.content(line)
    above = patient.above(line)
    for _ in range(200):
        if above is None or patient.indent(above) < indent - 3:
            break
        if patient.line(above).lstrip().startswith("- ") and patient.indent(above) != indent:
            column = patient.indent(above)
            if abs(column - indent) > 3:
                break
            if patient.run_end(line) > patient.block_end(line) and _is_first(patient, above):
                return _misaligned_first(patient, above, indent)
            edits = _shifted(patient, line, column)
            message = f"this list item is indented by {_spaces(indent)}, those above by {column}"
            patient.blank_block(line)
            title = "Align with those above"
            return Diagnosis(start, stop, message, title=title, candidates=edits)
        above = patient.above(above)
    message = "a list item cannot stand here, among keys; check the indentation"
    if listed:
        message = "this list item does not fit the list around it; check the indentation"
    patient.blank(line, patient.run_end(line))
    return Diagnosis(start, stop, message)


def _is_first(patient: Patient, line: int) -> bool:
    """Tell whether a line is the first child of the line above it."""
    above = patient.above(line)
    return above is None or not patient.line(above).lstrip().startswith("- ")


def _misaligned_first(patient: Patient, line: int, column: int) -> Diagnosis:
    start, stop = patient.content(line)
    edits = _shifted(patient, line, column)
    indent = _spaces(patient.indent(line))
    message = f"this list item is indented by {indent}, those below by {column}"
    patient.blank_block(line)
    return Diagnosis(start, stop, message, title="Align with those below", candidates=edits)


def _spaces(count: int) -> str:
    return "1 space" if count == 1 else f"{count} spaces"


def _key_among_items(patient: Patient, line: int) -> Diagnosis:
    start, stop = patient.content(line)
    indent = patient.indent(line)
    last = line
    for below in range(line + 1, len(patient.lines)):
        text = patient.line(below)
        if text.strip():
            if patient.indent(below) < indent or text.lstrip().startswith("- "):
                break
            last = below
    patient.blank(line, last)
    message = (
        "this line stands among the items of a list; indent it so that it belongs to the item "
        "above, or put `- ` in front of it"
    )
    return Diagnosis(start, stop, message)
