"""Projects behind open documents: unsaved text wins over the disk, and changes are noticed."""

import os
from collections.abc import Iterator, Mapping
from typing import Final

from osiris_lsp.discovery import CONNECTIONS, find_root, find_settings
from osiris_lsp.engine import Linter
from osiris_lsp.project import Project, open_project

_SETTINGS: Final = ("osiris-lsp.toml", "pyproject.toml", "osiris.yaml")


class State:
    """A project with its linter; `generation` grows when more than one pipeline has changed."""

    def __init__(self, project: Project, generation: int) -> None:
        self.project = project
        self.linter = Linter(project)
        self.generation = generation


class Projects:
    """All projects that open documents belong to; `texts` maps paths to the text in editors."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.folders: tuple[str, ...] = ()
        self.environment: Mapping[str, str] = os.environ
        self._states: dict[str, State] = {}
        self._generation = 0

    def of(self, path: str) -> State:
        """Return the project of a file."""
        folder = os.path.dirname(path)
        fallback = next((item for item in self.folders if _inside(path, item)), None)
        root = find_root(folder, fallback, self.texts)
        # A sub-folder may have settings of its own.
        key = f"{root}\n{find_settings(folder, self.texts)}"
        if key not in self._states:
            project = open_project(
                folder,
                fallback=fallback,
                overlay=self.texts,
                home=self.environment.get("OSIRIS_HOME"),
                environment=self.environment,
            )
            self._states[key] = State(project, self._generation)
        return self._states[key]

    def states(self) -> Iterator[State]:
        """Yield the projects that are in use."""
        yield from tuple(self._states.values())

    def changed(self, path: str) -> bool:
        """Take note that a file has another text; True when other files may depend on it."""
        name = os.path.basename(path)
        if name in _SETTINGS or name.endswith(".json"):
            self.reset()
            return True
        wide = name in CONNECTIONS or name == ".env" or name in ("spec.yaml", "spec.yml")
        if wide:
            self._generation += 1
        for state in self._states.values():
            if wide:
                state.generation = self._generation
            state.project.forget(path)
        return wide

    def reset(self) -> None:
        """Read everything anew."""
        self._generation += 1
        self._states.clear()


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
