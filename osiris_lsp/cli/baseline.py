"""`osiris-lsp baseline`: accept the findings of today, so that only new ones count."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from osiris_lsp.baseline import NAME, Baseline, BaselineError, Entry, configured, load, render
from osiris_lsp.cli import UsageError, lint
from osiris_lsp.cli.groups import sort_into_groups
from osiris_lsp.cli.outcome import Outcome
from osiris_lsp.cli.outputs import save
from osiris_lsp.cli.terminal import Parser, Progress
from osiris_lsp.discovery import find_root
from osiris_lsp.documents import Document
from osiris_lsp.engine import Linter
from osiris_lsp.finding import Finding, Severity
from osiris_lsp.project import Project
from osiris_lsp.reports.paint import plural
from osiris_lsp.reports.record import Record, Recorder
from osiris_lsp.reports.settings import settings_records
from osiris_lsp.rules import RULES
from osiris_lsp.text import Span, printable

_SECRETS: Final = "OSR3"

_EPILOG: Final = f"""\
examples:
  osiris-lsp baseline create                   list the findings of the project in {NAME}
  osiris-lsp lint --baseline {NAME}    only what is new counts
  osiris-lsp baseline prune                    take out what was repaired
  osiris-lsp baseline update pipelines/new     accept what is new there, too

Findings about secrets are left out unless `--include-secrets` is given: another secret at a place
that is listed would stay hidden. `baseline = "{NAME}"` in osiris-lsp.toml saves the option.

exit codes:
  0  the baseline is written, or need not be     2  usage, settings or input error
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(
        prog="osiris-lsp baseline",
        description="List the findings of today in a file, so that only new ones count.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add(
        "action",
        choices=("create", "update", "prune"),
        metavar="ACTION",
        help="create; update: add what is new and take out what is gone; prune: only the latter",
    )
    add("paths", nargs="*", metavar="PATH", help="files and folders; default: the project")
    add("--baseline", metavar="FILE", help=f"default: that of the settings, or {NAME}")
    add("--include-secrets", action="store_true", help="list findings about secrets, too")
    add("--force", action="store_true", help="create: replace a baseline that is there")
    add("--connections-file", metavar="FILE", help="the connections file of the project")
    add("--check-env", action="store_true", help="also check variables and files of this machine")
    add("--any-yaml", action="store_true", help="check YAML that is not ours for YAML and secrets")
    return made


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp baseline` and return its exit code."""
    args = parser().parse_args(argv)
    if "-" in args.paths:
        raise UsageError("`osiris-lsp baseline` reads no standard input; name files")
    paths = args.paths or [find_root(os.getcwd())]
    options = lint.parser().parse_args([])
    for name in ("connections_file", "check_env", "any_yaml"):
        setattr(options, name, getattr(args, name))
    outcome = Outcome()
    groups = sort_into_groups(options, paths, outcome, {})
    if outcome.errors:
        return 2
    if not groups:
        raise UsageError("there are no files to check; name files or folders")
    if any(record for group in groups for record in settings_records(group.project)):
        raise UsageError("the settings cannot be used; `osiris-lsp lint` says why")
    path = _target(args.baseline, [group.project for group in groups])
    outcome.baselines = Baselines(path, new=args.action == "create")
    if args.action == "create" and os.path.lexists(path) and not args.force:
        raise UsageError(
            f"`{_shown(path)}` is there already; `osiris-lsp baseline update` adds to it, "
            "`--force` replaces it"
        )
    baseline = outcome.baselines.load(path, groups[0].project)
    progress = Progress()
    for group in groups:
        lint.lint_group(options, group, outcome, progress)
    progress.clear()
    if outcome.crashes:
        from osiris_lsp.cli.crash import report

        report(outcome.crashes)
        return 3
    _write(args, baseline, paths, path)
    return 0


def _target(given: str | None, projects: Sequence[Project]) -> str:
    """Return the absolute path of the baseline to write."""
    if given:
        return os.path.abspath(given)
    found = {_configured(project) or os.path.join(project.root, NAME) for project in projects}
    if len(found) > 1:
        raise UsageError("the files belong to several projects; name a file with `--baseline`")
    return found.pop()


def _write(args: argparse.Namespace, baseline: Baseline, checked: Iterable[str], path: str) -> None:
    """Write the baseline where it changes, and say what changes."""
    stale = set(baseline.stale(_folders(checked), RULES.__contains__))
    fresh = [entry for key, entry in baseline.seen.items() if key not in baseline.entries]
    left_out = [entry for entry in fresh if entry.code.startswith(_SECRETS)]
    if args.action == "prune":
        fresh, left_out = [], []
    elif args.include_secrets:
        left_out = []
    added = sorted(set(fresh) - set(left_out))
    kept = [entry for entry in baseline.entries.values() if entry not in stale]
    if args.action == "create" or added or stale:
        try:
            save(path, render([*kept, *added]))
        except UsageError as error:
            raise UsageError(str(error).replace("--output-file", "--baseline")) from error
    out = sys.stdout
    if args.action == "create":
        out.write(f"{plural(len(added), 'finding')} listed in {_shown(path)}\n")
    else:
        out.writelines(_listed("+", added))
        out.writelines(_listed("-", sorted(stale)))
        out.write(
            f"{_shown(path)}: {len(added)} added, {len(stale)} removed, {len(kept)} unchanged\n"
        )
    if left_out:
        out.write(
            f"{plural(len(left_out), 'finding')} about secrets left out: repair them, or use "
            "`--include-secrets`\n"
        )


def _listed(sign: str, entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        yield f"{sign} {printable(f'{entry.path}: {entry.code} {entry.rule}')}\n"


def _shown(path: str) -> str:
    return printable(os.path.relpath(path))


def _folders(paths: Iterable[str]) -> list[str]:
    """Return those of the paths that are folders, absolute."""
    return [os.path.abspath(path) for path in paths if os.path.isdir(path)]


def _configured(project: Project) -> str | None:
    try:
        return configured(project)
    except BaselineError as error:
        raise UsageError(str(error)) from error


class Baselines:
    """The baselines of a run: one for all projects when it is `given`, else that of each.

    With `new` they start empty, whatever the files hold.
    """

    def __init__(self, given: str | None = None, new: bool = False) -> None:
        self._given = os.path.abspath(given) if given else None
        self._new = new
        self._loaded: dict[str, tuple[Baseline, Project]] = {}
        self._rules: dict[Project, frozenset[str]] = {}

    def sift(
        self, project: Project, path: str, records: Sequence[Record]
    ) -> tuple[Sequence[Record], Sequence[Record]]:
        """Return the records of a file that are new, and those that a baseline knows."""
        baseline = self.of(project)
        if baseline is None:
            return records, ()
        if project not in self._rules:
            self._rules[project] = frozenset(entry.name for entry in Linter(project).rules)
        return baseline.sift(project, path, records, self._rules[project])

    def of(self, project: Project) -> Baseline | None:
        """Return the baseline of a project, if it has one; raises UsageError."""
        path = self._given or _configured(project)
        return None if path is None else self.load(path, project)

    def are_used(self) -> bool:
        """Tell whether a project has a baseline."""
        return bool(self._loaded)

    def load(self, path: str, project: Project) -> Baseline:
        """Return a baseline by its absolute path; raises UsageError."""
        if path not in self._loaded:
            try:
                found = Baseline(path) if self._new else load(project, path, os.getcwd())
            except BaselineError as error:
                raise UsageError(str(error)) from error
            self._loaded[path] = found, project
        return self._loaded[path][0]

    def stale(self, checked: Iterable[str]) -> Iterator[Record]:
        """Yield a finding for each entry that is stale after `checked` paths were linted."""
        folders = _folders(checked)
        for baseline, project in self._loaded.values():
            linter = Linter(project)
            rule = RULES["stale-baseline"]
            if rule not in linter.rules:
                continue
            severity = linter.severities.get(rule.name, rule.severity)
            findings = [
                _stale(baseline, entry, severity)
                for entry in baseline.stale(folders, RULES.__contains__)
            ]
            document = Document(baseline.path, baseline.text)
            yield from Recorder(project).records(document, findings)


def _stale(baseline: Baseline, entry: Entry, severity: Severity) -> Finding:
    rule = RULES["stale-baseline"]
    at = max(baseline.text.find(entry.fingerprint), 0)
    span = Span(at, at + len(entry.fingerprint))
    message = (
        f"`{printable(entry.rule)}` is not found in {printable(entry.path)} any more; "
        "`osiris-lsp baseline prune` takes this entry out"
    )
    return Finding(
        rule.code, rule.name, severity, message, baseline.path, span, (), None, (), rule.source
    )
