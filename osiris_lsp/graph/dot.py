"""The graph in the DOT language of Graphviz."""

from typing import Final, TextIO

from osiris_lsp.graph import Graph, Node
from osiris_lsp.text import printable

_RED: Final = 'color="#d1242f", fontcolor="#a40e26"'


def write(out: TextIO, graph: Graph) -> None:
    """Write the graph with a cluster for each pipeline; what is broken is red."""
    names = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    out.write("digraph osiris {\n  rankdir=LR;\n")
    out.write(
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"];\n'
    )
    for number, (path, name) in enumerate(graph.pipelines.items()):
        out.write(f"  subgraph cluster_{number} {{\n    label={_quoted(name)};\n")
        for node in graph.nodes.values():
            if node.pipeline == path:
                out.write(f"    {names[node.id]} {_options(node)};\n")
        out.write("  }\n")
    for node in graph.nodes.values():
        if not node.pipeline:
            out.write(f"  {names[node.id]} {_options(node)};\n")
    for edge in graph.edges:
        style = f" [{_RED}, style=dashed]" if edge.problem else ""
        out.write(f"  {names[edge.source]} -> {names[edge.target]}{style};\n")
    out.write("}\n")


def _options(node: Node) -> str:
    label = _quoted(node.label)
    if node.detail:
        label = f"{label[:-1]}\\n{_quoted(node.detail)[1:]}"
    options = [f"label={label}"]
    if node.kind != "step":
        looks = 'style=filled, fillcolor="#eef4ff"' if node.kind == "connection" else "style=dashed"
        options.append(f"shape=ellipse, {looks}")
    if node.problems:
        options.append(_RED)
        options.append(f"tooltip={_quoted('; '.join(node.problems))}")
    return f"[{', '.join(options)}]"


def _quoted(text: str) -> str:
    return '"' + printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
