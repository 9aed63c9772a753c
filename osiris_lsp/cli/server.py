"""`osiris-lsp server`: the language server, for editors to start."""

import argparse
import gc
import logging
import sys
from collections.abc import Sequence

from osiris_lsp.cli import UsageError
from osiris_lsp.cli.terminal import Parser
from osiris_lsp.values import is_local_host

_EPILOG = """\
examples:
  osiris-lsp server                        what an editor runs: speaks on standard input and output
  osiris-lsp server --tcp 127.0.0.1:2087   one client over a socket, to look at the traffic
"""


def parser() -> Parser:
    """Return the parser of the command."""
    made = Parser(
        prog="osiris-lsp server",
        description="Serve an editor over standard input and output.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("--stdio", action="store_true", help="accepted; it is the default")
    add("--tcp", metavar="HOST:PORT", help="for debugging: serve one client; doctor is off")
    add("--allow-remote", action="store_true", help="with --tcp: other machines may connect")
    return made


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp server` until the client ends it."""
    args = parser().parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    # pygls logs messages and tracebacks, and with them text of documents; our log has types only.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    from osiris_lsp.lsp.server import Server

    server = Server()
    # What is there now stays; a keystroke in a large file makes many objects, and frees as many.
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    if not args.tcp:
        server.start_io()
        return 0
    host, _, port = args.tcp.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdigit():
        raise UsageError("`--tcp` takes HOST:PORT, such as `127.0.0.1:2087`")
    if not args.allow_remote and not is_local_host(host):
        raise UsageError(
            f"`--tcp {args.tcp}` would let other machines read your files; "
            "add `--allow-remote` if that is meant"
        )
    server.trusted = False
    server.start_tcp(host, int(port))
    return 0
