"""`osiris-lsp lint`: check files, show findings, apply fixes."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from osiris_lsp import cache
from osiris_lsp.batch import FileResult, Job, lint_files, sort_records
from osiris_lsp.cli import UsageError
from osiris_lsp.cli.groups import Group, is_quiet, sort_into_groups
from osiris_lsp.cli.outcome import Outcome
from osiris_lsp.cli.outputs import add_options, chosen, detailed, write_all
from osiris_lsp.cli.settings import show_settings
from osiris_lsp.cli.terminal import Parser, Progress, split, style
from osiris_lsp.discovery import find_root
from osiris_lsp.finding import SEVERITIES, Severity, at_least
from osiris_lsp.project import Project
from osiris_lsp.reports import QUOTING, Summary
from osiris_lsp.reports.record import Record
from osiris_lsp.reports.settings import settings_records
from osiris_lsp.rules import RULES, is_selector
from osiris_lsp.settings import PROFILES
from osiris_lsp.specs import nearest
from osiris_lsp.text import printable

_EPILOG = """\
examples:
  osiris-lsp lint                                the project of the current folder
  osiris-lsp lint pipelines/orders.yaml          one file
  osiris-lsp lint --fix --diff                   what the safe fixes would change
  osiris-lsp lint --select OSR2 --ignore OSR217  some rules only
  osiris-lsp lint --write-env                    move secrets into .env, leave ${NAME} behind
  osiris-lsp lint --severity unused-connection=warning
  osiris-lsp lint --staged                       what the next commit changes, and what that breaks
  osiris-lsp lint --format sarif --output-file osiris.sarif --format full
                                                 a file for machines, the rest for people
  osiris-lsp lint --format html --output-file report.html
  osiris-lsp lint --watch                        once more whenever a file changes
  cat a.yaml | osiris-lsp lint - --stdin-filename pipelines/a.yaml

exit codes:
  0  nothing at or above --fail-on        2  usage, settings or input error
  1  findings                             3  a bug in osiris-lsp
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(
        prog="osiris-lsp lint",
        description="Check connections files, pipelines and component specs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("paths", nargs="*", metavar="PATH", help="files and folders; `-` is standard input")
    group = made.add_argument_group("output")
    add = group.add_argument
    add_options(group)
    add("--statistics", action="store_true", help="count findings by rule")
    add("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
    group = made.add_argument_group("fixes")
    add = group.add_argument
    add("--fix", action="store_true", help="apply safe fixes")
    add("--unsafe-fixes", action="store_true", help="with --fix or --diff: unsafe ones too")
    add("--diff", action="store_true", help="show what fixes would change, and write nothing")
    add("--write-env", action="store_true", help="move secrets that are written out into .env")
    group = made.add_argument_group("rules")
    add = group.add_argument
    rules: dict[str, Any] = {"action": "append", "metavar": "RULES"}
    add("--select", **rules, help="codes, prefixes, names or ALL, separated by commas")
    add("--ignore", **rules, help="rules to leave out")
    add("--extend-select", **rules, help="add to the selection of the settings")
    add("--extend-ignore", **rules, help="add to what the settings leave out")
    add("--severity", action="append", metavar="RULE=LEVEL", help="change a rule's severity")
    add("--profile", choices=PROFILES, help="which contract names and variables must meet")
    add("--check-env", action="store_true", help="also check variables and files of this machine")
    group = made.add_argument_group("files")
    add = group.add_argument
    add("--connections-file", metavar="FILE", help="the connections file of the project")
    add("--kind", choices=("connections", "pipeline", "component"), help="what the files are")
    add("--any-yaml", action="store_true", help="check YAML that is not ours for YAML and secrets")
    add("--staged", action="store_true", help="check what `git commit` would take, not the disk")
    add("--dependants", action="store_true", help="check what changed connections, specs break")
    add("--stdin-filename", metavar="NAME", help="the name that standard input goes by")
    add("--force-exclude", action="store_true", help="leave out named files that are excluded")
    add("--isolated", action="store_true", help="ignore settings files")
    add("--show-files", action="store_true", help="list what would be checked, and stop")
    add("--show-settings", action="store_true", help="print the settings in force, and stop")
    group = made.add_argument_group("run")
    add = group.add_argument
    add("--fail-on", choices=(*SEVERITIES, "never"), help="default: warning")
    add("--baseline", metavar="FILE", help="leave out the findings that this file lists")
    add("--exit-zero", action="store_true", help="exit with 0 in spite of findings")
    add("--no-cache", action="store_true", help="look at every file, and keep no results")
    add("--watch", action="store_true", help="lint again whenever a file changes")
    add("--jobs", type=int, default=0, metavar="N", help="processes; default: as many as pay")
    return made


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp lint` and return its exit code."""
    args = parser().parse_args(argv)
    _check_arguments(args)
    args.outputs = chosen(args)
    if args.watch:
        from osiris_lsp.cli.watch import repeat

        return repeat(lambda: _lint(args), args.paths)
    return _lint(args)


def _lint(args: argparse.Namespace) -> int:
    outcome = Outcome(args.baseline)
    changes = None
    if args.staged or args.dependants:
        from osiris_lsp.cli import changes as source

        changes = source.read(args.staged)
    paths = source.chosen(changes, args.paths) if args.staged and changes else args.paths
    if changes is None:
        paths = paths or (["-"] if args.stdin_filename else [find_root(os.getcwd())])
    groups = sort_into_groups(args, paths, outcome, changes.overlay if changes else {})
    if args.show_settings:
        return show_settings([group.project for group in groups])
    if args.show_files:
        return _show_files(args, groups)
    for group in groups:
        problems = list(settings_records(group.project))
        outcome.errors += len(problems)
        outcome.records.extend(problems)
        outcome.prepare(group.project)
    progress = Progress()
    for group in groups:
        lint_group(args, group, outcome, progress)
    if changes is not None:
        outcome.records.extend(source.dependants(args, changes, groups, outcome))
    progress.clear()
    if outcome.moved:
        from osiris_lsp.relocation import ROTATE

        print(f"osiris-lsp: note: {ROTATE}", file=sys.stderr)
    if outcome.baselines is not None and not outcome.crashes:
        outcome.records.extend(outcome.baselines.stale(paths))
    records = sort_records(outcome.records)
    look = style(args.color, sys.stdout, args.statistics)
    if args.diff:
        from osiris_lsp.cli.fix import show_changes

        show_changes(sys.stdout, outcome.changed, look)
    else:
        summary = Summary(
            outcome.files,
            outcome.suppressed,
            outcome.fixed,
            known=sort_records(outcome.known),
            compared=outcome.baselines is not None and outcome.baselines.are_used(),
            exit_code=_exit_code(args, groups, outcome, records),
            silenced=sorted(outcome.silenced, key=lambda item: item.record.place),
            linted=[(group.project, group.paths) for group in groups],
            doctor=args.doctor_results,
        )
        out = sys.stdout, look
        write_all(args.outputs, records, summary, out, outcome.complain)
    sys.stdout.flush()
    if outcome.crashes:
        from osiris_lsp.cli.crash import report

        report(outcome.crashes)
    return _exit_code(args, groups, outcome, records)


def _exit_code(
    args: argparse.Namespace, groups: Sequence[Group], outcome: Outcome, records: Sequence[Record]
) -> int:
    if outcome.crashes:
        return 3
    if outcome.errors:
        return 2
    threshold = args.fail_on or (groups[0].project.settings.fail_on if groups else "warning")
    if args.exit_zero or threshold == "never":
        return 0
    return 1 if any(_counts(record, threshold) for record in records) else 0


def _counts(record: Record, threshold: Severity) -> bool:
    """Tell whether a finding fails the run; that a mistake is gone does so only as an error."""
    if record.rule == "stale-baseline" and record.severity != "error":
        return False
    return at_least(record.severity, threshold)


def _check_arguments(args: argparse.Namespace) -> None:
    for option in ("select", "ignore", "extend_select", "extend_ignore"):
        for word in split(getattr(args, option)):
            _check_selector(word, f"--{option.replace('_', '-')}")
    for item in args.severity or ():
        rule, equals, level = item.partition("=")
        if not equals or level not in SEVERITIES:
            levels = ", ".join(SEVERITIES)
            raise UsageError(f"`--severity {item}`: write RULE=LEVEL with one of {levels}")
        _check_selector(rule, "--severity")
    if args.unsafe_fixes and not (args.fix or args.diff):
        raise UsageError("`--unsafe-fixes` goes with `--fix` or `--diff`")
    if args.staged and (args.fix or args.stdin_filename):
        raise UsageError("`--staged` checks what git holds; fix files first, then `git add` them")
    if args.stdin_filename and args.paths not in ([], ["-"]):
        raise UsageError("`--stdin-filename` goes with the path `-`")
    if args.write_env and (args.staged or args.diff):
        raise UsageError("`--write-env` writes files; it goes without `--staged` and `--diff`")
    if args.write_env and (args.stdin_filename or "-" in args.paths):
        raise UsageError("`--write-env` writes files, and standard input is none")
    if args.watch and (args.fix or args.write_env or args.staged or "-" in args.paths):
        raise UsageError("`--watch` looks at files again and again; it changes none")
    if args.jobs < 0:
        raise UsageError("`--jobs` must be 0 or more")


def _check_selector(word: str, option: str) -> None:
    if not is_selector(word):
        close = nearest(word, RULES)
        hint = f"; did you mean `{close}`?" if close else "; see `osiris-lsp rule --all`"
        raise UsageError(f"`{option}`: `{word}` is no rule{hint}")


def lint_group(
    args: argparse.Namespace, group: Group, outcome: Outcome, progress: Progress
) -> None:
    """Lint the files of a project into an outcome."""
    fixing = args.fix or args.diff
    project = group.project
    job = Job(
        project,
        args.kind,
        args.any_yaml,
        keep=fixing or args.write_env,
        folder=os.getcwd(),
        detailed=detailed(args.outputs),
    )
    if args.no_cache:
        results = lint_files(job, group.paths, args.jobs, progress)
    else:
        excerpts = not QUOTING.isdisjoint(output.format for output in args.outputs)
        results = cache.lint_files(job, group.paths, args.jobs, progress, excerpts=excerpts)
    if fixing:
        from osiris_lsp.cli.fix import fix_file

        results = iter([fix_file(job, result, args, outcome) for result in results])
    if args.write_env:
        from osiris_lsp.cli.write_env import move_secrets

        results = iter(move_secrets(job, results, outcome))
    for result in results:
        if result.kind == "other":
            _skipped(args, project, result.path, group.named)
        elif _is_ours(args, group, result):
            outcome.add(result, outcome.new(project, result))


def _is_ours(args: argparse.Namespace, group: Group, result: FileResult) -> bool:
    """Tell whether a file concerns us; what cannot be read may well be somebody else's."""
    if result.kind != "yaml" or args.any_yaml:
        return True
    quiet = result.path not in group.named or is_quiet(args, group.project)
    return not (quiet and group.project.is_foreign(result.path))


def _skipped(args: argparse.Namespace, project: Project, path: str, named: set[str]) -> None:
    if path in named and not is_quiet(args, project):
        name = os.path.relpath(path)
        print(
            f"osiris-lsp: note: {printable(name)} is no Osiris file and was skipped; `--kind` says "
            "what it is, `--any-yaml` checks any YAML",
            file=sys.stderr,
        )


def _show_files(args: argparse.Namespace, groups: Sequence[Group]) -> int:
    for group in groups:
        for path in group.paths:
            document = group.project.open(path, kind=args.kind, any_yaml=args.any_yaml)
            if document is not None:
                kind = document.input_problem[0] if document.input_problem else document.kind
                print(f"{kind:<12} {os.path.relpath(path)}")
    return 0
