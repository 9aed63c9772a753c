"""Lint many files: projects, processes, and the order in which files must be seen."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from osiris_lsp.discovery import Kind
from osiris_lsp.files import Stamp, digest, stamp
from osiris_lsp.finding import Finding
from osiris_lsp.project import Project, Usage
from osiris_lsp.reports.record import Record, Recorder, Silenced
from osiris_lsp.text import Span

if TYPE_CHECKING:
    from osiris_lsp.documents import Document
    from osiris_lsp.engine import Crash, Report

PARALLEL_FROM = 400
"""Files from which a second process pays for its start."""

CHUNK = 25
"""Files that a process takes at a time: few, so that none is left with many at the end."""


class FileResult(NamedTuple):
    """What linting one file gave; `kind` is `other` for a file that is not ours.

    A `deferred` file is linted again once the uses of all pipelines are known. For a cache there
    are the stamp and the digest of the `content`, None where it could not be read, the `spans` of
    the records and those of `secrets`.
    """

    path: str
    kind: Kind
    records: tuple[Record, ...] = ()
    findings: tuple[Finding, ...] = ()
    suppressed: int = 0
    crashes: "tuple[Crash, ...]" = ()
    usages: frozenset[Usage] | None = None
    deferred: bool = False
    silenced: tuple[Silenced, ...] = ()
    content: tuple[Stamp, str] | None = None
    spans: tuple[Span, ...] = ()
    secrets: tuple[Span, ...] = ()


class Job(NamedTuple):
    """How files of a project are linted; `keep` also returns the findings themselves.

    `detailed` adds the findings that comments silence, and the lines around each; `cached` what a
    cache needs. `hidden` are secrets of an earlier version of the files.
    """

    project: Project
    kind: Kind | None = None
    any_yaml: bool = False
    keep: bool = False
    folder: str | None = None
    detailed: bool = False
    cached: bool = False
    hidden: tuple[str, ...] = ()


class Worker:
    """Lints the files of one project."""

    def __init__(self, job: Job) -> None:
        from osiris_lsp.engine import Linter

        self.job = job
        self.linter = Linter(job.project)
        self.recorder = Recorder(job.project, job.folder, job.detailed, job.hidden)

    def lint(self, path: str, defer: bool = False) -> FileResult:
        """Return the result of one file."""
        project = self.job.project
        text, content = self._content(path) if self.job.cached else (None, None)
        document = project.open(path, text, self.job.kind, self.job.any_yaml)
        if document is None:
            return FileResult(path, "other", content=content)
        if defer and document.kind == "connections":
            return FileResult(path, document.kind, deferred=True)
        report = self.linter.lint(document)
        usages = project.known(path) if document.kind == "pipeline" else None
        if content is not None and usages and _shows_secret(document, usages):
            content = None  # a cache would keep it
        return FileResult(
            path,
            document.kind,
            tuple(self.recorder.records(document, report.findings)),
            tuple(report.findings) if self.job.keep else (),
            len(report.suppressed),
            tuple(report.crashes),
            usages,
            silenced=self._silenced(document, report),
            content=content,
            spans=tuple(finding.span for finding in report.findings) if content else (),
            secrets=tuple(document.masked_spans) if content and report.findings else (),
        )

    def _content(self, path: str) -> tuple[str | None, tuple[Stamp, str] | None]:
        """Return the text of a file and what stands for it."""
        at = stamp(path)
        text, problem = self.job.project.read(path)
        if at is None or problem is not None:
            return None, None
        return text, (at, digest(text.encode()))

    def _silenced(self, document: "Document", report: "Report") -> tuple[Silenced, ...]:
        if not self.job.detailed:
            return ()
        return tuple(self.recorder.silenced(document, report.suppressed))


def _shows_secret(document: "Document", usages: "Iterable[Usage]") -> bool:
    """Tell whether a token was put where the name of a connection belongs."""
    from osiris_lsp.secrets.providers import LEAST

    names = {name for usage in usages for name in usage if name is not None and len(name) >= LEAST}
    hidden = [document.text[start:end] for start, end in document.masked_spans] if names else ()
    return any(name in secret or secret in name for secret in hidden for name in names)


def lint_files(
    job: Job,
    paths: Sequence[str],
    jobs: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[FileResult]:
    """Yield the results of files of one project, in no order; connections files come last.

    `jobs` is the number of processes, 0 for as many as pay.
    """
    worker = Worker(job)
    deferred = []
    done = 0
    # Loaded before the processes part, so that they share it.
    if len(paths) > 1:
        _ = job.project.components, job.project.families.spellings, worker.linter.rules
    for result in _first_pass(worker, paths, _processes(jobs, len(paths))):
        if result.usages is not None:
            job.project.learn(result.path, result.usages)
        if result.deferred:
            deferred.append(result.path)
            continue
        done += 1
        if progress is not None:
            progress(done, len(paths))
        yield result
    for path in deferred:
        done += 1
        if progress is not None:
            progress(done, len(paths))
        yield worker.lint(path)


def _processes(jobs: int, files: int) -> int:
    if jobs > 0:
        return min(jobs, max(files // CHUNK, 1))
    if files < PARALLEL_FROM or not hasattr(os, "fork"):
        return 1
    return min(_cores(), 8)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_worker: Worker | None = None


def _start(job: Job) -> None:
    global _worker  # noqa: PLW0603 - a process of the pool has one job
    _worker = Worker(job)


def _run(paths: Sequence[str]) -> list[FileResult]:
    assert _worker is not None
    return [_worker.lint(path, defer=True) for path in paths]


def _first_pass(worker: Worker, paths: Sequence[str], processes: int) -> Iterator[FileResult]:
    if processes <= 1:
        for path in paths:
            yield worker.lint(path, defer=len(paths) > 1)
        return
    import multiprocessing

    # What the first file loads, and the connections that it reads, the processes share.
    yield worker.lint(paths[0], defer=True)
    method = "fork" if hasattr(os, "fork") else "spawn"
    context = multiprocessing.get_context(method)
    chunks = [paths[at : at + CHUNK] for at in range(1, len(paths), CHUNK)]
    with context.Pool(processes, _start, (worker.job,)) as pool:
        for results in pool.imap_unordered(_run, chunks):
            yield from results


def sort_records(records: Iterable[Record]) -> list[Record]:
    """Return records by path, place, code and key path."""
    return sorted(
        records,
        key=lambda record: (record.place, record.code, tuple(map(str, record.key_path))),
    )
