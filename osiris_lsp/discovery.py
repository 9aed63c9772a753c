"""Find the project root, its files and settings, and tell which kind a file is."""

import os
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Final, Literal

from osiris_lsp.text import lazy, printable

Kind = Literal["connections", "pipeline", "component", "yaml", "other"]
"""What a file is to us; `yaml` is a foreign YAML file that the user asked to check."""

Overlay = Mapping[str, str | bytes | None]
"""Texts that win over the disk, by absolute path; None stands for a file that is not there."""

CONNECTIONS: Final = ("osiris_connections.yaml", "osiris_connections.yml")
SETTINGS: Final = ("osiris-lsp.toml", "pyproject.toml")
YAML_SUFFIXES: Final = (".yaml", ".yml")

_MARKERS: Final = (*CONNECTIONS, "osiris.yaml", "osiris-lsp.toml")
SKIPPED: Final = frozenset(
    (".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".nox")
)
_MODELINE: Final = lazy(
    r"^[ \t]*#[ \t]*osiris:[ \t]*kind=(connections|pipeline|component|off)\b", re.MULTILINE
)
# Behind a line break, which is found faster than the start of a line.
_TOP_KEY: Final = lazy(
    r"""\n(?:\{[ \t]*)?["']?([A-Za-z_][\w.-]*)["']?[ \t]*:(?=[ \t\r\n]|$)""", re.MULTILINE
)
_STEP_KEY: Final = lazy(
    r"""^[ \t]*(?:-[ \t]+)?(?:\{.*?)?["']?(component|driver|type)["']?[ \t]*:""", re.MULTILINE
)
_FOREIGN: Final = frozenset(
    (
        "apiVersion",
        "jobs",
        "runs",
        "services",
        "pool",
        "trigger",
        "stages",
        "AWSTemplateFormatVersion",
    )
)


def find_root(folder: str, fallback: str | None = None, overlay: Overlay | None = None) -> str:
    """Return the project root of a folder.

    It is the nearest ancestor with a connections file, `osiris.yaml`, `osiris-lsp.toml` or
    `[tool.osiris-lsp]`, else the root of the repository, else `fallback` or the folder itself.
    """
    repository = None
    for ancestor in ancestors(folder):
        names = _listing(ancestor, overlay)
        if _is_marked(ancestor, names, overlay):
            return ancestor
        if ".git" in names:
            repository = ancestor
            break
    return repository or os.path.abspath(fallback or folder)


def is_marked(folder: str, overlay: Overlay | None = None) -> bool:
    """Tell whether a folder itself says that it is a project of ours."""
    return _is_marked(folder, _listing(folder, overlay), overlay)


def _is_marked(folder: str, names: set[str], overlay: Overlay | None) -> bool:
    return not names.isdisjoint(_MARKERS) or (
        "pyproject.toml" in names and _has_table(os.path.join(folder, "pyproject.toml"), overlay)
    )


def find_settings(folder: str, overlay: Overlay | None = None) -> str | None:
    """Return the nearest settings file from a folder up to the root of its repository, or None."""
    for ancestor in ancestors(folder):
        names = _listing(ancestor, overlay)
        if "osiris-lsp.toml" in names:
            return os.path.join(ancestor, "osiris-lsp.toml")
        path = os.path.join(ancestor, "pyproject.toml")
        if "pyproject.toml" in names and _has_table(path, overlay):
            return path
        if ".git" in names:
            break
    return None


def find_connections(folder: str, root: str, overlay: Overlay | None = None) -> str | None:
    """Return the nearest connections file from a folder up to the project root, or None."""
    for ancestor in ancestors(folder):
        for name in CONNECTIONS:
            path = os.path.join(ancestor, name)
            if is_file(path, overlay):
                return path
        if ancestor == root:
            break
    return None


def is_file(path: str, overlay: Overlay | None = None) -> bool:
    """Tell whether there is a file."""
    if overlay and path in overlay:
        return overlay[path] is not None
    return os.path.isfile(path)


def ancestors(folder: str) -> Iterator[str]:
    """Yield a folder and all that contain it, the nearest first."""
    folder = os.path.abspath(folder)
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def is_inside(path: str, folder: str) -> bool:
    """Tell whether a path lies in a folder once links are followed; device and UNC paths never."""
    if path.startswith(("\\\\", "//", "/dev/", "/proc/", "/sys/")):
        return False
    real = os.path.realpath(path)
    base = os.path.realpath(folder)
    return real == base or real.startswith(base.rstrip(os.sep) + os.sep)


def _listing(folder: str, overlay: Overlay | None) -> set[str]:
    try:
        names = set(os.listdir(folder))
    except OSError:
        names = set()
    for path, text in (overlay or {}).items():
        if path.rpartition(os.sep)[0] == folder:
            name = os.path.basename(path)
            names.discard(name) if text is None else names.add(name)
    return names


def _has_table(path: str, overlay: Overlay | None) -> bool:
    text = overlay.get(path) if overlay else None
    if text is None:
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:
            return False
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return re.search(r"^\s*\[\s*tool\s*\.\s*[\"']?osiris-lsp\b", text, re.M) is not None


def walk(folder: str, is_excluded: Callable[[str], bool], ignored: bool = True) -> Iterator[str]:
    """Yield the YAML files below a folder in order; ignored by git are left out unless told so.

    Links to folders are not followed, so a loop ends. `is_excluded` gets absolute paths.
    """
    git = GitIgnore(folder) if ignored else None
    stack = [os.path.abspath(folder)]
    while stack:
        current = stack.pop()
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError:
            continue
        folders = []
        for entry in entries:
            name = entry.name
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
            except OSError:
                continue
            if is_folder:
                if name in SKIPPED or is_excluded(entry.path):
                    continue
                if git is not None and git.ignores(entry.path, True):
                    continue
                folders.append(entry.path)
            elif name.endswith(YAML_SUFFIXES):
                if is_excluded(entry.path) or (git is not None and git.ignores(entry.path, False)):
                    continue
                yield entry.path
        stack.extend(reversed(folders))


class GitIgnore:
    """What the `.gitignore` files of a repository leave out; git itself is not called."""

    def __init__(self, folder: str) -> None:
        self._top = os.path.abspath(folder)
        for ancestor in ancestors(folder):
            if os.path.exists(os.path.join(ancestor, ".git")):
                self._top = ancestor
                break
        self._specs: dict[str, object] = {}
        self._chains: dict[str, tuple[tuple[str, object], ...]] = {}

    def ignores(self, path: str, is_folder: bool) -> bool:
        """Tell whether a path is ignored; its folder is taken not to be."""
        verdict = False
        for base, spec in self._specs_for(path.rpartition(os.sep)[0] or os.sep):
            relative = os.path.relpath(path, base).replace(os.sep, "/") + ("/" if is_folder else "")
            result = spec.check_file(relative).include  # type: ignore[attr-defined]  # pathspec is imported lazily
            if result is not None:
                verdict = bool(result)
        return verdict

    def _specs_for(self, folder: str) -> Sequence[tuple[str, object]]:
        """Return what the files from the top down to a folder say, with the folders they are in."""
        known = self._chains.get(folder)
        if known is None:
            is_top = folder == self._top or len(folder) <= len(self._top)
            above = () if is_top else self._specs_for(os.path.dirname(folder))
            spec = self._spec(folder)
            known = self._chains[folder] = (*above, *([(folder, spec)] if spec else ()))
        return known

    def _spec(self, folder: str) -> object:
        if folder not in self._specs:
            spec: object = None
            path = os.path.join(folder, ".gitignore")
            if os.path.isfile(path):
                import pathspec

                try:
                    with open(path, encoding="utf-8", errors="replace") as file:
                        spec = pathspec.GitIgnoreSpec.from_lines(file.read().splitlines())
                except (OSError, ValueError):
                    spec = None
            self._specs[folder] = spec
        return self._specs[folder]


def detect_kind(path: str, text: str, families: Callable[[], Container[str]]) -> Kind:
    """Tell what a file is, by its content and place; a modeline decides.

    Works on text that does not parse. `families` gives the accepted spellings of families, and is
    asked only where they decide.
    """
    if "osiris:" in text:
        modeline = _MODELINE.search(text)
        if modeline:
            return "other" if modeline[1] == "off" else modeline[1]  # type: ignore[return-value]  # the pattern
    name = os.path.basename(path)
    keys: list[str] = []
    for match in _TOP_KEY.finditer("\n" + text):
        if match[1] == "oml_version":
            return "pipeline"
        keys.append(match[1])
    top = set(keys)
    if not top.isdisjoint(_FOREIGN):
        return "other"
    if "connections" in top and _lists_connections(text, families, top, name):
        return "connections"
    if name in CONNECTIONS:
        return "connections"
    if "configSchema" in top and ("name" in top or "modes" in top):
        return "component"
    if name in ("spec.yaml", "spec.yml") and _in_components(path):
        return "component"
    if "steps" in top and _is_pipeline(text):
        return "pipeline"
    if "connections" in name and any(key in families() for key in keys):
        return "connections"
    return "other"


def _in_components(path: str) -> bool:
    parts = os.path.normpath(path).split(os.sep)
    return len(parts) >= 3 and parts[-3] == "components"


def _lists_connections(
    text: str, families: Callable[[], Container[str]], top: set[str], name: str
) -> bool:
    if name in CONNECTIONS or ("version" in top and "connections" in name):
        return True
    at = re.search(r"""^(?:\{[ \t]*)?["']?connections["']?[ \t]*:""", text, re.MULTILINE)
    if at is None or "configSchema" in top:
        return False
    children = re.findall(
        r"""(?:^[ \t]+|[{,][ \t]*)["']?([\w-]+)["']?[ \t]*:""", text[at.end() :], re.M
    )
    return any(child in families() for child in children)


def _is_pipeline(text: str) -> bool:
    kinds = set(_STEP_KEY.findall(text))
    if kinds & {"component", "driver"}:
        return True
    return (
        "type" in kinds and re.search(r"^[ \t]*(?:-[ \t]+)?config[ \t]*:", text, re.M) is not None
    )


def matcher(patterns: Sequence[str], base: str) -> Callable[[str], bool]:
    """Return a test of absolute paths against globs in the syntax of `.gitignore`."""
    if not patterns:
        return lambda path: False
    import pathspec

    spec = pathspec.GitIgnoreSpec.from_lines(patterns)

    def matches(path: str) -> bool:
        try:
            relative = os.path.relpath(path, base)
        except ValueError:
            return False
        if relative.startswith(".."):
            return False
        return bool(spec.match_file(relative.replace(os.sep, "/")))

    return matches


def shown_path(path: str, folder: str) -> str:
    """Return a path as reports show it: relative to a folder, with `/`."""
    if path.startswith(folder) and path[len(folder) : len(folder) + 1] == os.sep:
        return printable(path[len(folder) + 1 :].replace(os.sep, "/"))
    try:
        shown = os.path.relpath(path, folder)
    except ValueError:
        shown = path
    return printable(shown.replace(os.sep, "/"))
