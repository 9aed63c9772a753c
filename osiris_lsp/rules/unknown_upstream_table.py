"""A query of DuckDB reads a table that no earlier step provides.

The query sees the steps in `needs`, or the step before where there is no `needs`: each is the table
`df_<step id>`, with other characters than letters, digits and underscores as `_`. A single one is
`input_df` too.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: orders}
  - id: sum-orders
    component: duckdb.processor
    mode: transform
    needs: [extract-orders]
    config:
      query: SELECT sum(total) AS total FROM df_extract_order
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: orders}
  - id: sum-orders
    component: duckdb.processor
    mode: transform
    needs: [extract-orders]
    config:
      query: SELECT sum(total) AS total FROM df_extract_orders
```

Fix: takes the nearest table. Unsafe, because other rows are read.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.configs import listed, owns, tables_of, unknown_tables, upstream
from osiris_lsp.documents import PipelineDocument, part_span, sanitized
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.specs import nearest
from osiris_lsp.sql import Relation
from osiris_lsp.text import printable
from osiris_lsp.tree import Alias, Scalar

CODE: Final = "OSR237"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
OUTLINE: Final = True


_MOST_LISTED: Final = 6


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each table name that stands for no step."""
    for step in document.modern_steps:
        node = step.option("query")
        if not isinstance(node, Scalar) or step.component is None:
            continue
        if step.component.value != "duckdb.processor":
            continue
        for relation in unknown_tables(document, step, node):
            tables = tables_of(upstream(document, step) or ())
            other = _result_of(document, relation.name)
            close = nearest(relation.name, tables) if other is None else None
            span = part_span(document.tree, node, relation.start, relation.end)
            fix = None
            literal = document.text[span.start : span.end] == relation.name
            if close and literal and owns(step, "query") and _is_single(node, relation.name):
                fix = Fix(f"Change to `{close}`", False, (Edit(span.start, span.end, close),))
            written = step.config.fields["query"][1] if step.config is not None else node
            if isinstance(written, Alias):
                span = written.span
            yield Problem(span, _message(relation, tables, close, other), fix)


def _is_single(node: Scalar, name: str) -> bool:
    """Tell whether a name occurs once in a query, and not before a column too."""
    return len(re.findall(rf"\b{re.escape(name)}\b", node.value, re.IGNORECASE)) == 1


def _result_of(document: PipelineDocument, name: str) -> str | None:
    """Return the step whose result a table would be if this step needed it."""
    table = name.lower()
    return next((one for one in document.step_by_id if sanitized(one).lower() == table), None)


def _message(
    relation: Relation, tables: Sequence[str], close: str | None, other: str | None
) -> str:
    name = relation.name
    if other is not None:
        return f"`{name}` is the result of step `{printable(other)}`, which this step does not need"
    if not tables:
        return f"`{name}` is not there, for this step takes data from no other"
    shown = listed(tables[:_MOST_LISTED])
    if name.lower() == "input_df":
        return f"`input_df` is there with one step in `needs` only; with several there is {shown}"
    message = f"`{name}` is no table of an earlier step"
    return message + (f"; did you mean `{close}`?" if close else f"; there is {shown}")
