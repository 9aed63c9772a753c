"""The graph as SVG that needs nothing else; the HTML report draws the same panels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TextIO
from xml.sax.saxutils import escape

from osiris_lsp.graph import Edge, Graph, Node
from osiris_lsp.graph.layout import Box, Layout, Point, layout
from osiris_lsp.text import printable, width

_MARGIN: Final = 14
_HEIGHT: Final = 46
_MOST: Final = 34
"""Columns of a label that are shown."""

COLOURS: Final = """\
--g-text:#1f2733;--g-muted:#5a6573;--g-line:#8a95a5;--g-card:#ffffff;--g-edge:#c9d1db;
--g-link:#2f5fb3;--g-link-card:#eef4ff;--g-link-edge:#a9c1ea;
--g-bad:#b3261e;--g-bad-card:#fff1f0;--g-bad-edge:#e0453b;"""

DARK: Final = """\
--g-text:#e6ebf2;--g-muted:#a3afbf;--g-line:#74808f;--g-card:#1c232d;--g-edge:#3a4553;
--g-link:#a9c7ff;--g-link-card:#1b2a44;--g-link-edge:#3f5f96;
--g-bad:#ffb4ab;--g-bad-card:#3a1a1a;--g-bad-edge:#f2766b;"""

STYLE: Final = """\
.g{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.g rect{fill:var(--g-card);stroke:var(--g-edge);stroke-width:1.25}
.g text{fill:var(--g-text);font-size:13px;font-weight:600}
.g .d{fill:var(--g-muted);font-size:11px;font-weight:400}
.g .head{font-size:14px}
.g .connection rect{fill:var(--g-link-card);stroke:var(--g-link-edge)}
.g .connection text:not(.d){fill:var(--g-link)}
.g .bad rect{fill:var(--g-bad-card);stroke:var(--g-bad-edge);stroke-width:1.75}
.g .bad text{fill:var(--g-bad)}
.g .missing rect{stroke-dasharray:5 3}
.g path{fill:none;stroke:var(--g-line);stroke-width:1.5}
.g path.bad{stroke:var(--g-bad-edge);stroke-width:2;stroke-dasharray:6 3}
.g marker path{fill:var(--g-line);stroke:none}
.g marker .bad{fill:var(--g-bad-edge);stroke:none}
"""


class Panel(NamedTuple):
    """The drawing of one pipeline, from the origin."""

    width: float
    height: float
    body: str


def panel(graph: Graph) -> Panel:
    """Draw one pipeline: connections that are read at the left, those written at the right."""
    nodes, edges = _split(graph)
    sizes = {name: (_wide(node), float(_HEIGHT)) for name, node in nodes.items()}
    placed = layout(sizes, [(edge.source, edge.target) for edge in edges])
    loops = any(edge.source == edge.target for edge in edges)
    top = _MARGIN + (16 if loops else 0)
    parts = [*_edges(placed, edges), *(_node(placed.boxes[name], nodes[name]) for name in nodes)]
    body = f'<g transform="translate({_MARGIN} {top})">' + "".join(parts) + "</g>"
    return Panel(placed.width + 2 * _MARGIN, placed.height + top + _MARGIN, body)


def _split(graph: Graph) -> tuple[Mapping[str, Node], Sequence[Edge]]:
    """Draw a connection that is read and written twice: data does not flow back through it."""
    nodes = {node.id: node for node in graph.nodes.values() if node.kind == "step"}
    edges = []
    for edge in graph.edges:
        source, target = edge.source, edge.target
        if edge.kind == "writes":
            nodes[f"{target}>"] = graph.nodes[target]
            target = f"{target}>"
        elif source not in nodes:
            nodes[source] = graph.nodes[source]
        edges.append(edge._replace(source=source, target=target))
    return nodes, edges


def _wide(node: Node) -> float:
    label = min(width(node.label), _MOST) * 7.8
    detail = min(width(node.detail), _MOST) * 6.1
    return max(label, detail, 60.0) + 28


def _short(text: str) -> str:
    return text if width(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _node(box: Box, node: Node) -> str:
    kinds = [node.kind] + (["bad"] if node.problems else [])
    radius = 9 if node.kind == "step" else box.height / 2
    x, y = box.x + box.width / 2, box.y
    told = "; ".join(
        [f"{node.label} ({node.detail})" if node.detail else node.label, *node.problems]
    )
    lines = [(20, "", node.label), (35, ' class="d"', node.detail)]
    if not node.detail:
        lines = [(28, "", node.label)]
    texts = "".join(
        f'<text x="{x:.1f}" y="{y + at:.1f}" text-anchor="middle"{kind}>{_text(_short(label))}'
        "</text>"
        for at, kind, label in lines
    )
    return (
        f'<g class="{" ".join(kinds)}"><title>{_text(told)}</title>'
        f'<rect x="{box.x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="{radius:.1f}"/>{texts}</g>'
    )


def _edges(placed: Layout, edges: Sequence[Edge]) -> Iterator[str]:
    for edge in edges:
        if edge.source == edge.target:
            box = placed.boxes[edge.source]
            x, y = box.x + box.width / 2, box.y
            line = f"M{x + 16:.1f} {y:.1f}c14 -26 -46 -26 -32 -2"
        else:
            line = _curve(placed.routes[edge.source, edge.target])
        kind, end = (' class="bad"', "bad-end") if edge.problem else ("", "end")
        title = f"<title>{_text(edge.problem)}</title>" if edge.problem else ""
        yield f'<path{kind} d="{line}" marker-end="url(#{end})">{title}</path>'


def _curve(points: Sequence[Point]) -> str:
    (x, y), *rest = points
    pieces = [f"M{x:.1f} {y:.1f}"]
    for at, (to_x, to_y) in enumerate(rest):
        back = -1 if to_x < x else 1
        end = to_x - (5 * back if at == len(rest) - 1 else 0)
        bend = abs(to_x - x) / 2 * back
        pieces.append(f"C{x + bend:.1f} {y:.1f} {to_x - bend:.1f} {to_y:.1f} {end:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(pieces)


MARKERS: Final = "".join(
    f'<marker id="{name}" viewBox="0 0 8 8" refX="3" refY="4" markerWidth="8" markerHeight="8" '
    f'markerUnits="userSpaceOnUse" orient="auto"><path{kind} d="M0 0L8 4L0 8z"/></marker>'
    for name, kind in (("end", ""), ("bad-end", ' class="bad"'))
)
"""The heads of arrows; a page needs them once."""


def _text(text: str) -> str:
    return escape(printable(text))


def write(out: TextIO, graph: Graph) -> None:
    """Write one picture with a panel for each pipeline, and what no pipeline uses at the end."""
    rows: list[tuple[str, str, Panel]] = []
    for path, name in graph.pipelines.items():
        rows.append((name, path, panel(graph.of_pipeline(path))))
    if graph.unused:
        alone = Graph({}, {node.id: node for node in graph.unused}, [])
        rows.append(("Used by no pipeline", "", _shelf(alone.nodes)))
    y = 0.0
    parts = []
    for name, path, drawn in rows:
        heading = f'<text class="head" x="{_MARGIN}" y="24">{_text(name)}</text>'
        if path != name:
            heading += f'<text class="d" x="{_MARGIN}" y="41">{_text(path)}</text>'
        parts.append(
            f'<g transform="translate(0 {y:.1f})">{heading}'
            f'<g transform="translate(0 44)">{drawn.body}</g></g>'
        )
        y += drawn.height + 60
    wide = max((drawn.width for _, _, drawn in rows), default=320.0)
    longest = max((max(width(name) * 8, width(path) * 6.2) for name, path, _ in rows), default=0)
    wide = max(wide, longest + 2 * _MARGIN)
    broken = f", {graph.broken} broken" if graph.broken else ""
    count = f"{len(graph.pipelines)} pipeline{'' if len(graph.pipelines) == 1 else 's'}"
    title = f"Pipelines and their connections: {count}{broken}"
    out.write(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="g" role="img" aria-labelledby="t" '
        f'width="{wide:.0f}" height="{y:.0f}" viewBox="0 0 {wide:.0f} {y:.0f}">\n'
        f'<title id="t">{title}</title>\n<style>\n.g{{{COLOURS}}}\n'
        f"@media (prefers-color-scheme:dark){{.g{{{DARK}}}}}\n{STYLE}</style>\n"
        f"<defs>{MARKERS}</defs>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _shelf(nodes: Mapping[str, Node]) -> Panel:
    """Draw nodes that have no edges in rows."""
    x = y = most = 0.0
    parts = []
    for node in nodes.values():
        wide = _wide(node)
        if x and x + wide > 760:
            x, y = 0.0, y + _HEIGHT + 14
        parts.append(_node(Box(x, y, wide, _HEIGHT), node))
        x += wide + 18
        most = max(most, x)
    body = f'<g transform="translate({_MARGIN} {_MARGIN})">' + "".join(parts) + "</g>"
    return Panel(most + 2 * _MARGIN, y + _HEIGHT + 2 * _MARGIN, body)
