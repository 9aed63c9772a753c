"""`osiris-lsp lint`: check files, show findings, apply fixes."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from osiris_lsp import cache
from osiris_lsp.batch import FileResult, Job, lint_files, sort_records
from osiris_lsp.cli import UsageError
from osiris_lsp.cli.outputs import add_options, chosen, detailed, write_all
from osiris_lsp.cli.settings import settings_records, show_settings
from osiris_lsp.cli.terminal import Parser, Progress, split, style
from osiris_lsp.discovery import Overlay, find_root
from osiris_lsp.finding import SEVERITIES, Severity, at_least
from osiris_lsp.project import Project, open_project
from osiris_lsp.reports import QUOTING, Summary
from osiris_lsp.reports.record import Record, Silenced
from osiris_lsp.rules import RULES, is_selector
from osiris_lsp.settings import PROFILES
from osiris_lsp.specs import nearest
from osiris_lsp.text import printable

if TYPE_CHECKING:
    from osiris_lsp.cli.baseline import Baselines
    from osiris_lsp.engine import Crash

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


class Group(NamedTuple):
    """Files of one project that are linted together."""

    project: Project
    paths: list[str]
    named: set[str]


class Outcome:
    """What a run gathers, whichever project it comes from.

    `baseline` is the file that an option names; without it each project has that of its settings.
    """

    def __init__(self, baseline: str | None = None) -> None:
        self.baseline = baseline
        self.records: list[Record] = []
        self.crashes: list[Crash] = []
        self.errors = 0
        self.files = 0
        self.suppressed = 0
        self.silenced: list[Silenced] = []
        self.fixed = 0
        self.moved = 0
        self.changed: list[tuple[str, str, str]] = []
        self.baselines: Baselines | None = None
        self.known: list[Record] = []

    def add(self, result: FileResult, records: Iterable[Record]) -> None:
        """Take over the result of a file, and those of its records that count."""
        self.files += 1
        self.records.extend(records)
        self.suppressed += result.suppressed
        self.silenced.extend(result.silenced)
        self.crashes.extend(result.crashes)

    def prepare(self, project: Project) -> None:
        """Read the baseline of a project, if it has one; raises UsageError."""
        if self.baselines is None and (self.baseline or project.settings.baseline):
            from osiris_lsp.cli.baseline import Baselines

            self.baselines = Baselines(self.baseline)
        if self.baselines is not None:
            self.baselines.of(project)

    def new(self, project: Project, result: FileResult) -> Sequence[Record]:
        """Return the records of a result that no baseline knows, and count the others."""
        self.prepare(project)
        if self.baselines is None:
            return result.records
        new, known = self.baselines.sift(project, result.path, result.records)
        self.known.extend(known)
        return new


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
        write_all(args.outputs, records, summary, out, lambda text: _complain(text, outcome))
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
    if not _is_quiet(args, project):
        return False
    from osiris_lsp.discovery import GitIgnore

    return project.is_excluded()(path) or GitIgnore(os.path.dirname(path)).ignores(path, False)


def _is_quiet(args: argparse.Namespace, project: Project) -> bool:
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
            _complain(f"the pattern `{path}` matches no file", outcome)
            continue
        folder = os.path.dirname(path) or "."
        close = None
        if os.path.isdir(folder):
            close = nearest(os.path.basename(path), os.listdir(folder))
        hint = f"; did you mean `{os.path.join(os.path.dirname(path), close)}`?" if close else ""
        _complain(f"there is no file `{path}`{hint}", outcome)


def _complain(message: str, outcome: Outcome) -> None:
    print(f"osiris-lsp: error: {printable(message)}", file=sys.stderr)
    outcome.errors += 1


def _standard_input() -> str:
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8 (byte {error.start})") from error


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

        results = iter([move_secrets(job, result, outcome) for result in results])
    for result in results:
        if result.kind == "other":
            _skipped(args, project, result.path, group.named)
        elif _is_ours(args, group, result):
            outcome.add(result, outcome.new(project, result))


def _is_ours(args: argparse.Namespace, group: Group, result: FileResult) -> bool:
    """Tell whether a file concerns us; what cannot be read may well be somebody else's."""
    if result.kind != "yaml" or args.any_yaml:
        return True
    quiet = result.path not in group.named or _is_quiet(args, group.project)
    return not (quiet and group.project.is_foreign(result.path))


def _skipped(args: argparse.Namespace, project: Project, path: str, named: set[str]) -> None:
    if path in named and not _is_quiet(args, project):
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
