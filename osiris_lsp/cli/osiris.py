"""The command `osiris`: sub-commands that are not ours go to an installed osiris-pipeline."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from osiris_lsp.cli import COMMANDS
from osiris_lsp.cli import main as ours

OWN: Final = frozenset(("connections", "graph", "lint", "rule", "schema"))
"""Sub-commands of `osiris` that osiris-lsp answers."""

_GUARD: Final = "OSIRIS_LSP_DELEGATED"


def main(argv: Sequence[str] | None = None) -> int:
    """Run `osiris COMMAND` and return its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    if args and args[0] in OWN:
        return ours(args)
    target = pipeline()
    if target is None or os.environ.get(_GUARD):
        return _missing(args)
    os.environ[_GUARD] = "1"
    sys.argv = ["osiris", *args]
    run: Callable[[], Any] = target.load()
    result = run()
    return result if isinstance(result, int) else 0


def _missing(args: Sequence[str]) -> int:
    own = ", ".join(f"`osiris {name}`" for name in COMMANDS if name in OWN)
    if not args or args[0] in ("-h", "--help"):
        print(f"osiris: osiris-lsp answers {own}; all else needs `pip install osiris-pipeline`")
        return 0 if args else 2
    print(
        f"osiris: error: `osiris {args[0]}` belongs to osiris-pipeline, which is not installed; "
        f"`pip install osiris-pipeline` adds it (osiris-lsp answers {own})",
        file=sys.stderr,
    )
    return 2


def pipeline() -> Any:
    """Return the `osiris` entry point of another installed distribution, or None."""
    from importlib.metadata import entry_points

    for point in entry_points(group="console_scripts", name="osiris"):
        if not point.value.startswith("osiris_lsp"):
            return point
    return None


def active() -> str:
    """Say which `osiris` command runs when one types it."""
    import shutil

    path = shutil.which("osiris")
    point = pipeline()
    behind = ""
    if point is not None:
        owner = point.dist.name if point.dist is not None else point.value
        behind = f"; other sub-commands go to {owner}"
    if path is None:
        return f"osiris: not on PATH{behind}"
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            is_ours = "osiris_lsp" in file.read(4096)
    except OSError:
        is_ours = False
    return f"osiris: {path} ({'osiris-lsp' if is_ours else 'not from osiris-lsp'}){behind}"
