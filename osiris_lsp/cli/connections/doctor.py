"""`osiris-lsp connections doctor`: check that connections work (CONN-020)."""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence

from osiris_lsp.cli import UsageError
from osiris_lsp.cli.connections.formats import Checked, is_untrusted, junit, prometheus, text
from osiris_lsp.cli.connections.source import choose, command_parser, open_resolver
from osiris_lsp.cli.terminal import Parser, Progress, style
from osiris_lsp.connectors.doctor import ConnectionDoctor, untrusted
from osiris_lsp.connectors.health import TIMEOUT
from osiris_lsp.connectors.resolution import ConnectionResolver
from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.connectors.trust import TrustStore, consent_of
from osiris_lsp.documents import Connection
from osiris_lsp.files import replace
from osiris_lsp.text import printable

_EPILOG = """\
examples:
  osiris connections doctor                              check all connections
  osiris connections doctor @mysql.default --timeout 5   check one, and wait longer
  osiris connections doctor --family mysql --alias default --json
  osiris connections doctor --trusted-only               what a hook runs: the rest is not checked
  osiris connections doctor --format junit > doctor.xml
  osiris connections doctor --watch --metrics-file /var/lib/node_exporter/osiris.prom

Each check has one deadline: name lookup, connection, TLS, login and a harmless query together.
Nothing is tried twice, nothing is written, and no secret is shown.

exit codes:
  0  all that were checked are healthy    2  what was asked for could not be checked
  1  at least one is not
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = command_parser("doctor", "Check that connections work, and say what to do.", _EPILOG)
    add = made.add_argument
    add("references", nargs="*", metavar="@REF", help="`@family.alias`, or `@family`")
    add("--family", metavar="F", help="only this family")
    add("--alias", metavar="A", help="only this alias")
    add("--all", action="store_true", help="all of them, which is the default")
    add("--timeout", type=float, default=TIMEOUT, metavar="S", help="seconds each; default: 2")
    add("--format", choices=("text", "json", "junit"), default="text", help="default: text")
    add("--json", action="store_true", help="the same as `--format json` (CONN-020)")
    add("--verbose", action="store_true", help="text: all that is known about the server")
    add("--trusted-only", action="store_true", help="check only what `trust` has allowed")
    add("--watch", action="store_true", help="check again and again, and print what changes")
    add("--interval", type=float, default=60.0, metavar="S", help="with --watch; default: 60")
    add("--metrics-file", metavar="FILE", help="write the results in the format of Prometheus")
    add("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
    return made


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp connections doctor` and return its exit code."""
    args = parser().parse_args(argv)
    if args.timeout <= 0:
        raise UsageError("`--timeout` is a number of seconds above 0")
    if args.interval < 1:
        raise UsageError("`--interval` is a number of seconds, 1 or more")
    if args.all and (args.references or args.family or args.alias):
        raise UsageError("`--all` checks everything; leave out the names, or `--all`")
    if args.references and (args.family or args.alias):
        raise UsageError("name connections as `@family.alias`, or by `--family` and `--alias`")
    if args.json:
        args.format = "json"
    if args.watch:
        return _watch(args)
    try:
        resolver = open_resolver(args)
    except UsageError as error:
        # A hook runs in repositories of all sorts.
        if not args.trusted_only or getattr(error.__cause__, "code", "") != "config.no_file":
            raise
        print(f"nothing was checked: {error}", file=sys.stderr)
        return 0
    entries = choose(resolver, args.references, args.family, args.alias)
    if not entries:
        raise UsageError(f"{resolver.path} holds no connections; nothing was checked")
    checked = _check(args, resolver, entries)
    _print(args, resolver, checked)
    if args.metrics_file:
        _write_metrics(args.metrics_file, checked, _count({}, checked))
    return _exit_code(args, checked)


def _exit_code(args: argparse.Namespace, checked: Sequence[Checked]) -> int:
    done = [result for _, result in checked if not is_untrusted(result)]
    if not all(result.ok for result in done):
        return 1
    named = args.references or args.family or args.alias
    return 2 if named and not done else 0


def _check(
    args: argparse.Namespace, resolver: ConnectionResolver, entries: Sequence[Connection]
) -> list[Checked]:
    """Check the connections that may be, with progress; the rest counts as not trusted."""
    store = TrustStore() if args.trusted_only else None
    refused = {
        id(entry): untrusted(entry, _why(store, resolver.path, entry))
        for entry in entries
        if store is not None and not store.is_trusted(resolver.path, entry)
    }
    allowed = [entry for entry in entries if id(entry) not in refused]
    for entry in allowed:
        print(f"{entry} connects to {printable(str(consent_of(entry)))}", file=sys.stderr)
    progress = Progress("checked", "connections")
    results: dict[int, DoctorResult] = dict(refused)
    done = 0

    def tick(entry: Connection, result: DoctorResult) -> None:
        nonlocal done
        done += 1
        progress(done, len(allowed))

    for entry, result in ConnectionDoctor(resolver, args.timeout).check_each(allowed, tick):
        results[id(entry)] = result
    progress.clear()
    return [(entry, results[id(entry)]) for entry in entries]


def _why(store: TrustStore, path: str, entry: Connection) -> str:
    if store.changed(path, entry):
        return "this connection has changed since it was trusted"
    return "nobody has allowed this connection yet"


def _print(
    args: argparse.Namespace, resolver: ConnectionResolver, checked: Sequence[Checked]
) -> None:
    if args.format == "json":
        objects = [result.as_json() for _, result in checked]
        one = len(args.references) == 1 or (args.family and args.alias and len(objects) == 1)
        shown = objects[0] if one else {"connections": objects}
        print(json.dumps(shown, indent=2, ensure_ascii=False))
    elif args.format == "junit":
        print("\n".join(junit(checked)))
    else:
        look = style(args.color, sys.stdout)
        print("\n".join(text(resolver, checked, look, args.verbose)))


def _count(
    counted: dict[tuple[str, str], Counter[str]], checked: Sequence[Checked]
) -> dict[tuple[str, str], Counter[str]]:
    for entry, result in checked:
        key = (entry.family.canonical, entry.alias)
        counted.setdefault(key, Counter())[result.shown_category] += 1
    return counted


def _write_metrics(
    path: str, checked: Sequence[Checked], counted: dict[tuple[str, str], Counter[str]]
) -> None:
    try:
        replace(path, prometheus(checked, counted, time.time()).encode())
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"`--metrics-file {path}` cannot be written: {reason}") from error


def _watch(args: argparse.Namespace) -> int:
    """Check again and again until interrupted; prints results that differ from the last ones."""
    last: dict[str, DoctorResult] = {}
    refused: dict[str, object] = {}
    counted: dict[tuple[str, str], Counter[str]] = {}
    code = 0
    try:
        while True:
            resolver = open_resolver(args)
            state = _state(resolver)
            entries = choose(resolver, args.references, args.family, args.alias)
            # The server has refused these credentials: asking again could lock the account.
            due = [entry for entry in entries if refused.get(str(entry)) != state]
            checked = _check(args, resolver, due) if due else []
            code = _exit_code(args, checked) if due else code
            _count(counted, checked)
            changed = [item for item in checked if _differs(last.get(str(item[0])), item[1])]
            if changed:
                print(time.strftime("%Y-%m-%d %H:%M:%S"))
                _print(args, resolver, changed)
                sys.stdout.flush()
            for entry, result in checked:
                last[str(entry)] = result
                refused.pop(str(entry), None)
                if result.category == "auth":
                    refused[str(entry)] = state
            if args.metrics_file:
                latest = [(entry, last[str(entry)]) for entry in entries if str(entry) in last]
                _write_metrics(args.metrics_file, latest, counted)
            time.sleep(args.interval)
    except KeyboardInterrupt:
        return code


def _state(resolver: ConnectionResolver) -> object:
    """Return what an answer depends on: the text of the file and of the `.env` beside it."""
    found = []
    for path in (resolver.path, os.path.join(os.path.dirname(resolver.path), ".env")):
        try:
            status = os.stat(path)
            found.append((status.st_mtime_ns, status.st_size))
        except OSError:
            found.append((0, 0))
    return tuple(found)


def _differs(before: DoctorResult | None, now: DoctorResult) -> bool:
    if before is None:
        return True
    return (before.ok, before.details.get("code")) != (now.ok, now.details.get("code"))
