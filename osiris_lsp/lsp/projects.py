"""Projects behind open documents: unsaved text wins over the disk, and changes are noticed."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from osiris_lsp.baseline import of_settings
from osiris_lsp.discovery import YAML_SUFFIXES, find_root, find_settings
from osiris_lsp.documents import Document
from osiris_lsp.engine import Linter
from osiris_lsp.project import Project, Usage, mark, open_project

_SETTINGS: Final = ("osiris-lsp.toml", "pyproject.toml", "osiris.yaml")

_KEPT: Final = 200
"""Closed files of a project that are kept in memory."""


class State:
    """A project with its linter; `generation` is another one when more than one file may differ."""

    def __init__(self, project: Project, generation: int) -> None:
        self.project = project
        self.linter = Linter(project)
        self.baseline = of_settings(project)
        self.generation = generation
        self._closed: dict[str, tuple[object, Document | None]] = {}

    def closed(self, path: str) -> Document | None:
        """Return a file that no editor has open, or None; it is read when it has changed."""
        now = (mark(path), self.project.components)
        known = self._closed.get(path)
        if known is None or known[0] != now:
            known = now, self.project.open(path)
            if len(self._closed) < _KEPT or path in self._closed:
                self._closed[path] = known
        return known[1]


class Projects:
    """All projects that open documents belong to; `texts` maps paths to the text in editors.

    A client that watches files says what changes on disk; for another, what others depend on is
    looked at each time, once for all that is done without a pause. `grown` is called when that, or
    another use of connections, has made generations grow; `opened` when a project is read.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.folders: tuple[str, ...] = ()
        self.environment: Mapping[str, str] = os.environ
        self.is_watched = False
        self.grown: Callable[[], None] = _ignore
        self.opened: Callable[[Project], None] = _ignore
        self._states: dict[str, State] = {}
        self._generation = 0
        self._edited: dict[str, frozenset[Usage] | None] = {}
        self._is_fresh = False
        # What was compared in full since.
        self._compared: set[str] = set()
        # Which project a folder belongs to, as long as nothing on disk may say otherwise.
        self._keys: dict[str, str] = {}

    def of(self, path: str) -> State:
        """Return the project of a file."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # in a thread, at work for a request that was here before
            return self._of(path)
        if not self.is_watched and not self._is_fresh:
            self._is_fresh = True
            loop.call_soon(self._look_again)
            self._look()
        state = self._of(path)
        if state.project.has_answered(path):
            if not self.is_watched and path not in self._compared:
                self._compared.add(path)
                self._edited[path] = None
            self.settle()
        return state

    def _of(self, path: str) -> State:
        folder = os.path.dirname(path)
        fallback = next((item for item in self.folders if _inside(path, item)), None)
        key = self._keys.get(folder)
        if key is None:
            # A sub-folder may have settings of its own.
            settings = find_settings(folder, self.texts)
            key = f"{find_root(folder, fallback, self.texts)}\n{settings}"
            self._keys[folder] = key
        if key not in self._states:
            project = open_project(
                folder,
                fallback=fallback,
                overlay=self.texts,
                home=self.environment.get("OSIRIS_HOME"),
                environment=self.environment,
            )
            self._generation += 1
            self._states[key] = State(project, self._generation)
            self.opened(project)
        return self._states[key]

    def states(self) -> Iterator[State]:
        """Yield the projects that are in use."""
        yield from tuple(self._states.values())

    def put(self, path: str, text: str | None) -> bool:
        """Take the text that an editor has of a file, None when it has it no more.

        True when other files may depend on it.
        """
        self._of(path)  # so that what changes from now on is noticed
        is_edit = path in self.texts and text is not None
        if is_edit and path not in self._edited:
            known = {state.project.known(path) for state in self._states.values()}
            self._edited[path] = known.pop() if len(known) == 1 else None
        if text is None:
            self.texts.pop(path, None)
        else:
            self.texts[path] = text
        return self._changed(path, is_edit)

    def changed(self, path: str) -> bool:
        """Take note that a file has another text on disk; True when others may depend on it."""
        return self._changed(path, False)

    def _changed(self, path: str, is_edit: bool) -> bool:
        name = os.path.basename(path)
        if not is_edit:
            self._keys.clear()
        if name in _SETTINGS or any(state.project.is_ground(path) for state in self.states()):
            self.reset()
            return True
        if not is_edit and name.endswith(YAML_SUFFIXES):
            self._edited[path] = None
        wide = [state for state in self.states() if state.project.forget(path, is_edit)]
        if name in (".env", ".gitignore"):
            wide = list(self.states())
        self._grow(wide)
        return bool(wide)

    def settle(self) -> None:
        """Compare which connections are used since edits.

        Only the files that were edited are read, unless they use other connections than before.
        """
        edited, self._edited = self._edited, {}
        outdated = [state for state in self.states() if _is_outdated(state.project, edited)]
        self._grow(outdated)
        if outdated:
            self.grown()

    def _look(self) -> None:
        """Look at the files on disk that others depend on: nobody says when they change."""
        for state in self.states():
            state.project.look_again()
        if [self.changed(path) for state in self.states() for path in state.project.stale()]:
            self.grown()

    def _look_again(self) -> None:
        self._keys.clear()
        self._is_fresh = False
        self._compared.clear()

    def _grow(self, states: Sequence[State]) -> None:
        if states:
            self._generation += 1
        for state in states:
            state.generation = self._generation
            state.project.asks_again()

    def reset(self) -> None:
        """Read everything anew."""
        self._generation += 1
        self._keys.clear()
        self._states.clear()


def _is_outdated(project: Project, edited: Mapping[str, frozenset[Usage] | None]) -> bool:
    mine = {path: known for path, known in edited.items() if _inside(path, project.root)}
    now = {path: project.noted(path) for path in mine}
    if any(known is not None and known != now[path] for path, known in mine.items()):
        return True
    return None in mine.values() and project.is_outdated()


def _ignore(*_: object) -> None:
    pass


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
