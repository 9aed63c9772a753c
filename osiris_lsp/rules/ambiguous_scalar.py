"""A value looks like text, and YAML 1.1 reads something else.

Osiris loads files with PyYAML, to which `no`, `on` and `yes` are truth values, `010` is the number
8, `12:30` the number 750 and `2024-01-31` a date. A field that holds text then gets another type,
and a name that is a truth value cannot be referred to.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  shopify:
    main:
      shop_domain: shop.myshopify.com
      access_token: ${SHOPIFY_TOKEN}
      api_version: 2024-01-01
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  shopify:
    main:
      shop_domain: shop.myshopify.com
      access_token: ${SHOPIFY_TOKEN}
      api_version: "2024-01-01"
```

Fix: quotes the value as it is written. Unsafe, because the runtime reads another value then.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument, Document, PipelineDocument, Step
from osiris_lsp.edits import quote_marks
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import NAME
from osiris_lsp.schema import Violation, is_ambiguous
from osiris_lsp.sensitive import is_secret_name
from osiris_lsp.text import printable
from osiris_lsp.tree import Node, Scalar, boolean, deref, number

CODE: Final = "OSR006"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections", "pipeline", "component")
SOURCE: Final = ""

_TOP: Final = ("name", "description")
_STEP: Final = ("id", "component", "driver", "mode", "description")


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield values of text fields, and names, that YAML 1.1 reads as something else."""
    seen: set[int] = set()
    for violation in document.violations:
        if violation.kind == "ambiguous" and id(violation.node) not in seen:
            seen.add(id(violation.node))
            yield _of_field(document, violation)
    if isinstance(document, ConnectionsDocument):
        for family in document.families:
            yield from _of_name(document, family.key, "this family")
            for entry in family.connections:
                yield from _of_name(document, entry.key, "this alias")
    elif isinstance(document, PipelineDocument):
        for name in _TOP:
            yield from _of_text(document, document.value(name), name)
        for step in document.modern_steps:
            yield from _of_step(document, step)


def _of_field(document: Document, violation: Violation) -> Problem:
    node = violation.node
    secret = is_secret_name(violation.name) or any(
        item is node for _, item in document.declared_secrets
    )
    message = violation.message
    if secret:
        message = f"the value of `{violation.name}` is not read as a string; quote it"
    is_integer = "write that number" in violation.message
    fix = None if is_integer or not isinstance(node, Scalar) else _fix(document, node)
    return Problem(violation.span, message, fix)


def _of_step(document: Document, step: Step) -> Iterator[Problem]:
    for name in _STEP:
        yield from _of_text(document, step.scalar(name), name)
    for node in step.needs:
        yield from _of_text(document, node, "needs")


def _of_text(document: Document, node: Node | None, name: str) -> Iterator[Problem]:
    if isinstance(node, Scalar) and is_ambiguous(node):
        what = f"`{name}` lists names" if name == "needs" else f"`{name}` is a string"
        message = f"`{printable(node.value)}` is read as {_meaning(node)}, but {what}; quote it"
        yield Problem(node.span, message, _fix(document, node))


def _of_name(document: Document, key: Scalar, what: str) -> Iterator[Problem]:
    if is_ambiguous(key) and NAME.fullmatch(key.value):
        message = (
            f"`{key.value}` is read as {_meaning(key)}, so that no reference finds {what}; quote it"
        )
        yield Problem(key.span, message, _fix(document, key))


def _meaning(node: Scalar) -> str:
    if node.type == "bool":
        return f"the truth value `{str(boolean(node)).lower()}`"
    return "a date" if node.type == "timestamp" else f"the number {number(node)}"


def _fix(document: Document, node: Scalar) -> Fix | None:
    edits = quote_marks(document, node)
    return None if edits is None or deref(node) is not node else Fix("Quote it", False, edits)
