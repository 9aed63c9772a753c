"""The graph as a Mermaid flowchart, which GitHub and GitLab draw in Markdown."""

from typing import Final, TextIO

from osiris_lsp.graph import Graph, Node
from osiris_lsp.text import lazy, printable

_SAFE: Final = lazy(r"[^\w @./()+-]")
_STYLES: Final = (
    "classDef connection fill:#eef4ff,stroke:#4a6fb5,color:#1d2b45",
    "classDef missing fill:#fff0f0,stroke:#d1242f,color:#a40e26,stroke-dasharray:4 3",
    "classDef broken fill:#fff0f0,stroke:#d1242f,color:#a40e26",
)


def write(out: TextIO, graph: Graph) -> None:
    """Write the flowchart; what is broken is red."""
    names = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    out.write("flowchart LR\n")
    for number, (path, name) in enumerate(graph.pipelines.items()):
        out.write(f'  subgraph p{number}["{_text(name)}"]\n')
        for node in graph.nodes.values():
            if node.pipeline == path:
                out.write(f"    {names[node.id]}{_shape(node)}\n")
        out.write("  end\n")
    for node in graph.nodes.values():
        if not node.pipeline:
            out.write(f"  {names[node.id]}{_shape(node)}\n")
    red = []
    for number, edge in enumerate(graph.edges):
        arrow = "-.->" if edge.problem else "-->"
        out.write(f"  {names[edge.source]} {arrow} {names[edge.target]}\n")
        if edge.problem:
            red.append(str(number))
    out.writelines(f"  {style}\n" for style in _STYLES)
    if red:
        out.write(f"  linkStyle {','.join(red)} stroke:#d1242f,stroke-width:2px\n")


def _shape(node: Node) -> str:
    label = _text(node.label)
    if node.detail:
        label += f"<br/>{_text(node.detail)}"
    if node.kind != "step":
        return f'(["{label}"]):::{node.kind}'
    return f'["{label}"]' + (":::broken" if node.problems else "")


def _text(text: str) -> str:
    """Return a text as Mermaid shows it: what could mean something is written as its number."""
    return _SAFE.sub(lambda match: f"#{ord(match[0])};", printable(text))
