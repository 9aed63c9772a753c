"""The findings that a project had before: the file that lists them, and what is new beside them."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from osiris_lsp.discovery import is_file, is_inside, shown_path
from osiris_lsp.project import Project
from osiris_lsp.reports.json import encode
from osiris_lsp.reports.record import Record
from osiris_lsp.text import printable

NAME: Final = "osiris-baseline.json"
"""The file where neither an option nor the settings name one."""

SCHEMA_VERSION: Final = 1

_INPUT: Final = "OSR0"


class BaselineError(ValueError):
    """A baseline that cannot be used; the message quotes nothing of it."""


class Entry(NamedTuple):
    """A finding of a baseline; entries sort as the file lists them.

    `path` is relative to the folder of the baseline, or to the root of the project where that lies
    elsewhere. Messages and key paths stay out, because they may quote what should not be kept.
    """

    path: str
    code: str
    rule: str
    fingerprint: str

    @property
    def key(self) -> tuple[str, str]:
        """What tells an entry from all others."""
        return self.path, self.fingerprint


def configured(project: Project) -> str | None:
    """Return the absolute path of the baseline that the settings name, or None.

    Raises BaselineError where it lies outside of their folder.
    """
    settings = project.settings
    if not settings.baseline:
        return None
    folder = settings.folder or project.root
    path = os.path.normpath(os.path.join(folder, settings.baseline))
    if not is_inside(path, folder):
        raise BaselineError(
            "the `baseline` of the settings lies outside of their folder; move it in"
        )
    return path


def of_settings(project: Project) -> "Baseline | None":
    """Return the baseline that the settings name.

    One that cannot be used hides nothing, and is a problem of the settings.
    """
    settings = project.settings
    try:
        path = configured(project)
        if path is None:
            return None
        project.rests_on(path)
        return load(project, path, settings.folder or project.root)
    except BaselineError as error:
        message = f"{error}; until then it hides nothing"
        project.blame(settings.baseline or "", message)
        return None


def load(project: Project, path: str, folder: str) -> "Baseline":
    """Read a baseline; raises BaselineError, which shows the path relative to a folder."""
    shown = printable(os.path.relpath(path, folder))
    if not is_file(path, project.overlay):
        raise BaselineError(
            f"there is no baseline `{shown}`; write it with `osiris-lsp baseline create`"
        )
    text, problem = project.read(path)
    if problem is not None:
        raise BaselineError(f"the baseline `{shown}` cannot be used: {problem[1]}")
    try:
        return Baseline(path, text or " ")
    except BaselineError as error:
        raise BaselineError(
            f"`{shown}` is no baseline: {error}; restore it, or write it anew with "
            "`osiris-lsp baseline create --force`"
        ) from error


def parse(text: str) -> list[Entry]:
    """Return the entries of a baseline; raises BaselineError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if line else ""
        raise BaselineError(f"it is no JSON{where}") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise BaselineError(f"it has no `schema_version` {SCHEMA_VERSION}")
    findings = data.get("findings")
    if not isinstance(findings, list):
        raise BaselineError("`findings` is no list")
    entries = []
    for number, item in enumerate(findings, 1):
        values = [item.get(name) for name in Entry._fields] if isinstance(item, dict) else [None]
        if not all(isinstance(value, str) for value in values):
            named = ", ".join(f"`{name}`" for name in Entry._fields)
            raise BaselineError(f"finding {number} needs the texts {named}")
        entries.append(Entry(*values))
    return entries


def render(entries: Iterable[Entry]) -> str:
    """Return the text of a baseline: sorted, an entry per line, the same for the same entries."""
    lines = ",\n  ".join(encode(entry._asdict()) for entry in sorted(set(entries)))
    findings = f"[\n  {lines}\n ]" if lines else "[]"
    return f'{{"schema_version": {SCHEMA_VERSION},\n "findings": {findings}}}\n'


class Baseline:
    """A baseline while files are linted: what it knows, and what was `seen` so far."""

    def __init__(self, path: str, text: str = "") -> None:
        self.path = path
        self.text = text
        self.folder = os.path.dirname(path)
        self.entries = {entry.key: entry for entry in (parse(text) if text else ())}
        self.seen: dict[tuple[str, str], Entry] = {}
        self._rules: dict[str, frozenset[str]] = {}
        self._roots: dict[str, Project] = {}

    def sift(
        self, project: Project, path: str, records: Sequence[Record], rules: frozenset[str]
    ) -> tuple[list[Record], list[Record]]:
        """Return the records of a file that are new, and those that the baseline knows.

        `rules` are those that were on.
        """
        self._roots[project.root] = project
        name = self._name(project, path)
        # Where a file cannot be read as a whole, what is not found may still be there.
        if not any(item.code.startswith(_INPUT) and item.severity == "error" for item in records):
            self._rules[name] = rules
        new: list[Record] = []
        known: list[Record] = []
        for record in records:
            entry = Entry(name, record.code, record.rule, record.fingerprint)
            self.seen[entry.key] = entry
            (known if entry.key in self.entries else new).append(record)
        return new, known

    def knows(self, project: Project, path: str, mark: str) -> bool:
        """Tell whether the fingerprint of a finding in a file is listed."""
        return (self._name(project, path), mark) in self.entries

    def _name(self, project: Project, path: str) -> str:
        below = path.startswith(self.folder.rstrip(os.sep) + os.sep)
        return shown_path(path, self.folder if below else project.root)

    def stale(self, folders: Sequence[str], exists: Callable[[str], bool]) -> list[Entry]:
        """Return the entries that were looked for and not found, in order.

        Those are entries of files and rules that were checked, of rules that do not exist any
        more, and of files that are gone from the `folders` that were checked.
        """
        found = []
        for entry in sorted(set(self.entries.values())):
            rules = self._rules.get(entry.path)
            if rules is None:
                is_stale = self._is_gone(entry.path, folders)
            else:
                is_on = entry.rule in rules or not exists(entry.rule)
                is_stale = is_on and entry.key not in self.seen
            if is_stale:
                found.append(entry)
        return found

    def _is_gone(self, name: str, folders: Sequence[str]) -> bool:
        places = [
            (os.path.normpath(os.path.join(base, name)), project)
            for base, project in [
                *((self.folder, project) for project in self._roots.values()),
                *self._roots.items(),
            ]
        ]
        if any(is_file(path, project.overlay) for path, project in places):
            return False
        bases = tuple(folder.rstrip(os.sep) + os.sep for folder in folders)
        return any(path.startswith(bases) for path, _ in places)
