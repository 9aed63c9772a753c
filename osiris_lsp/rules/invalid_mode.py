"""The mode of a step is none of `read`, `write` and `transform`.

Osiris refuses to compile the pipeline. The specs of components have other words for the same
things: what they call `extract` is `read` in a step, and `load` is `write`.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: extract
    config: {connection: "@mysql.prod", table: orders}
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
```

Fix: takes the mode that is meant. Unsafe, because Osiris then reads the step.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import MODES, PipelineDocument, Step
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_ambiguous, is_unknown
from osiris_lsp.specs import component_modes, nearest
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Scalar, deref

CODE: Final = "OSR212"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each mode that is no mode of a step."""
    for step in document.modern_steps:
        if step.shape == "driver" or "mode" not in step.fields:
            continue
        written = step.fields["mode"][1]
        node = deref(written)
        if is_unknown(node) or (isinstance(node, Scalar) and is_ambiguous(node)):
            continue
        if not isinstance(node, Scalar):
            span = Span(written.start, min(written.start + 1, written.end))
            yield Problem(span, "`mode` must be `read`, `write` or `transform`")
        elif node.value.strip() and node.type != "null" and node.value not in MODES:
            yield _invalid(document, step, node)


def _invalid(document: PipelineDocument, step: Step, node: Scalar) -> Problem:
    text = node.value.strip()
    message = f"`mode` must be `read`, `write` or `transform`, not `{printable(text[:40])}`"
    if text in MODES:
        message = f"the mode `{text}` has white space around it"
    close = _meant(step, text)
    fix = None
    if close is not None:
        message += f"; did you mean `{close}`?" if close != text else ""
        allowed = step.spec is None or close in step.spec.step_modes
        edit = replace_scalar(document, node, close)
        if allowed and edit is not None and step.written("mode") is node:
            fix = Fix(f"Change to `{close}`", False, (edit,))
    return Problem(step.place(step.fields["mode"][1]), message, fix)


def _meant(step: Step, text: str) -> str | None:
    """Return the mode that a wrong one stands for: another word for it, or the only one."""
    words = {word: mode for mode, listed in component_modes().items() for word in listed}
    words.update((mode, mode) for mode in MODES)
    close = nearest(text, words)
    modes = step.spec.step_modes if step.spec is not None else ()
    if len(modes) == 1 and (close is None or words[close] not in modes):
        return modes[0]
    return None if close is None else words[close]
