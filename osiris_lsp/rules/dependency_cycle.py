"""Steps need each other in a circle.

None of them can run first, so Osiris refuses the pipeline or the steps run without their data.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: clean-orders
    component: duckdb.processor
    mode: transform
    needs: [sum-orders]
    config: {query: SELECT * FROM input_df}
  - id: sum-orders
    component: duckdb.processor
    mode: transform
    needs: [clean-orders]
    config: {query: SELECT sum(total) AS total FROM input_df}
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: clean-orders
    component: duckdb.processor
    mode: transform
    needs: []
    config: {query: SELECT 1 AS total}
  - id: sum-orders
    component: duckdb.processor
    mode: transform
    needs: [clean-orders]
    config: {query: SELECT sum(total) AS total FROM input_df}
```
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import printable
from osiris_lsp.tree import Scalar

CODE: Final = "OSR229"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
OUTLINE: Final = True


class _Edge(NamedTuple):
    """An entry of `needs`."""

    source: str
    target: str
    node: Scalar


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem per circle, at the entry of `needs` that closes it."""
    order = {name: step.index for name, step in document.step_by_id.items()}
    if all(
        order.get(node.value, -1) < step.index for step in document.steps for node in step.needs
    ):
        return
    edges = {
        name: [
            _Edge(name, node.value, node)
            for node in step.needs
            if node.value in document.step_by_id
        ]
        for name, step in document.step_by_id.items()
        if not step.is_legacy
    }
    for circle in _circles(edges):
        names = " -> ".join(f"`{printable(edge.source)}`" for edge in circle)
        last = circle[-1]
        if len(circle) == 1:
            message = f"step {names} needs itself"
        else:
            message = f"this closes a circle of steps: {names} -> `{printable(last.target)}`"
        related = tuple(
            Related(edge.node.span, f"`{printable(edge.source)}` needs `{printable(edge.target)}`")
            for edge in circle[:-1]
        )
        yield Problem(last.node.span, message, None, related)


def _circles(edges: Mapping[str, Sequence[_Edge]]) -> Iterator[Sequence[_Edge]]:
    """Yield circles as their edges, found depth first in the order of the file."""
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        path: list[_Edge] = []
        place = {start: 0}
        stack = [(start, iter(edges[start]))]
        while stack:
            name, rest = stack[-1]
            edge = next(rest, None)
            if edge is None:
                stack.pop()
                done.add(name)
                del place[name]
                if path:
                    path.pop()
            elif edge.target in place:
                yield [*path[place[edge.target] :], edge]
            elif edge.target not in done and edge.target in edges:
                path.append(edge)
                place[edge.target] = len(path)
                stack.append((edge.target, iter(edges[edge.target])))
