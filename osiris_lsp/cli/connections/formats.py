"""Results of the doctor for people, for CI and for Prometheus."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from osiris_lsp.connectors.resolution import ConnectionResolver
from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.documents import Connection
from osiris_lsp.reports import Style
from osiris_lsp.reports.full import frame
from osiris_lsp.reports.paint import paint, plural
from osiris_lsp.reports.record import Recorder
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Map, Node, deref

Checked = tuple[Connection, DoctorResult]

_FACTS: Final = ("server_version", "database", "user", "role", "tls", "path", "entries", "note")
"""Facts that the text format shows, in this order."""


def text(
    resolver: ConnectionResolver, checked: Sequence[Checked], style: Style, verbose: bool = False
) -> Iterator[str]:
    """Yield the lines of the report for people."""
    wide = max((len(str(entry)) for entry, _ in checked), default=0)
    recorder = Recorder(resolver.project)
    for entry, result in checked:
        if result.ok:
            mark = paint("✓", "good", style)
            spent = milliseconds(result.latency_ms)
            facts = _facts(result.details, verbose)
            yield f"{mark} {entry!s:<{wide}}  {spent:>8}  {facts}".rstrip()
        elif is_untrusted(result):
            said = f"not checked: {result.details['cause']}"
            yield f"{paint('-', 'dim', style)} {entry!s:<{wide}}  {'':>8}  {said}"
            yield f"    {paint('=', 'frame', style)} {printable(str(result.details['remedy']))}"
        else:
            yield from _failure(recorder, resolver, entry, result, style, wide)
    good = sum(result.ok for _, result in checked)
    skipped = sum(is_untrusted(result) for _, result in checked)
    bad = len(checked) - good - skipped
    parts = [paint(f"{good} healthy", "good", style)] if good else []
    parts += [paint(f"{bad} not", "error", style)] if bad else []
    parts += [f"{skipped} not checked"] if skipped else []
    yield f"{', '.join(parts)} of {plural(len(checked), 'connection')}"


def is_untrusted(result: DoctorResult) -> bool:
    """Tell whether a connection was left alone because nobody consented to a check."""
    return bool(result.details.get("code") == "config.not_trusted")


def _failure(
    recorder: Recorder,
    resolver: ConnectionResolver,
    entry: Connection,
    result: DoctorResult,
    style: Style,
    wide: int,
) -> Iterator[str]:
    details = result.details
    mark = paint("✗", "error", style)
    spent = milliseconds(details.get("elapsed_ms"))
    head = paint(f"{result.shown_category}: {details['cause']}", "error", style)
    yield f"{mark} {entry!s:<{wide}}  {spent:>8}  {head}"
    place, shown = recorder.shown(resolver.document, span_of(entry, str(details["field"])))
    where = f"{place.path}:{place.line}:{place.column}"
    yield f"    {paint('-->', 'frame', style)} {where}  {paint(str(details['code']), 'dim', style)}"
    for line in frame(place, shown, "error", style):
        yield f"  {line}"
    if details["remedy"]:
        yield f"    {paint('=', 'frame', style)} {printable(str(details['remedy']))}"
    listed = details.get("databases")
    if listed:
        yield f"    {paint('=', 'frame', style)} databases: {', '.join(map(str, listed))}"


def span_of(entry: Connection, field: str) -> Span:
    """Return the range of a field's value, `auth.token` included; the alias where it is missing."""
    node: Node | None = entry.node
    found = entry.key.span
    for name in field.split(".") if field else ():
        if not isinstance(node, Map):
            break
        known = entry.spec.fields if entry.spec is not None and node is entry.node else {}
        spellings = [name, *(key for key, spec in known.items() if spec.canonical == name)]
        pair = next((node.fields[key] for key in spellings if key in node.fields), None)
        if pair is None:
            break
        node = deref(pair[1])
        found = node.span if node.end > node.start and not isinstance(node, Map) else pair[0].span
    return found


def milliseconds(value: Any) -> str:
    """Return a time for people: `12 ms`, `2.0 s`."""
    if not isinstance(value, int | float):
        return ""
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 1 else "<1 ms"


def _facts(details: Mapping[str, Any], verbose: bool) -> str:
    names = [name for name in _FACTS if details.get(name) not in (None, "")]
    if verbose:
        names += [name for name in details if name not in (*_FACTS, "elapsed_ms")]
    return ", ".join(f"{name.replace('_', ' ')} {printable(str(details[name]))}" for name in names)


def junit(checked: Sequence[Checked]) -> Iterator[str]:
    """Yield the lines of a JUnit XML report: one test case for each connection."""
    skipped = sum(is_untrusted(result) for _, result in checked)
    failed = sum(not result.ok for _, result in checked) - skipped
    spent = sum(float(result.details.get("elapsed_ms", 0)) for _, result in checked) / 1000
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        f'<testsuites><testsuite name="connections" tests="{len(checked)}" '
        f'failures="{failed}" errors="0" skipped="{skipped}" time="{spent:.3f}">'
    )
    for entry, result in checked:
        seconds = float(result.details.get("elapsed_ms", 0)) / 1000
        head = (
            f"  <testcase classname={quoteattr(entry.family.canonical)} "
            f'name={quoteattr(str(entry))} time="{seconds:.3f}"'
        )
        if result.ok:
            yield f"{head}/>"
            continue
        details = result.details
        said = printable(f"{details['cause']}; {details['remedy']}")
        yield f"{head}>"
        if is_untrusted(result):
            yield f"    <skipped message={quoteattr(said)}/>"
            yield "  </testcase>"
            continue
        yield (
            f"    <failure type={quoteattr(str(details['code']))} "
            f"message={quoteattr(printable(result.message))}>{escape(said)}</failure>"
        )
        yield "  </testcase>"
    yield "</testsuite></testsuites>"


def prometheus(
    checked: Sequence[Checked], counted: Mapping[tuple[str, str], Counter[str]], now: float
) -> str:
    """Return the metrics in the text format of Prometheus.

    `counted` maps a connection to how often each category came up since the start.
    """
    up, latency, stamps, totals = [], [], [], []
    for entry, result in checked:
        key = (entry.family.canonical, entry.alias)
        labels = f'family="{_label(key[0])}",alias="{_label(key[1])}"'
        up.append(f"osiris_connection_up{{{labels}}} {int(result.ok)}")
        if result.latency_ms is not None:
            seconds = result.latency_ms / 1000
            latency.append(f"osiris_connection_latency_seconds{{{labels}}} {seconds:.6f}")
        stamps.append(f"osiris_connection_check_timestamp_seconds{{{labels}}} {now:.3f}")
        for category, count in sorted(counted.get(key, Counter()).items()):
            totals.append(
                f'osiris_connection_checks_total{{{labels},category="{category}"}} {count}'
            )
    return "".join(
        f"# HELP {name} {about}\n# TYPE {name} {kind}\n" + "".join(f"{row}\n" for row in rows)
        for name, kind, about, rows in (
            ("osiris_connection_up", "gauge", "Whether the last check succeeded.", up),
            ("osiris_connection_latency_seconds", "gauge", "Time of the last good check.", latency),
            (
                "osiris_connection_check_timestamp_seconds",
                "gauge",
                "When the last check ended, in Unix time.",
                stamps,
            ),
            ("osiris_connection_checks_total", "counter", "Checks by what they came to.", totals),
        )
    )


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
