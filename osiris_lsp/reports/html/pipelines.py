"""The graph of each pipeline as a picture, and the same as text."""

from collections.abc import Iterator

from osiris_lsp.graph import Graph, Node
from osiris_lsp.graph.svg import MARKERS, panel
from osiris_lsp.reports.html.markup import inline, text


def section(graph: Graph) -> Iterator[str]:
    """Yield a figure for each pipeline, then the connections that none of them uses."""
    yield f'<svg class="g defs" aria-hidden="true"><defs>{MARKERS}</defs></svg>'
    yield '<p class="muted">What is broken is red and dashed. Wide pictures scroll sideways.</p>\n'
    for number, (path, name) in enumerate(graph.pipelines.items()):
        part = graph.of_pipeline(path)
        drawn = panel(part)
        label = f"Graph of {name}" + (f", {part.broken} broken" if part.broken else "")
        bad = f'<span class="badge error">{part.broken} broken</span>' if part.broken else ""
        yield f'<figure class="card">\n<figcaption><h3>{text(name)}</h3> {bad}'
        yield f'<span class="path muted">{text(path)}</span></figcaption>\n'
        yield f'<div class="scroll" tabindex="0" role="region" aria-label="{text(label)}">'
        yield f'<svg class="g" role="img" aria-labelledby="g-{number}" '
        # The style sheet shrinks it a little to fit; it scrolls where its text would get too small.
        yield f'style="--width:{drawn.width:.0f}px" '
        yield f'viewBox="0 0 {drawn.width:.0f} {drawn.height:.0f}">'
        yield f'<title id="g-{number}">{text(label)}</title>{drawn.body}</svg></div>\n'
        yield f"<details><summary>As text</summary>\n<ul>{''.join(_told(part))}</ul></details>\n"
        yield "</figure>\n"
    if graph.unused:
        names = ", ".join(f"<code>{text(node.label)}</code>" for node in graph.unused)
        yield f"<p>Used by no pipeline: {names}</p>\n"


def _told(graph: Graph) -> Iterator[str]:
    """Yield each step with what it reads, needs and writes."""
    for step in graph.nodes.values():
        if step.kind != "step":
            continue
        ends: dict[str, list[Node]] = {"reads": [], "needs": [], "writes": []}
        problems = list(step.problems)
        for edge in graph.edges:
            if step.id == (edge.source if edge.kind == "writes" else edge.target):
                other = edge.target if edge.kind == "writes" else edge.source
                ends[edge.kind].append(graph.nodes[other])
                problems += [edge.problem] if edge.problem else []
        parts = [
            f"{verb} {', '.join(f'<code>{text(node.label)}</code>' for node in nodes)}"
            for verb, nodes in ends.items()
            if nodes
        ]
        detail = f" ({text(step.detail)})" if step.detail else ""
        told = f": {'; '.join(parts)}" if parts else ""
        wrong = "".join(f'<br><span class="bad">{inline(problem)}</span>' for problem in problems)
        yield f"<li><b>{text(step.label)}</b>{detail}{told}{wrong}</li>\n"
