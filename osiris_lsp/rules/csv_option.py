r"""An option of a CSV file is one that Osiris cannot use.

A delimiter that is also the quote, or a line break that is neither `lf` nor `crlf`, stops the step.
An encoding that Osiris does not list may fail where the pipeline runs, hence a warning.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: filesystem.csv_extractor
    mode: read
    config:
      path: orders.tsv
      delimiter: '\t'
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: filesystem.csv_extractor
    mode: read
    config:
      path: orders.tsv
      delimiter: "\t"
```

Fix: writes a tab as `"\t"`, and takes the nearest encoding or line break. Unsafe, because the file
is read or written in another way.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import listed, may_set, owns
from osiris_lsp.documents import PipelineDocument, Step, is_csv_option
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import Violation, is_unknown
from osiris_lsp.specs import nearest
from osiris_lsp.text import printable
from osiris_lsp.tree import Scalar

CODE: Final = "OSR239"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


_TAB: Final = "\t"


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each option of a CSV component that cannot work."""
    for step in document.modern_steps:
        name = step.component.value if step.component is not None else ""
        if not name.startswith("filesystem.csv_") or step.config is None:
            continue
        for item in step.violations:
            if is_csv_option(step, item) and isinstance(item.node, Scalar):
                yield _option(document, step, project, item, item.node)
        yield from _same_character(step)


def _option(
    document: PipelineDocument, step: Step, project: Project, item: Violation, node: Scalar
) -> Problem:
    if item.name == "delimiter":
        message = 'this delimiter is two characters, a backslash and a `t`; write a tab as `"\\t"`'
        return Problem(node.span, message, _fix(document, step, project, item, node, _TAB))
    close = nearest(node.value, item.choices)
    fix = None if close is None else _fix(document, step, project, item, node, close)
    if item.name == "newline":
        return Problem(node.span, item.message, fix)
    message = f"`{printable(node.value)}` may not be supported as encoding"
    message += f"; did you mean `{close}`?" if close else f"; there is {listed(item.choices)}"
    return Problem(node.span, message, fix, severity="warning")


def _fix(
    document: PipelineDocument,
    step: Step,
    project: Project,
    item: Violation,
    node: Scalar,
    text: str,
) -> Fix | None:
    value = Scalar(node.start, node.end, None, None, text, '"')
    if not owns(step, item.name) or not may_set(document, step, project, item.name, value):
        return None
    if text == _TAB:
        if node.style in ("|", ">"):
            return None
        return Fix('Write a tab as `"\\t"`', False, (Edit(node.start, node.end, '"\\t"'),))
    edit = replace_scalar(document, node, text)
    return None if edit is None else Fix(f"Change to `{text}`", False, (edit,))


def _same_character(step: Step) -> Iterator[Problem]:
    delimiter, quote = step.option("delimiter"), step.option("quotechar")
    if any(node is not None and is_unknown(node) for node in (delimiter, quote)):
        return
    first = delimiter.value if isinstance(delimiter, Scalar) else ","
    second = quote.value if isinstance(quote, Scalar) else '"'
    if first != second or not first:
        return
    if isinstance(quote, Scalar):
        message = f"`quotechar` is the same character as `delimiter`: `{printable(first)}`"
        yield Problem(quote.span, message)
    elif isinstance(delimiter, Scalar):
        message = f"`delimiter` is the character that quotes fields: `{printable(first)}`"
        yield Problem(delimiter.span, message)
