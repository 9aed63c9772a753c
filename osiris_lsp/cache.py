"""What linting files gave in earlier runs, kept in the user's cache folder.

A result is used again where all that it was made from is the same: the text of the file, the
settings and options, this program, the family schemas and component specs, and the connections
that hold for the file; for a connections file also the uses of all pipelines and the files that it
names. Text of files is not kept: excerpts are made again from the file.
"""

import contextlib
import importlib.util
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence, Set
from functools import cache
from typing import Any, Final

from osiris_lsp import __version__, batch, files
from osiris_lsp.batch import FileResult, Job
from osiris_lsp.discovery import CONNECTIONS, Kind, is_inside
from osiris_lsp.files import Stamp, digest, stamp
from osiris_lsp.project import Usage
from osiris_lsp.properties import cached_property
from osiris_lsp.reports.record import Place, Record
from osiris_lsp.secret import Excerpt, excerpt
from osiris_lsp.specs import schema_folder
from osiris_lsp.text import LineIndex, Span

_SETTLED: Final = 2_000_000_000
"""Nanoseconds after which the times of a file tell one content from the next."""

_MOST_FILES: Final = 100
_MOST_BYTES: Final = 200_000_000
_MOST_ENTRIES: Final = 50_000

_LIBRARIES: Final = ("yaml", "pathspec", "sqlglot", "jsonschema_rs")
"""Packages that what is found depends on."""

_NO_EXCERPT: Final = Excerpt("", 0, 0)
_NONE: Final = (None,) * 10


def lint_files(
    job: Job,
    paths: Sequence[str],
    jobs: int = 0,
    progress: Callable[[int, int], None] | None = None,
    *,
    excerpts: bool = True,
) -> Iterator[FileResult]:
    """Yield what `batch.lint_files` yields, from the cache where nothing changed.

    Without `excerpts` records may come without the line that they are about.
    """
    project = job.project
    whole = job.keep or job.detailed or project.overlay or project.environment is not None
    place = None if whole else usable_folder(project.root)
    if place is None:
        yield from batch.lint_files(job, paths, jobs, progress)
        return
    known = Cache(place, job)
    missing = []
    for path in paths:
        result = known.recall(path, excerpts)
        if result is None:
            missing.append(path)
        else:
            yield result
    if missing:
        known.prepare()
        for result in batch.lint_files(job._replace(cached=True), missing, jobs, progress):
            known.learn(result)
            yield result
    known.save(paths)


def folder() -> str:
    """Return the folder of the cache, which may not be there yet."""
    import platformdirs

    return os.path.join(platformdirs.user_cache_dir("osiris-lsp", appauthor=False), "lint")


def usable_folder(root: str) -> str | None:
    """Return the folder of the cache, or None where others could have filled it.

    Such is a folder inside the project: it may have come with it.
    """
    path = folder()
    if not os.path.isabs(path) or is_inside(path, root):
        return None
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        status = os.stat(path)
    except OSError:
        return None
    if hasattr(os, "geteuid"):
        mine = status.st_uid == os.geteuid()
        if not mine or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return None
    return path


def clean() -> int:
    """Remove everything from the cache and return the number of files; raises OSError."""
    removed = 0
    for entry in _listing(folder()):
        os.unlink(entry.path)
        removed += 1
    return removed


def _listing(path: str) -> list[os.DirEntry[str]]:
    """Return the files of ours in the folder of the cache."""
    try:
        with os.scandir(path) as found:
            return [
                entry
                for entry in found
                if entry.name.endswith(".json") or files.is_temporary(entry.name)
            ]
    except FileNotFoundError:
        return []


class Cache:
    """The results of one project under one set of settings and options."""

    def __init__(self, folder: str, job: Job) -> None:
        project = job.project
        name = digest(
            repr((project.root, project.settings, job.kind, job.any_yaml, job.folder)).encode()
        )
        self._path = os.path.join(folder, f"{name}.json")
        self._project = project
        self._ground = self._read_ground()
        self._bases: dict[tuple[str | None, str | None], str] = {}
        self._by_folder: dict[str, str] = {}
        self._now = time.time_ns()
        self._entries = self._load()
        self._looked: dict[str, bool] = {}
        self._changed = False

    def _read_ground(self) -> str:
        """Return what stands for all that every result of the project depends on."""
        project = self._project
        texts = [(path, project.read(path)) for path in project.ground_files()]
        return digest(repr((_program(), os.path.realpath(project.root), texts)).encode())

    def _basis(self, path: str) -> str:
        """Return what stands for the connections that hold for a file, and all of its folder."""
        folder = path.rpartition(os.sep)[0]
        known = self._by_folder.get(folder)
        if known is not None:
            return known
        found = self._project.connections_path(path)
        root = self._project.connections_path(os.path.join(self._project.root, CONNECTIONS[0]))
        key = found, root
        if key not in self._bases:
            self._bases[key] = self._read_basis(*key)
        self._by_folder[folder] = self._bases[key]
        return self._bases[key]

    def _read_basis(self, found: str | None, root: str | None) -> str:
        text = self._project.read(found) if found is not None else None
        return digest(repr((found, root, text)).encode())

    def _load(self) -> dict[str, list[Any]]:
        """Return the entries by path, none where the file is not whole or of another state."""
        with contextlib.suppress(OSError):
            with open(self._path, "rb") as file:
                head, _, data = file.read().partition(b"\n")
            if head.decode("ascii", "replace") == f"{self._ground} {digest(data)}":
                entries: dict[str, list[Any]] = json.loads(data)
                return entries
        return {}

    def recall(self, path: str, excerpts: bool) -> FileResult | None:
        """Return the result of a file, or None where there is none that holds."""
        return self._result(path, self._entries[path], excerpts) if self._holds(path) else None

    def _holds(self, path: str) -> bool:
        known = self._looked.get(path)
        if known is None:
            entry = self._entries.get(path)
            known = entry is not None and self._is_same(path, entry) and self._fits(path, entry)
            self._looked[path] = known
        return known

    def _is_same(self, path: str, entry: Any) -> bool:
        """Tell whether a file has the content that an entry is about."""
        now = stamp(path)
        if now is None:
            return False
        if entry[0] is not None and tuple(entry[0]) == now:
            return True
        text, problem = self._project.read(path)
        if problem is not None or digest(text.encode()) != entry[1]:
            return False
        if self._is_settled(now):
            entry[0] = now
            self._changed = True
        return True

    def _is_settled(self, at: Stamp) -> bool:
        return max(at[:2]) < self._now - _SETTLED

    def _fits(self, path: str, entry: list[Any]) -> bool:
        """Tell whether what an entry depends on beside its file is the same."""
        if entry[2] != self._basis(path):
            return False
        if entry[3] != "connections":
            return True
        usages, asked = entry[9]
        if any([*self._project.ask(name)] != answer for name, answer in asked):
            return False
        return bool(usages == self._usages(path))

    @cached_property
    def _universe(self) -> Sequence[str]:
        return sorted(self._project.files())

    def _usages(self, source: str) -> list[list[Any]] | None:
        """Return the uses of a connections file by all pipelines, None where one is not known."""
        project = self._project
        found: set[Usage] = set()
        for path in self._universe:
            if path == source or (project.connections_path(path) or "") != source:
                continue
            entry = self._entries.get(path, _NONE)
            if entry[3] == "connections":
                # It uses none, and may itself wait for this answer.
                if not self._is_same(path, entry) or entry[2] != self._basis(path):
                    return None
                continue
            if not self._holds(path):
                return None
            found.update(Usage(*usage) for usage in self._entries[path][5] or ())
        return sorted(([*usage] for usage in found), key=repr)

    def prepare(self) -> None:
        """Tell the project which connections the pipelines use whose results are known."""
        _ = self._universe  # as it is before files are linted
        for path, entry in self._entries.items():
            if self._looked.get(path) and entry[3] != "connections":
                self._project.learn(path, frozenset(Usage(*usage) for usage in entry[5] or ()))

    def _result(self, path: str, entry: list[Any], excerpts: bool) -> FileResult | None:
        kind: Kind = entry[3]
        records = [_record(item) for item in entry[6]]
        if records and excerpts:
            text, _ = self._project.read(path)
            if digest(text.encode()) != entry[1]:
                return None
            lines = LineIndex(text)
            secrets = [Span(*span) for span in entry[8]]
            records = [
                record._replace(excerpt=excerpt(lines, Span(*span), secrets))
                for record, span in zip(records, entry[7], strict=True)
            ]
        return FileResult(path, kind, tuple(records), suppressed=entry[4])

    def learn(self, result: FileResult) -> None:
        """Keep a result, if it says all about its file."""
        self._entries.pop(result.path, None)
        self._looked[result.path] = False
        self._changed = True
        if result.content is None or result.crashes:
            return
        at, text = result.content
        self._looked[result.path] = True
        usages = None
        if result.usages is not None:
            usages = sorted(([*usage] for usage in result.usages), key=repr)
        self._entries[result.path] = [
            # A file that is this young may change once more without a sign.
            at if self._is_settled(at) else None,
            text,
            self._basis(result.path),
            result.kind,
            result.suppressed,
            usages,
            [_row(record) for record in result.records],
            result.spans,
            result.secrets,
            None,
        ]

    def _complete(self) -> None:
        """Add to the entries of connections files what they depend on; drop those that lack it."""
        asked = [[path, [*answer]] for path, answer in self._project.asked.items()]
        is_steady = sorted(self._project.files()) == self._universe
        for path, entry in list(self._entries.items()):
            if entry[3] == "connections" and entry[9] is None:
                usages = self._usages(path) if is_steady else None
                if usages is None:
                    del self._entries[path]
                else:
                    entry[9] = [usages, asked]

    def save(self, checked: Sequence[str]) -> None:
        """Write the cache where something changed; what cannot be written is done without."""
        if not self._changed:
            return
        self._complete()
        if not self._is_steady():
            return
        place = os.path.dirname(self._path)
        with contextlib.suppress(OSError), files.locked(place) as is_mine:
            if is_mine:
                entries = self._merged(set(checked))
                data = json.dumps(entries, separators=(",", ":")).encode()
                head = f"{self._ground} {digest(data)}\n".encode()
                files.replace(self._path, head + data, 0o600)
                _shrink(place)

    def _merged(self, checked: Set[str]) -> dict[str, list[Any]]:
        """Return what holds, and what other runs have kept of other files since this one began."""
        entries = dict(self._load() or self._entries)
        for path, holds in self._looked.items():
            if holds and path in self._entries:
                entries[path] = self._entries[path]
        for path in [path for path in entries if path not in checked and not os.path.exists(path)]:
            del entries[path]
        while len(entries) > _MOST_ENTRIES:
            entries.pop(next(iter(entries)))
        return entries

    def _is_steady(self) -> bool:
        """Tell whether what many results depend on stayed the same while files were linted."""
        return (
            not self._project.stale()
            and self._read_ground() == self._ground
            and all(self._read_basis(*key) == known for key, known in self._bases.items())
        )


def _row(record: Record) -> list[Any]:
    """Return what is kept of a record: all but lines of its file."""
    return [*record[:8], *record[9:13]]


def _record(row: Sequence[Any]) -> Record:
    code, rule, severity, message, place, key_path, source, mark, fix, is_safe, edits, related = row
    return Record(
        code,
        rule,
        severity,
        message,
        Place(*place),
        tuple(key_path),
        source,
        mark,
        _NO_EXCERPT,
        fix,
        is_safe,
        None if edits is None else _placed(edits),
        _placed(related),
    )


def _placed(pairs: Sequence[Any]) -> tuple[tuple[Place, str], ...]:
    return tuple((Place(*place), text) for place, text in pairs)


@cache
def _program() -> str:
    """Return what stands for this program: another one may find other things."""
    facts: list[object] = [__version__, sys.version]
    for top in (os.path.dirname(__file__), schema_folder()):
        for path, folders, names in os.walk(top):
            folders[:] = sorted(set(folders) - {"__pycache__"})
            facts += [(path, name, stamp(os.path.join(path, name))) for name in sorted(names)]
    for name in _LIBRARIES:
        spec = importlib.util.find_spec(name)
        facts.append((name, spec and spec.origin and stamp(spec.origin)))
    return digest(repr(facts).encode())


def _shrink(path: str) -> None:
    """Remove the oldest files of a cache that has become too large."""
    found = sorted(
        ((entry.stat(), entry.path) for entry in _listing(path)),
        key=lambda item: item[0].st_mtime_ns,
        reverse=True,
    )
    size = 0
    for number, (status, name) in enumerate(found):
        size += status.st_size
        if number >= _MOST_FILES or size > _MOST_BYTES:
            os.unlink(name)
