"""Lint many files: projects, processes, and the order in which files must be seen."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from osiris_lsp.discovery import Kind
from osiris_lsp.files import Stamp, digest, stamp
from osiris_lsp.finding import Finding
from osiris_lsp.project import Project, Usage
from osiris_lsp.reports.record import Record, Recorder, Silenced
from osiris_lsp.text import Span

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

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


def _first_pass(worker: Worker, paths: Sequence[str], processes: int) -> Iterator[FileResult]:
    if processes <= 1:
        for path in paths:
            yield worker.lint(path, defer=len(paths) > 1)
        return
    # What the first file loads, and the connections that it reads, the processes share.
    yield worker.lint(paths[0], defer=True)
    chunks = [paths[at : at + CHUNK] for at in range(1, len(paths), CHUNK)]
    yield from _in_processes(worker.job, chunks, processes)


def _serve(job: Job, connection: "Connection[Any, Any]") -> None:
    """Lint the chunks of files that come in, until the process is ended."""
    worker = Worker(job)
    try:
        while True:
            paths = connection.recv()
            connection.send([worker.lint(path, defer=True) for path in paths])
    except (EOFError, ConnectionError, KeyboardInterrupt):
        pass  # the process that the user started is gone, or says so
    except Exception as error:  # is raised where the results are waited for
        connection.send(error)


def _in_processes(
    job: Job, chunks: Sequence[Sequence[str]], processes: int
) -> Iterator[FileResult]:
    """Yield what processes find in chunks of files; who is done with one gets another.

    A pool would do, but its threads take a twentieth of the time, and it waits for ever for what a
    process that was killed had in hand.
    """
    import multiprocessing
    from multiprocessing.connection import wait

    get_context = multiprocessing.get_context
    context = get_context("fork") if hasattr(os, "fork") else get_context("spawn")
    rest = iter(chunks)
    running: dict[Connection[Any, Any], BaseProcess] = {}

    def hand_out(connection: "Connection[Any, Any]") -> None:
        for chunk in islice(rest, 1):
            connection.send(chunk)

    try:
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(job, theirs), daemon=True)
            process.start()
            theirs.close()
            running[ours] = process
        # The second chunk is there when the first is done.
        for connection in [*running] * 2:
            hand_out(connection)
        left = len(chunks)
        while left:
            for connection in cast("list[Connection[Any, Any]]", wait(running)):
                found = connection.recv()  # raises EOFError where the process was killed
                if isinstance(found, Exception):
                    raise found
                hand_out(connection)
                left -= 1
                yield from found
    finally:
        for connection, served in running.items():
            served.terminate()
            served.join()
            connection.close()


def sort_records(records: Iterable[Record]) -> list[Record]:
    """Return records by path, place, code and key path."""
    return sorted(
        records,
        key=lambda record: (record.place, record.code, tuple(map(str, record.key_path))),
    )
