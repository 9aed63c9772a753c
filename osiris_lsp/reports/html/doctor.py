"""What the doctor said about each connection."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from osiris_lsp.reports.html.markup import inline, text


def section(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a card for each result of `connections doctor --json`, those that failed first."""
    healthy = sum(result["ok"] is True for result in results)
    yield f'<p class="muted">{healthy} of {len(results)} healthy</p>\n<ul class="health">\n'
    for result in sorted(results, key=lambda result: result["ok"] is True):
        yield from _result(result)
    yield "</ul>\n"


def _result(result: Mapping[str, Any]) -> Iterator[str]:
    given = result.get("details")
    details: Mapping[str, Any] = given if isinstance(given, dict) else {}
    ok = result["ok"] is True
    kind = "good" if ok else "error"
    category = "healthy" if ok else result.get("category", "unknown")
    yield f'<li class="card"><p><span class="badge {kind}">{text(category)}</span> '
    yield f"<b>@{text(result['family'])}.{text(result['alias'])}</b>"
    latency = result.get("latency_ms")
    if isinstance(latency, int | float):
        shown = f"{latency:.0f} ms" if latency >= 1 else "&lt;1 ms"
        yield f' <span class="muted">{shown}</span>'
    yield "</p>\n"
    said = details.get("cause") or result.get("message")
    if said and not ok:
        yield f"<p>{inline(str(said))}</p>\n"
        if details.get("remedy"):
            yield f"<p><b>What to do:</b> {inline(str(details['remedy']))}</p>\n"
        facts = [details[name] for name in ("code", "stage", "field") if details.get(name)]
        yield f'<p class="muted">{" · ".join(map(text, facts))}</p>\n' if facts else ""
    elif details.get("server_version"):
        yield f'<p class="muted">version {text(details["server_version"])}</p>\n'
    yield "</li>\n"
