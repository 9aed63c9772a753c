"""The graph as JSON."""

import json
from typing import Final, TextIO

from osiris_lsp.graph import Graph
from osiris_lsp.text import printable

SCHEMA_VERSION: Final = 1


def write(out: TextIO, graph: Graph) -> None:
    """Write pipelines, nodes and edges; `broken` counts what is drawn in red."""
    pipelines = [{"path": path, "name": name} for path, name in graph.pipelines.items()]
    nodes = [node._asdict() for node in graph.nodes.values()]
    edges = [edge._asdict() for edge in graph.edges]
    parts = []
    for name, rows in (("pipelines", pipelines), ("nodes", nodes), ("edges", edges)):
        lines = ",\n  ".join(printable(json.dumps(row, ensure_ascii=False)) for row in rows)
        parts.append(f' "{name}": ' + (f"[\n  {lines}\n ]" if rows else "[]"))
    body = ",\n".join([*parts, f' "broken": {graph.broken}'])
    out.write(f'{{"schema_version": {SCHEMA_VERSION},\n{body}}}\n')
