"""Which files a run looks at: paths sorted into projects."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from osiris_lsp.cli import UsageError
from osiris_lsp.cli.outcome import Outcome
from osiris_lsp.cli.terminal import split
from osiris_lsp.discovery import Overlay
from osiris_lsp.project import Project, open_project
from osiris_lsp.specs import nearest


class Group(NamedTuple):
    """Files of one project that are linted together."""

    project: Project
    paths: list[str]
    named: set[str]


def _overrides(args: argparse.Namespace, project: Project | None = None) -> Mapping[str, Any]:
    """Return the settings that options change."""
    found: dict[str, Any] = {}
    settings = project.settings if project is not None else None
    for name in ("select", "ignore"):
        base = getattr(settings, name) if settings else (("ALL",) if name == "select" else ())
        words = split(getattr(args, name)) or base
        extra = split(getattr(args, f"extend_{name}"))
        if words != base or extra:
            found[name] = (*words, *extra)
    levels = [tuple(item.split("=", 1)) for item in args.severity or ()]
    if levels:
        found["severity"] = (*(settings.severity if settings else ()), *levels)
    if args.profile:
        found["profile"] = args.profile
    if args.check_env:
        found["check_env"] = True
    return found


def open_for(
    args: argparse.Namespace, folder: str, overlay: Overlay, fallback: str | None = None
) -> Project:
    """Return the project of a folder with the settings that options change."""
    connections = os.path.abspath(args.connections_file) if args.connections_file else None
    if connections is not None and not os.path.isfile(connections):
        raise UsageError(f"`--connections-file {args.connections_file}`: there is no such file")
    home = os.environ.get("OSIRIS_HOME")
    options: dict[str, Any] = {
        "fallback": fallback,
        "isolated": args.isolated,
        "overlay": overlay,
        "connections_file": connections,
        "home": os.path.abspath(home) if home else None,
        "environment": os.environ,
    }
    project = open_project(folder, **options)
    overrides = _overrides(args, project)
    return open_project(folder, **options, overrides=overrides) if overrides else project


def sort_into_groups(
    args: argparse.Namespace, paths: Sequence[str], outcome: Outcome, texts: Overlay
) -> list[Group]:
    """Sort paths into projects; say which cannot be used."""
    overlay = dict(texts)
    groups: dict[tuple[str, str | None], Group] = {}
    by_folder: dict[str, Group] = {}

    def group_of(folder: str, fallback: str | None = None) -> Group:
        if folder not in by_folder:
            project = open_for(args, folder, overlay, fallback)
            identity = (project.root, project.settings.path)
            by_folder[folder] = groups.setdefault(identity, Group(project, [], set()))
        return by_folder[folder]

    for path in _expanded(paths, outcome, overlay):
        if path == "-":
            name = os.path.abspath(args.stdin_filename or "stdin.yaml")
            overlay[name] = _standard_input()
            group = group_of(os.path.dirname(name))
            group.paths.append(name)
            group.named.add(name)
        elif os.path.isdir(path) and not os.path.islink(path):
            _add_folder(os.path.abspath(path), group_of)
        else:
            name = os.path.abspath(path)
            group = group_of(os.path.dirname(name))
            if not _left_out(args, group.project, name):
                group.paths.append(name)
                group.named.add(name)
    for group in groups.values():
        group.paths[:] = sorted(set(group.paths))
    return list(groups.values())


def _add_folder(folder: str, group_of: Any) -> None:
    current, paths = "", []
    for path in group_of(folder).project.files(folder):
        parent = os.path.dirname(path)
        if parent != current:
            current, paths = parent, group_of(parent, folder).paths
        paths.append(path)


def _left_out(args: argparse.Namespace, project: Project, path: str) -> bool:
    if not is_quiet(args, project):
        return False
    from osiris_lsp.discovery import GitIgnore

    return project.is_excluded()(path) or GitIgnore(os.path.dirname(path)).ignores(path, False)


def is_quiet(args: argparse.Namespace, project: Project) -> bool:
    """Tell whether files that are not to be checked are left out in silence."""
    return args.force_exclude or args.staged or project.settings.force_exclude


def _expanded(paths: Sequence[str], outcome: Outcome, overlay: Overlay) -> Iterator[str]:
    """Yield the paths that exist; patterns that the shell left alone are expanded."""
    for path in paths:
        if path == "-" or path in overlay or os.path.lexists(path):
            yield path
            continue
        if any(char in path for char in "*?["):
            import glob

            found = sorted(glob.glob(path, recursive=True))
            if found:
                yield from found
                continue
            outcome.complain(f"the pattern `{path}` matches no file")
            continue
        folder = os.path.dirname(path) or "."
        close = None
        if os.path.isdir(folder):
            close = nearest(os.path.basename(path), os.listdir(folder))
        hint = f"; did you mean `{os.path.join(os.path.dirname(path), close)}`?" if close else ""
        outcome.complain(f"there is no file `{path}`{hint}")


def _standard_input() -> str:
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8 (byte {error.start})") from error
