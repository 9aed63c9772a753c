"""What is wrong inside `[ ]` and `{ }`, and how to hide it."""

import re
from typing import Final, NamedTuple

from osiris_lsp.recovery.patient import Diagnosis, Patient, insertion
from osiris_lsp.text import lazy
from osiris_lsp.tree import SyntaxEdit

CLOSING: Final = {"[": "]", "{": "}"}
_OPENING: Final = {"]": "[", "}": "{"}
_VARIABLE: Final = lazy(r"\$\{[A-Za-z_][\w.-]*(?::[^{}\r\n]*)?\}")
_HALF_VARIABLE: Final = lazy(r"\$\{[A-Za-z_]\w*(?![\w}:])")
_QUOTED: Final = lazy(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""", re.DOTALL)
_STEP: Final = lazy(r"""[\[\]{}"'#\r\n]""")
_WORD: Final = lazy(r"(?:[^\s,\[\]{}:]|:(?=\S))*")
_BLANK: Final = lazy(r"\s*")
_MAX_LINES: Final = 50


class Extent(NamedTuple):
    """How far a flow collection reaches.

    `unclosed` holds the brackets that are never closed, the outermost first, `last` the end of the
    text in it, `mismatch` the first closing bracket of the wrong kind, `around` what is open there.
    """

    end: int
    unclosed: tuple[int, ...]
    last: int
    mismatch: int | None
    around: tuple[int, ...] = ()


def extent(patient: Patient, opener: int) -> Extent:
    """Follow a flow collection to its end, or to the first line that cannot belong to it."""
    text = patient.text
    line = patient.line_of(opener)
    before = patient.line(line)[: opener - patient.lines.starts[line]]
    column = patient.indent(line) if before.strip() else -1
    stack: list[int] = []
    mismatch: int | None = None
    around: tuple[int, ...] = ()
    at = last = begin = opener
    while True:
        step = _STEP.search(text, at)
        at = len(text) if step is None else step.start()
        written = text[begin:at].rstrip()
        last = begin + len(written) if written else last
        begin = at
        if step is None:
            break
        char = step[0]
        if char in "\r\n":
            ahead = _BLANK.match(text, at)
            following = ahead.end() if ahead else at
            if following >= len(text):
                break
            below = patient.line_of(following)
            if patient.indent(below) <= column and text[following] not in "]}":
                break
            at = begin = following
        elif char == "#" and text[at - 1] in " \t\r\n":
            at = begin = patient.lines.line_span(patient.line_of(at)).end
        elif char in "\"'" and text[at - 1] in " \t\r\n[{,:":
            quoted = _QUOTED.match(text, at)
            at = quoted.end() if quoted else at + 1
        else:
            at += 1
            if char in CLOSING:
                stack.append(at - 1)
            elif char in _OPENING:
                if text[stack[-1]] != _OPENING[char] and mismatch is None:
                    mismatch, around = at - 1, tuple(stack)
                stack.pop()
                if not stack:
                    return Extent(at, (), at, mismatch, around)
    return Extent(at, tuple(stack), last, mismatch, around)


def enclosing(patient: Patient, offset: int) -> int | None:
    """Return the outermost bracket that an offset lies in, or None."""
    found = None
    line = patient.line_of(offset)
    for candidate in range(line, max(line - _MAX_LINES, -1), -1):
        start = patient.value_start(candidate)
        if start < offset and patient.text[start : start + 1] in CLOSING:
            reach = extent(patient, start)
            if reach.end > offset or (reach.unclosed and reach.last >= offset):
                found = start
        if patient.indent(candidate) == 0 and patient.line(candidate).strip():
            break
    return found


def flow(patient: Patient, opened: int, at: int) -> Diagnosis:
    """Say what is wrong in the flow collection around `at`, and take it out."""
    opener = enclosing(patient, at)
    if opener is None:
        opener = enclosing(patient, opened + 1)
    if opener is None:
        opener = opened
    if patient.text[opener : opener + 1] not in CLOSING:
        patient.take_value(patient.line_of(at), at)
        return Diagnosis(at, at + 1, "this is not valid inside brackets")
    reach = extent(patient, opener)
    found = _variables(patient, opener, reach)
    if found is None and reach.mismatch is not None:
        found = _mismatch(patient, reach, reach.mismatch)
    if found is None and reach.unclosed:
        found = _unclosed(patient, reach)
    if found is None:
        found = _inside(patient, opened, at)
    end = reach.last if reach.unclosed else reach.end
    patient.put(opener, end, " ")
    patient.hole(opener, max(patient.body_end(opener), opener + 1))
    return found


def _variables(patient: Patient, opener: int, reach: Extent) -> Diagnosis | None:
    """Report variables without quotes: their braces mean a mapping here."""
    text = patient.text[opener : reach.end]
    bare = _QUOTED.sub(lambda match: " " * len(match[0]), text)
    edits: list[SyntaxEdit] = []
    first = None
    for match in _VARIABLE.finditer(bare):
        start, end = _token(bare, *match.span())
        if first is None:
            first = (opener + match.start(), opener + match.end())
        if not edits or edits[-1].end <= opener + start:
            quote = "'" if '"' in text[start:end] else '"'
            body = f"{quote}{text[start:end]}{quote}"
            edits.append(SyntaxEdit(opener + start, opener + end, body))
    if first is not None:
        message = "a variable inside `{ }` or `[ ]` must be quoted"
        title = "Quote the variable" if len(edits) == 1 else "Quote the variables"
        return Diagnosis(*first, message, title=title, candidates=(tuple(edits),))
    half = _HALF_VARIABLE.search(bare)
    if half is None:
        return None
    start, end = opener + half.start(), opener + half.end()
    message = "this variable has no closing `}`, and inside `{ }` or `[ ]` it must be quoted"
    edit = SyntaxEdit(start, end, f'"{half[0]}}}"')
    return Diagnosis(start, end, message, title="Close and quote it", candidates=((edit,),))


def _token(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen the range of a variable to the plain scalar of a flow collection that holds it."""
    while start > 0 and text[start - 1] not in "[{,\r\n" and text[start - 2 : start] != ": ":
        start -= 1
    while start < end and text[start] in " \t":
        start += 1
    while end < len(text) and text[end] not in ",]}\r\n" and text[end : end + 2] != ": ":
        variable = _VARIABLE.match(text, end)
        end = variable.end() if variable else end + 1
    return start, start + len(text[start:end].rstrip())


def _mismatch(patient: Patient, reach: Extent, at: int) -> Diagnosis:
    text = patient.text
    top = reach.around[-1]
    bracket, wrong = text[top], text[at]
    closing = CLOSING[bracket]
    if any(text[place] == _OPENING[wrong] for place in reach.around[:-1]):
        message = f"the `{bracket}` that opens here is not closed with `{closing}`"
        place = at - (len(text[top:at]) - len(text[top:at].rstrip()))
        edits = (insertion(place, closing),)
        return Diagnosis(top, top + 1, message, title="Close the bracket", candidates=edits)
    message = f"this closes the `{bracket}` that opened before; it must be `{closing}`"
    replaced = ((SyntaxEdit(at, at + 1, closing),),)
    title = f"Change to `{closing}`"
    return Diagnosis(at, at + 1, message, title=title, candidates=replaced)


def _unclosed(patient: Patient, reach: Extent) -> Diagnosis:
    text = patient.text
    first = reach.unclosed[0]
    closing = "".join(CLOSING[text[place]] for place in reversed(reach.unclosed))
    bracket = text[first]
    message = f"the `{bracket}` that opens here is not closed with `{CLOSING[bracket]}`"
    line = patient.line_of(first)
    end = patient.body_end(first)
    candidates = [insertion(reach.last, closing)]
    if reach.last > end and end == first + 1:
        indent = re.match(r"\s*", patient.line(line))
        break_ = re.compile(r"\r\n|\n|\r").search(text, end)
        own = f"{break_[0] if break_ else ''}{indent[0] if indent else ''}{closing}"
        candidates.insert(
            0, insertion(patient.lines.line_span(patient.line_of(reach.last)).end, own)
        )
    stop = max(min(end, reach.last), first + 1)
    title = "Close the bracket" if len(closing) == 1 else "Close the brackets"
    return Diagnosis(first, stop, message, title=title, candidates=tuple(candidates))


def _inside(patient: Patient, opened: int, at: int) -> Diagnosis:
    """Say what is wrong at a place in brackets that are all closed."""
    text = patient.text
    at = min(at, max(len(text) - 1, 0))
    char = text[at]
    if char in ",":
        return Diagnosis(at, at + 1, "a value is missing in front of this `,`")
    if char in "?-|>%@`&*!":
        message = f"a value cannot start with `{char}` here; quote it"
        if char == "-":
            message = "`- ` cannot stand inside brackets; separate the items with `,`"
        return Diagnosis(at, at + 1, message)
    start = at
    if char == ":":
        while start > opened and not text[start - 1].isspace():
            start -= 1
    before = start - (len(text[opened:start]) - len(text[opened:start].rstrip()))
    bracket = text[opened : opened + 1]
    closing = CLOSING.get(bracket, "")
    if start == before or text[before - 1 : before] in "[{,:":
        message = f"expected `,` or `{closing}` here" if closing else "this is not valid here"
        return Diagnosis(at, at + 1, message)
    end = at if char == ":" else _word_end(text, start)
    message = "a `,` is missing in front of this"
    edits = (insertion(before, ","),)
    return Diagnosis(
        start, max(end, start + 1), message, title="Insert the comma", candidates=edits
    )


def _word_end(text: str, start: int) -> int:
    quoted = _QUOTED.match(text, start)
    if quoted:
        return quoted.end()
    match = _WORD.match(text, start)
    return match.end() if match else start


def extra(patient: Patient, at: int) -> Diagnosis:
    """Report a closing bracket that nothing opened."""
    char = patient.text[at]
    patient.take_value(patient.line_of(at), at)
    message = f"there is no `{_OPENING[char]}` for this `{char}`"
    edits = ((SyntaxEdit(at, at + 1, ""),),)
    return Diagnosis(at, at + 1, message, title=f"Delete the `{char}`", candidates=edits)
