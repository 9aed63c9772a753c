"""Apply the fixes of files for `lint --fix` and `lint --diff`."""

import argparse
import difflib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TextIO

from osiris_lsp import fixes
from osiris_lsp.batch import FileResult, Job, Worker
from osiris_lsp.cli.outcome import Outcome
from osiris_lsp.discovery import Kind
from osiris_lsp.documents import Document
from osiris_lsp.project import Project
from osiris_lsp.reports import Style
from osiris_lsp.reports.paint import paint
from osiris_lsp.reports.record import masked_text
from osiris_lsp.secret import Sieve
from osiris_lsp.sensitive import pieces
from osiris_lsp.text import printable


def fix_file(
    job: Job, result: FileResult, args: argparse.Namespace, outcome: Outcome
) -> FileResult:
    """Fix a file, or with `--diff` only note what would change; return what is left."""
    chosen = fixes.applicable(result.findings, args.unsafe_fixes)
    if not chosen:
        return result
    project = job.project
    before = project.read(result.path)[0]
    text, fixed, left = _fixed(job, result, args.unsafe_fixes, before)
    if text == before:
        return result
    if args.diff:
        old, new = _masked(project, result, before, text)
        outcome.changed.append((result.path, old, new))
        return result
    if result.path in project.overlay:
        return result
    try:
        fixes.write(result.path, before, text)
    except OSError as error:
        name = os.path.relpath(result.path)
        reason = str(error) if error.strerror is None else f"{name}: {error.strerror.lower()}"
        print(f"osiris-lsp: error: not fixed: {printable(reason)}", file=sys.stderr)
        outcome.errors += 1
        return result
    outcome.fixed += fixed
    return left


def _fixed(job: Job, result: FileResult, unsafe: bool, text: str) -> tuple[str, int, FileResult]:
    fixed = 0
    left = result
    document = job.project.open(result.path, text, result.kind) or Document(result.path, text)
    job = job._replace(hidden=pieces(text, document.secret_spans))
    for _ in range(fixes.ROUNDS):
        chosen = fixes.applicable(left.findings, unsafe)
        applied = fixes.apply(text, chosen, result.path)
        if applied.text == text:
            break
        text = applied.text
        fixed += len(applied.fixed)
        left = Worker(job._replace(project=job.project.overlaid(result.path, text))).lint(
            result.path
        )
    return text, fixed, left


def _masked(project: Project, result: FileResult, *versions: str) -> Iterator[str]:
    """Yield the versions of a file without secrets; what was one in the first is one in all."""
    kind: Kind | None = result.kind
    sieve: Sieve | None = None
    for text in versions:
        document = project.open(result.path, text, kind) or Document(result.path, text)
        if sieve is None:
            sieve = Sieve("", (), pieces(text, document.secret_spans))
        yield "\n".join(map(sieve.clean, masked_text(document).splitlines()))


def show_changes(out: TextIO, changes: Sequence[tuple[str, str, str]], style: Style) -> None:
    """Write changes as unified diffs; secrets are masked, so the diff is for reading."""
    for path, before, after in changes:
        name = os.path.relpath(path).replace(os.sep, "/")
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm=""
        )
        for line in lines:
            kind = {"+": "added", "-": "removed", "@": "hunk"}.get(line[:1])
            if line.startswith(("+++", "---")):
                kind = "bold"
            shown = printable(line)
            out.write((paint(shown, kind, style) if kind else shown) + "\n")
    if not changes:
        out.write("nothing to fix\n")
