"""What git says has changed: the files, the texts of its index, and the findings they cause."""

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from osiris_lsp import git
from osiris_lsp.batch import Job, lint_files
from osiris_lsp.cli import UsageError
from osiris_lsp.cli.groups import Group, open_for, sort_into_groups
from osiris_lsp.cli.outcome import Outcome
from osiris_lsp.cli.outputs import detailed
from osiris_lsp.discovery import CONNECTIONS, SETTINGS, YAML_SUFFIXES, GitIgnore, Overlay, matcher
from osiris_lsp.project import Project
from osiris_lsp.reports.record import Record
from osiris_lsp.reports.settings import settings_records
from osiris_lsp.text import printable

_PATTERNS: Final = tuple(
    f":(top,glob)**/{name}" for name in ("*.yaml", "*.yml", "*.json", *SETTINGS)
)
"""What a run may read of the index."""


class Changes(NamedTuple):
    """Files that a commit adds or changes, and those that it deletes, as absolute paths.

    `overlay` makes the disk look as the commit does; `before` has the texts that the files had.
    """

    files: tuple[str, ...]
    deleted: tuple[str, ...]
    overlay: Overlay
    before: Callable[[Iterable[str]], Overlay]


def read(staged: bool) -> Changes:
    """Return what the next commit changes; raises UsageError where git does not answer.

    Without `staged` these may be the commits that pre-commit was told to look at. The texts of
    the index are read with `staged` only.
    """
    try:
        top = os.path.normpath(
            os.fsdecode(git.ask("", "rev-parse", "--show-toplevel")).rstrip("\n")
        )
        base, files, deleted = _changed(top, staged)
        overlay = _index(top) if staged else _untracked(deleted)
    except git.GitError as error:
        option = "--staged" if staged else "--dependants"
        raise UsageError(f"`{option}` asks git, which said: {printable(str(error))}") from error
    return Changes(files, deleted, overlay, lambda paths: _texts(top, base, paths))


def _changed(top: str, staged: bool) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the commit before the changes, empty for none, and the two lists of files."""
    diff = ("diff", "--name-status", "-z", "--no-renames", "--no-relative", "--no-ext-diff")
    first = os.environ.get("PRE_COMMIT_FROM_REF")
    last = os.environ.get("PRE_COMMIT_TO_REF")
    if first and last and not staged:
        base = git.ask("", "merge-base", first, last).decode().strip()
        out = git.ask("", *diff, base, last)
    else:
        base = _head()
        out = git.ask("", *diff, "--cached")
    fields = out.split(b"\0")[:-1]
    files: list[str] = []
    deleted: list[str] = []
    for status, name in zip(fields[::2], fields[1::2], strict=True):
        (deleted if status == b"D" else files).append(_path(top, name))
    return base, tuple(files), tuple(deleted)


def _untracked(deleted: Iterable[str]) -> Overlay:
    """Return the overlay that hides what git will no longer track and does not ignore."""
    return {
        path: None
        for path in deleted
        if os.path.lexists(path) and not GitIgnore(os.path.dirname(path)).ignores(path, False)
    }


def _head() -> str:
    try:
        return git.ask("", "rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
    except git.GitError:  # a branch without a commit
        return ""


def _path(top: str, name: bytes) -> str:
    return os.path.normpath(os.path.join(top, os.fsdecode(name)))


def _index(top: str) -> dict[str, str | bytes | None]:
    """Return what differs on disk from the index, as the index has it.

    Files that git ignores stay as they are on disk; others that it does not track are not there.
    """
    names = git.ask("", "diff-files", "--name-status", "-z", "--no-renames").split(b"\0")[:-1]
    differs = dict(zip(names[1::2], names[::2], strict=True))
    blobs = {}
    out = git.ask("", "ls-files", "-z", "-v", "-s", "--full-name", "--", *_PATTERNS)
    for entry in out.split(b"\0")[:-1]:
        head, _, name = entry.partition(b"\t")
        tag, mode, blob, stage = head.split()
        # Lower case and `S`: git was told to overlook what the disk has (assume-unchanged, sparse).
        hidden = tag.islower() or tag == b"S"
        if (
            mode.startswith(b"100")
            and stage == b"0"
            and (hidden or differs.get(name, b"A") != b"A")
        ):
            blobs[_path(top, name)] = blob
    others = git.ask(
        "", "ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", *_PATTERNS
    )
    added = [
        name for name, status in differs.items() if status == b"A"
    ]  # `git add --intent-to-add`
    absent = [*others.split(b"\0")[:-1], *added]
    return {**_contents(blobs), **{_path(top, name): None for name in absent}}


def _texts(top: str, base: str, paths: Iterable[str]) -> Overlay:
    """Return the texts that files had in a commit."""
    wanted = list(paths)
    found: dict[str, str | bytes | None] = dict.fromkeys(wanted)
    if base and wanted:
        names = [os.path.relpath(path, top).replace(os.sep, "/") for path in wanted]
        out = git.ask(
            top, "--literal-pathspecs", "ls-tree", "-z", "--full-tree", base, "--", *names
        )
        blobs = {}
        for entry in out.split(b"\0")[:-1]:
            head, _, name = entry.partition(b"\t")
            mode, kind, blob = head.split()
            if kind == b"blob" and mode.startswith(b"100"):
                blobs[_path(top, name)] = blob
        found.update(_contents(blobs))
    return found


def _contents(blobs: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the bytes of git objects; no filter of the repository touches them."""
    if not blobs:
        return {}
    out = git.ask("", "cat-file", "--batch", data=b"".join(blob + b"\n" for blob in blobs.values()))
    found, at = {}, 0
    for path in blobs:
        end = out.index(b"\n", at)
        size = int(out[at:end].split()[2])
        found[path] = out[end + 1 : end + 1 + size]
        at = end + size + 2
    return found


def chosen(changes: Changes, paths: Iterable[str]) -> list[str]:
    """Return the changed YAML files, only those below the paths where any are given."""
    bases = [os.path.abspath(path) for path in paths]
    return [
        path
        for path in changes.files
        if path.endswith(YAML_SUFFIXES)
        and (not bases or any(_inside(path, base) for base in bases))
        and not os.path.islink(path)
    ]


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def dependants(
    args: argparse.Namespace, changes: Changes, groups: Iterable[Group], outcome: Outcome
) -> Iterator[Record]:
    """Yield the findings that changed files cause in files that did not change.

    Those are what is found now and was not with the texts that connections files, component specs
    and settings had before.
    """
    causes = _causes(args, changes)
    if not causes:
        return
    known = {path for group in groups for path in group.paths} | set(changes.files)
    settings = {group.project.settings.path for group in groups}
    shared = [path for paths in causes.values() for path in paths]
    before = {**changes.overlay, **changes.before(shared)}
    old = Counter(
        (record.code, record.place)
        for record in _records(args, list(causes), before, known, Outcome(), settings)
    )
    for record in _records(args, list(causes), changes.overlay, known, outcome, settings):
        place = (record.code, record.place)
        if old[place]:
            old[place] -= 1
            continue
        path = os.path.abspath(record.place.path)
        by = [name for root, paths in causes.items() if _inside(path, root) for name in paths]
        said = ", ".join(_said(changes, cause) for cause in by)
        yield record if path in by else record._replace(message=f"{record.message} ({said})")


def _said(changes: Changes, path: str) -> str:
    name = printable(os.path.relpath(path).replace(os.sep, "/"))
    return f"caused by deleting {name}" if path in changes.deleted else f"caused by {name}"


def _causes(args: argparse.Namespace, changes: Changes) -> Mapping[str, list[str]]:
    """Return the changed files that others depend on, by the root of their project."""
    found: dict[str, list[str]] = {}
    projects: dict[str, Project] = {}
    for path in sorted((*changes.files, *changes.deleted)):
        folder = os.path.dirname(path)
        if folder not in projects:
            projects[folder] = open_for(args, folder, changes.overlay)
        if _is_shared(projects[folder], path) and not _is_unrelated(changes, path):
            found.setdefault(projects[folder].root, []).append(path)
    return found


def _is_shared(project: Project, path: str) -> bool:
    folder, name = os.path.split(path)
    components = os.path.basename(os.path.dirname(folder)) == "components"
    families = matcher(project.settings.families, project.settings.folder or project.root)
    return (
        name in (*CONNECTIONS, *SETTINGS)
        or (components and name in ("spec.yaml", "spec.yml"))
        or path == project.connections_path(path)
        or families(path)
    )


def _is_unrelated(changes: Changes, path: str) -> bool:
    """Tell whether a `pyproject.toml` has never said anything about us."""
    if os.path.basename(path) != "pyproject.toml":
        return False
    before = changes.before([path])[path]
    now = changes.overlay.get(path)
    if path not in changes.overlay and os.path.isfile(path):
        with open(path, "rb") as file:
            now = file.read()
    texts = (text.encode() if isinstance(text, str) else text or b"" for text in (before, now))
    return not any(b"osiris-lsp" in text for text in texts)


def _records(
    args: argparse.Namespace,
    roots: list[str],
    overlay: Overlay,
    known: set[str],
    outcome: Outcome,
    settings: set[str | None],
) -> Iterator[Record]:
    for group in sort_into_groups(args, roots, outcome, overlay):
        if group.project.settings.path not in settings:
            problems = list(settings_records(group.project))
            outcome.errors += len(problems)
            yield from problems
        paths = [path for path in group.paths if path not in known]
        job = Job(group.project, folder=os.getcwd(), detailed=detailed(args.outputs))
        for result in lint_files(job, paths, args.jobs):
            if result.kind != "other":
                outcome.add(result._replace(suppressed=0, silenced=()), ())
                yield from outcome.new(group.project, result)
