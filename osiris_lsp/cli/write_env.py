"""Move secrets that are written out into `.env` for `lint --write-env`."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from osiris_lsp import fixes
from osiris_lsp.batch import FileResult, Job, Worker
from osiris_lsp.cli.outcome import Outcome
from osiris_lsp.documents import Document
from osiris_lsp.envfile import EnvFileError, variables
from osiris_lsp.finding import Edit
from osiris_lsp.project import read_file
from osiris_lsp.relocation import (
    Literal,
    Names,
    Uses,
    dotenv_path,
    literals,
    relocation,
    transfer,
)
from osiris_lsp.secret import Secret
from osiris_lsp.sensitive import pieces
from osiris_lsp.text import printable


class _Plan(NamedTuple):
    """What a file becomes: its text, what goes into `.env`, what is left, and why some stays."""

    text: str
    moved: Mapping[str, Secret]
    left: FileResult
    refused: tuple[str, ...]


class _Replacement(NamedTuple):
    """A new text for a file."""

    path: str
    before: str
    after: str

    def write(self) -> None:
        """Replace the text; raises OSError."""
        fixes.write(self.path, self.before, self.after)

    def is_written(self) -> bool:
        """Tell whether the file holds the new text."""
        return read_file(self.path)[0] == self.after


def move_secrets(job: Job, results: Iterable[FileResult], outcome: Outcome) -> list[FileResult]:
    """Move the secrets that findings report, of each file all or none; return what is left."""
    uses = Uses(job.project)
    return [_moved(job, result, uses, outcome) for result in results]


def _moved(job: Job, result: FileResult, uses: Uses, outcome: Outcome) -> FileResult:
    if not any(_is_secret(finding.code) for finding in result.findings):
        return result
    path, name = result.path, os.path.relpath(result.path)
    before, problem = read_file(path)
    document = job.project.open(path, before, kind=job.kind, any_yaml=job.any_yaml)
    if problem is not None or document is None or path in job.project.overlay:
        return result
    if next(literals(document), None) is None:
        return result
    dotenv = dotenv_path(document, job.project)
    # A comment may have a moved secret once more.
    job = job._replace(hidden=pieces(before, document.secret_spans))
    try:
        plan = _planned(job, path, before, variables(dotenv), uses.beside(document))
        if plan.moved:
            transfer(dotenv, plan.moved, _Replacement(path, before, plan.text))
    except (EnvFileError, OSError) as error:
        reason = getattr(error, "strerror", None)
        shown = f"{name}: {reason.lower()}" if reason else str(error)
        print(f"osiris-lsp: error: secrets not moved: {printable(shown)}", file=sys.stderr)
        outcome.errors += 1
        return result
    for reason in plan.refused:
        print(f"osiris-lsp: note: not moved: {printable(f'{name}:{reason}')}", file=sys.stderr)
    if not plan.moved:
        return result
    listed = ", ".join(f"`{variable}`" for variable in plan.moved)
    note = f"{name} now takes {listed} from {os.path.relpath(dotenv)}"
    print(f"osiris-lsp: note: {printable(note)}", file=sys.stderr)
    outcome.moved += len(plan.moved)
    return plan.left


def _is_secret(code: str) -> bool:
    return code.startswith("OSR3")


def _planned(
    job: Job,
    path: str,
    text: str,
    known: Mapping[str, str | None],
    beside: Mapping[str, set[str | None]],
) -> _Plan:
    """Replace literals until none is left that can be; one per value and round."""
    moved: dict[str, Secret] = {}
    while True:
        project = job.project.overlaid(path, text)
        worker = Worker(job._replace(project=project, keep=True))
        left = worker.lint(path)
        document = project.open(path, kind=job.kind, any_yaml=job.any_yaml)
        if document is None:
            return _Plan(text, moved, left, ())
        names = Names(document, known, moved, beside)
        edits: list[Edit] = []
        refused: list[str] = []
        seen: set[int] = set()
        for literal in _reported(document, left):
            if id(literal.node) in seen:
                continue
            seen.add(id(literal.node))
            line = document.tree.lines.position(literal.node.start).line + 1
            name = names.of(literal)
            if name is None:
                refused.append(f"{line}: `{literal.variable}` has another value or default already")
                continue
            found = relocation(document, literal, name)
            if found is None:
                refused.append(f"{line}: the value is written in a way that cannot be replaced")
                continue
            moved[name] = literal.secret
            edits.extend(found)
        if not edits:
            return _Plan(text, moved, left, tuple(refused))
        text = fixes.spliced(text, edits)


def _reported(document: Document, result: FileResult) -> Iterator[Literal]:
    """Yield the literals that a finding is about; a comment may allow the others."""
    spans = [finding.span for finding in result.findings if _is_secret(finding.code)]
    for literal in literals(document):
        found = document.tree.value_span(literal.node, literal.part.start, literal.part.end)
        if any(span.start < found.end and found.start < span.end for span in spans):
            yield literal
