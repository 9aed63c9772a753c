"""Repair a text that does not parse without moving a character, so that the rest stays checked.

Each round takes the parser's complaint, says it as a person would, and hides the smallest piece
that explains it: a character is replaced, a value is taken out, or a line and the lines below it
that are indented more are blanked. Positions stay valid because the length never changes.
"""

from collections.abc import Sequence
from typing import Final

import yaml

from osiris_lsp.compose import TooDeepError, compose
from osiris_lsp.recovery import brackets, layout, repairs
from osiris_lsp.recovery.patient import Diagnosis, Patient
from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import MAX_DEPTH, SyntaxEdit, SyntaxProblem, Tree

MAX_ROUNDS: Final = 100
"""Syntax problems that are told apart in one file."""

MAX_LAST: Final = 100
"""Rounds more in which complaints are hidden without a word, as those that follow from others."""

MAX_WORK: Final = 4_000_000
"""Characters that are parsed again and again before the rest of a file is given up."""

NEAR: Final = 4
FAR: Final = 500
"""Lines above an error in which a quote that is never closed is looked for."""

_SURROGATES: Final = lazy("[\ud800-\udfff]")

_Case = tuple[Diagnosis, Sequence[Span]]


def recover(text: str) -> Tree:
    """Parse a text that PyYAML refuses; the tree holds what is not broken."""
    patient = Patient(text)
    cases: list[_Case] = []
    if _SURROGATES.search(text):
        found = repairs.control(patient)
        if found is not None:
            cases.append((found, tuple(patient.touched)))
    work = 0
    tree = None
    for _ in range(MAX_ROUNDS + MAX_LAST):
        try:
            tree = compose(text, patient.text, patient.holes)
            break
        except yaml.YAMLError as error:
            work += _cost(patient, error)
            previous = patient.text
            if work > 2 * MAX_WORK and cases:
                line = patient.line_of(min(case.start for case, _ in cases))
                if line in patient.blanked and work > 3 * MAX_WORK:
                    break
                patient.blank(line, len(patient.lines) - 1)
            elif work > MAX_WORK and cases:
                _give_up(patient, error)
            elif len(cases) < MAX_ROUNDS:
                _repair(patient, error, cases)
            if patient.text == previous:
                _give_up(patient, error)
                if patient.text == previous:
                    break
    problems = _problems(patient, cases, MAX_WORK - work)
    if tree is None:
        return Tree(text, (), (), (), (), problems)
    problems += tree.problems
    return Tree(text, tree.roots, tree.maps, tree.anchors, tree.aliases, problems)


def _cost(patient: Patient, error: yaml.YAMLError) -> int:
    """Return the characters that were read up to an error; brackets cost libyaml their square."""
    at = _mark(patient, error, "problem_mark", len(patient.text))
    brackets_ = patient.text.count("[", 0, at) + patient.text.count("{", 0, at)
    return at + brackets_ * brackets_ // 100


def _repair(patient: Patient, error: yaml.YAMLError, cases: list[_Case]) -> None:
    """Hide what a complaint is about, and note what is wrong there."""
    gone = frozenset(patient.blanked)
    patient.touched = []
    found = _diagnose(patient, error)
    if found is not None and not _is_known(patient, found, cases, gone):
        cases.append((found, tuple(patient.touched)))


def _is_known(
    patient: Patient, found: Diagnosis, cases: Sequence[_Case], gone: frozenset[int]
) -> bool:
    """Tell whether a complaint only follows from one before it."""
    if not cases:
        return False
    return patient.line_of(found.start) in gone or any(
        found.start < known.end and known.start < found.end for known, _ in cases
    )


def _problems(patient: Patient, cases: Sequence[_Case], work: int) -> list[SyntaxProblem]:
    """Turn diagnoses into problems; a repair is offered where the text parses with it."""
    found = []
    for diagnosis, touched in cases:
        chosen: tuple[SyntaxEdit, ...] = ()
        for edits in diagnosis.candidates:
            work -= len(patient.text)
            if work > 0 and edits and _parses(patient, touched, edits):
                chosen = edits
                break
        size = len(patient.text)
        start = min(diagnosis.start, size)
        end = min(max(diagnosis.end, start), size)
        found.append(diagnosis._replace(start=start, end=end).problem(chosen))
    return sorted(found, key=lambda problem: problem.start)


def _parses(patient: Patient, touched: Sequence[Span], edits: Sequence[SyntaxEdit]) -> bool:
    """Tell whether the text parses with one repair, while all other problems stay hidden."""
    text = patient.text
    for start, end in touched:
        text = text[:start] + _SURROGATES.sub("x", patient.original[start:end]) + text[end:]
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.new_text + text[edit.end :]
    try:
        for _ in yaml.parse(text, yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):
            pass
    except yaml.YAMLError:
        return False
    return True


def _give_up(patient: Patient, error: yaml.YAMLError) -> None:
    """Blank from the line of an error that no repair explains to the end of the text."""
    line = patient.line_of(_mark(patient, error, "problem_mark"))
    while line > 0 and not patient.line(line).strip():
        line -= 1
    patient.blank(line, len(patient.lines) - 1)


def _mark(patient: Patient, error: yaml.YAMLError, name: str, default: int = 0) -> int:
    """Return the offset of a mark of an error; PyYAML does not count a byte order mark."""
    mark = getattr(error, name, None)
    if mark is None:
        return default
    shift = 1 if patient.text[:1] == "\ufeff" else 0
    return min(int(mark.index) + shift, len(patient.text))


def _diagnose(patient: Patient, error: yaml.YAMLError) -> Diagnosis | None:
    if isinstance(error, yaml.reader.ReaderError):
        return repairs.control(patient)
    problem = str(getattr(error, "problem", "") or "")
    context = str(getattr(error, "context", "") or "")
    at = _mark(patient, error, "problem_mark")
    opened = _mark(patient, error, "context_mark", at)
    line = patient.line_of(at)
    if isinstance(error, TooDeepError):
        patient.take_value(line, at)
        return Diagnosis(at, at + 1, f"nested more than {MAX_DEPTH} levels deep; flatten this part")
    while line > 0 and not patient.line(line).strip():
        line -= 1
    for near in dict.fromkeys((line, patient.line_of(opened))):
        found = repairs.conflict(patient, near) or repairs.byte_order_mark(patient, near)
        if found is not None:
            return found
    return (
        _scanning(patient, problem, context, opened, at)
        or _quoting(patient, problem, context, opened, at)
        or _parsing(patient, problem, context, opened, at)
    )


def _scanning(
    patient: Patient, problem: str, context: str, opened: int, at: int
) -> Diagnosis | None:
    """Read what the scanner says about single characters."""
    if "cannot start any token" in problem:
        if patient.text[at - 1 : at] in ("'", '"'):
            cause = repairs.open_quote(patient, patient.line_of(at), FAR)
            if cause is not None:
                return repairs.unclosed(patient, cause)
        return repairs.bad_start(patient, at)
    if "tab character" in problem:
        place = repairs.tab_near(patient, patient.line_of(at))
        return None if place is None else repairs.tab(patient, place)
    if "quoted" in context and ("escape" in problem or "decimal" in problem):
        return repairs.escape(patient, opened, at)
    if "an alias" in context or "an anchor" in context:
        return repairs.anchor_name(patient, opened)
    if "comment or line break" in problem and "block scalar" in context:
        return repairs.block_header(patient, opened)
    if "a directive" in context:
        return repairs.directive(patient, opened)
    return None


def _quoting(
    patient: Patient, problem: str, context: str, opened: int, at: int
) -> Diagnosis | None:
    """Find a quote that is not closed, or closed too early."""
    if "a quoted scalar" in context:
        cause = repairs.open_quote(patient, patient.line_of(opened), NEAR)
        return repairs.unclosed(patient, opened if cause is None else cause)
    line = patient.line_of(at)
    behind = patient.text[:at].rstrip(" ")[-1:] in ("'", '"')
    if behind and "flow" not in context and "mapping values" not in problem:
        found = repairs.after_quote(patient, at) if _starts_quoted(patient, line, at) else None
        if found is not None:
            return found
    cause = repairs.open_quote(patient, line, FAR if behind else NEAR)
    return None if cause is None else repairs.unclosed(patient, cause)


def _starts_quoted(patient: Patient, line: int, at: int) -> bool:
    """Tell whether the value of a line is quoted and ends on it, before an offset."""
    start = patient.value_start(line)
    quote = patient.text[start : start + 1]
    if quote not in ("'", '"'):
        return False
    return patient.text.find(quote, start + 1, at) > 0


def _parsing(patient: Patient, problem: str, context: str, opened: int, at: int) -> Diagnosis:
    """Read what the parser says about the structure."""
    if "flow" in context or (
        "block sequence entries" in problem and brackets.enclosing(patient, at) is not None
    ):
        return brackets.flow(patient, opened, at)
    if "mapping values are not allowed" in problem:
        return layout.mapping_value(patient, at)
    if "could not find expected ':'" in problem:
        return layout.missing_colon(patient, opened)
    if "expected key" in problem or "expected '-' indicator" in problem:
        return layout.expected_key(patient, at, "indicator" in problem)
    return repairs.other(patient, at, opened, problem)
