"""`osiris-lsp connections trust`: consent for editors and hooks to connect."""

import time
from collections.abc import Sequence

from osiris_lsp.cli import UsageError
from osiris_lsp.cli.connections.source import choose, command_parser, open_resolver
from osiris_lsp.cli.terminal import Parser
from osiris_lsp.connectors.trust import Consent, TrustStore, consent_of
from osiris_lsp.text import printable

_EPILOG = """\
examples:
  osiris connections trust                       what is trusted, and what would be allowed
  osiris connections trust @mysql.default        allow one
  osiris connections trust --all                 allow all of this project
  osiris connections trust --revoke @mysql.default
  osiris connections trust --list                everything that was allowed on this machine

A connection whose destination, TLS settings or variables change has to be allowed again.
"""


def parser() -> Parser:
    """Return the parser of the command."""
    options = command_parser("trust", "Allow editors and hooks to check connections.", _EPILOG)
    options.add_argument("references", nargs="*", metavar="@REF", help="connections to allow")
    options.add_argument("--all", action="store_true", help="allow all of the project")
    options.add_argument("--list", action="store_true", help="list what was allowed so far")
    options.add_argument("--revoke", action="append", metavar="@REF", help="take it back")
    return options


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp connections trust` and return its exit code."""
    args = parser().parse_args(argv)
    store = TrustStore()
    if args.list:
        return _list(store)
    resolver = open_resolver(args)
    if args.revoke:
        if args.references or args.all:
            raise UsageError("`--revoke` takes back; allow connections in a run of their own")
        for entry in choose(resolver, args.revoke):
            done = store.revoke(resolver.path, str(entry))
            print(f"{entry} is no longer trusted" if done else f"{entry} was not trusted")
        return 0
    if args.all and args.references:
        raise UsageError("name connections, or give `--all`")
    if not args.all and not args.references:
        for entry in choose(resolver):
            state = "trusted" if store.is_trusted(resolver.path, entry) else "not trusted"
            if store.changed(resolver.path, entry):
                state = "changed since it was trusted"
            _print(f"{entry}: {state}", consent_of(entry))
        return 0
    for entry in choose(resolver, args.references):
        try:
            _print(f"{entry}: trusted", store.trust(resolver.path, entry))
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise UsageError(
                f"the trust store {store.folder} cannot be written: {reason}"
            ) from error
    return 0


def _print(head: str, consent: Consent) -> None:
    print(head)
    for field, text in consent.destinations:
        print(f"  connects to  {printable(text)} ({field})")
    for field, text in consent.tls:
        print(f"  TLS          {field}: {printable(text)}")
    for reference in consent.references:
        print(f"  reads        {printable(reference)}")


def _list(store: TrustStore) -> int:
    empty = True
    for record in store.records():
        empty = False
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.get("trusted_at", 0)))
        print(f"{record.get('ref')}  {record.get('file')}  since {when}")
        for text in record.get("destinations", ()):
            print(f"  connects to  {printable(str(text))}")
        for text in record.get("references", ()):
            print(f"  reads        {printable(str(text))}")
    if empty:
        print("nothing is trusted yet; `osiris connections trust @family.alias` allows one")
    return 0
