"""The HTML report: one page that needs no network and runs no script."""

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import TextIO

from osiris_lsp import __version__
from osiris_lsp.graph import build
from osiris_lsp.graph.svg import COLOURS, DARK, STYLE
from osiris_lsp.reports import Style, Summary, counts
from osiris_lsp.reports.html import doctor, findings, pipelines, rules
from osiris_lsp.reports.html.markup import text, written_at
from osiris_lsp.reports.paint import plural
from osiris_lsp.reports.record import Record

# Nothing may be fetched or run, whatever a file of the project says.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write the page: findings by file and by rule, pipelines, and what the doctor said."""
    graph = build(summary.linted)
    sections = [("findings", "Findings", findings.section(records))]
    if records:
        sections.append(("rules", "Rules", rules.section(records)))
    if summary.silenced:
        sections.append(("suppressed", "Suppressed", findings.suppressed(summary.silenced)))
    if graph.nodes:
        sections.append(("pipelines", "Pipelines", pipelines.section(graph)))
    if summary.doctor is not None:
        sections.append(("doctor", "Connections", doctor.section(summary.doctor)))
    out.writelines(_page(sections, records, summary))


def _page(
    sections: Sequence[tuple[str, str, Iterator[str]]],
    records: Sequence[Record],
    summary: Summary,
) -> Iterator[str]:
    css = files(__name__).joinpath("style.css").read_text("utf-8")
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="color-scheme" content="light dark">\n'
    yield '<meta name="robots" content="noindex">\n'
    yield f"<title>{text(_verdict(records))} - osiris-lsp</title>\n<style>\n"
    yield f":root{{{COLOURS}}}\n@media (prefers-color-scheme:dark){{:root{{{DARK}}}}}\n"
    yield f"{STYLE}{css}</style>\n</head>\n<body>\n"
    yield '<a class="skip" href="#main">Skip to the findings</a>\n<header>\n'
    yield '<p class="brand">osiris-lsp report</p>\n'
    yield f"<h1>{text(_verdict(records))}</h1>\n"
    extra = f", {summary.suppressed} suppressed" if summary.suppressed else ""
    extra += f", {len(summary.known)} in the baseline" if summary.known else ""
    yield f'<p class="muted">{plural(summary.files, "file")} checked{extra}</p>\n'
    yield '<nav aria-label="Sections"><ul>\n'
    for name, title, _ in sections:
        yield f'<li><a href="#{name}">{title}</a></li>\n'
    yield '</ul></nav>\n</header>\n<main id="main" tabindex="-1">\n'
    for name, title, body in sections:
        yield f'<section id="{name}" aria-labelledby="{name}-title">\n'
        yield f'<h2 id="{name}-title">{title}</h2>\n'
        yield from body
        yield "</section>\n"
    yield f"</main>\n<footer><p>osiris-lsp {__version__}, {written_at()}</p></footer>\n"
    yield "</body>\n</html>\n"


def _verdict(records: Sequence[Record]) -> str:
    found = [plural(count, name) for name, count in counts(records).items() if count]
    return ", ".join(found) or "No findings"
