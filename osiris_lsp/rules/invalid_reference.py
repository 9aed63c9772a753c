"""What `connection` holds is no reference of the form `@family.alias`.

Each part has lower-case letters, digits and `_`, and starts with a letter; `@family` alone means
the default of the family. Anything else cannot be resolved, or only by some versions of Osiris:
with the profile `osiris-runtime`, `reference-style` warns about the forms that they accept
besides.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config: {connection: mysql.prod, table: orders}
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

Fix: takes the existing connection that is meant. Unsafe, because it is a guess.
"""

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import owns, proposal
from osiris_lsp.documents import PipelineDocument, Step
from osiris_lsp.edits import quoted, replace_scalar
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import Reference, parse_reference
from osiris_lsp.schema import is_unknown
from osiris_lsp.text import Span, lazy, printable
from osiris_lsp.tree import Map, Scalar, deref

CODE: Final = "OSR215"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = "CONN-004"
ENTRYWISE: Final = True

# What is no name is not repeated in messages: it may be a connection string with a password.
_HARMLESS: Final = lazy(r"@[^\s=]{0,60}|@?[\w./ -]{1,60}")
_ONE_LINE_BLOCK: Final = lazy(r"[|>][-+0-9]*[ \t]*(?:\r\n|\n|\r)[^\r\n]*")


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each `connection` that cannot be read."""
    profile = project.settings.profile
    for step in document.modern_steps:
        if step.config is None or "connection" not in step.config.fields:
            continue
        if step.readable(profile) is not None:
            continue
        key, written = step.config.fields["connection"]
        node = deref(written)
        if is_unknown(node):
            continue
        if isinstance(node, Scalar) and node.type == "str" and node.value.strip():
            if not node.value.lstrip().startswith("$") and "{{" not in node.value:
                yield _text(document, project, step, node)
            continue
        example = proposal(document, step, project) or "@family.alias"
        span = node.span if node.end > node.start else key.span
        if isinstance(node, Scalar) and (node.type == "null" or not node.value.strip()):
            message = f"`connection` is empty; name one, such as `{example}`"
        else:
            what = "a number or truth value"
            if not isinstance(node, Scalar):
                what = "a mapping" if isinstance(node, Map) else "a list"
                span = Span(span.start, min(span.start + 1, span.end))
            message = f"`connection` must be a reference such as `{example}`, but this is {what}"
        yield Problem(span, message)


def _text(document: PipelineDocument, project: Project, step: Step, node: Scalar) -> Problem:
    text = node.value.strip()
    connections = project.connections_for(document.path)
    guess = None
    message = _reason(text, node.value, step.reference)
    if connections is not None and _is_shown(text):
        family = step.component.value.partition(".")[0] if step.component is not None else ""
        guess = connections.guess(text, family)
        defined = step.reference is not None and connections.resolve(step.reference) is not None
        if defined and guess is None:
            message += f"; rename it here and in {os.path.basename(connections.path)}"
            return Problem(node.span, message)
    tail = f"did you mean `{guess}`?" if guess is not None else "write `@family.alias`"
    if text != node.value and parse_reference(text) is not None:
        tail = f'write `"{printable(text)}"`'
    if guess is None:
        return Problem(node.span, f"{message}; {tail}")
    fix = None
    edit = _edit(document, node, str(guess))
    fits = step.misfit(project.families, guess) is None
    if edit is not None and fits and owns(step, "connection"):
        fix = Fix(f"Change to `{guess}`", False, (edit,))
    return Problem(node.span, f"{message}; {tail}", fix)


def _reason(text: str, value: str, reference: Reference | None) -> str:
    """Return what is wrong with the text of a reference."""
    if not _is_shown(text):
        return "`connection` must be a reference, not the connection itself"
    shown = f"`{printable(text)}`"
    if parse_reference(text) is not None and text != value:
        if value.startswith(text) and value.endswith("\n"):
            return f"{shown} ends with a line break, which a block scalar keeps"
        return f"{shown} has white space around it"
    if not text.startswith("@"):
        if parse_reference(f"@{text}") is not None:
            return f"{shown} has no `@` in front"
        return f"{shown} is no reference"
    if text.count(".") > 1:
        return f"{shown} has {text.count('.') + 1} parts, but a reference has two"
    if text.rstrip(".") == "@":
        return f"{shown} names no connection"
    if text.endswith("."):
        return f"{shown} names no alias"
    if reference is not None:
        names = [name for name in (reference.family, reference.alias) if name]
        if all(name[0].isalpha() for name in names):
            return f"{shown} may only have lower-case letters, digits and `_` in its names"
        return f"the names in {shown} must start with a letter"
    return f"{shown} is no reference"


def _is_shown(text: str) -> bool:
    return "://" not in text and _HARMLESS.fullmatch(text) is not None


def _edit(document: PipelineDocument, node: Scalar, text: str) -> Edit | None:
    edit = replace_scalar(document, node, text)
    source = document.text[node.start : node.end]
    if edit is None and _ONE_LINE_BLOCK.fullmatch(source):
        return Edit(node.start, node.end, quoted(text))
    return edit
