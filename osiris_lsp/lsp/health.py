"""The last check of a connection in words, for hovers and lenses."""

from osiris_lsp.lsp.checks import Last
from osiris_lsp.text import printable


def said(check: Last) -> str:
    """Return how a check went: `ok 12 ms, 2 min ago`, with what failed and whether it is old."""
    result = check.result
    if result.ok:
        took = f" {result.latency_ms:.0f} ms" if result.latency_ms is not None else ""
        text = f"ok{took}"
    else:
        text = f"failed, {result.shown_category}"
    changed = ", changed since" if check.stale else ""
    return f"{printable(text)}, {ago(check.age)}{changed}"


def ago(seconds: float) -> str:
    """Return an age in words."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now" if seconds < 10 else f"{int(seconds)} s ago"
