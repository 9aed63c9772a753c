"""A value looks like text, and YAML 1.1 reads something else.

Osiris loads files with PyYAML, to which `no`, `on` and `yes` are truth values, `010` is the number
8, `12:30` the number 750 and `2024-01-31` a date. A field that holds text then gets another type,
and a name that is a truth value cannot be referred to.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    norway:
      host: db.example.com
      database: no
      user: reader
      password: ${NORWAY_PASSWORD}
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    norway:
      host: db.example.com
      database: "no"
      user: reader
      password: ${NORWAY_PASSWORD}
```

Fix: quotes the value as it is written. Unsafe, because the runtime reads another value then.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from osiris_lsp.documents import ConnectionsDocument, Document, PipelineDocument
from osiris_lsp.edits import quote_marks
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import NAME
from osiris_lsp.schema import Violation, is_ambiguous, violations
from osiris_lsp.secrets.names import is_secret_name
from osiris_lsp.specs import Schema, load_schema, step_schema
from osiris_lsp.text import printable
from osiris_lsp.tree import Map, Scalar, boolean, number

CODE: Final = "OSR006"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections", "pipeline", "component")
SOURCE: Final = ""
ENTRYWISE: Final = True

_STEP: Final = ("id", "component", "driver", "mode", "description")
# Their values are names that no quoted number or truth value is.
_FIXED: Final = ("component", "driver", "mode")


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield values of text fields, and names, that YAML 1.1 reads as something else."""
    seen: set[int] = set()
    for violation, schema in _found(document):
        if id(violation.node) not in seen:
            seen.add(id(violation.node))
            yield _of_field(document, violation, schema)
    if isinstance(document, ConnectionsDocument):
        top = document.value("connections")
        for family in document.families:
            families = top if isinstance(top, Map) else document.root
            yield from _of_name(document, families, family.key, "this family")
            for entry in family.connections:
                yield from _of_name(document, family.node, entry.key, "this alias")
    elif isinstance(document, PipelineDocument):
        yield from _of_pipeline(document)


def _found(document: Document) -> Iterator[tuple[Violation, Schema]]:
    """Yield the ambiguous values of fields, with the schema in which their paths start."""
    if isinstance(document, ConnectionsDocument):
        for entry in document.connections:
            if entry.spec is not None:
                schema = entry.spec.effective_schema
                yield from ((item, schema) for item in _ambiguous(entry.violations))
    elif isinstance(document, PipelineDocument):
        for step in document.modern_steps:
            if step.spec is not None:
                schema = step.spec.config
                yield from ((item, schema) for item in _ambiguous(step.violations))
    else:
        schema = load_schema("component")
        yield from ((item, schema) for item in _ambiguous(document.violations))


def _ambiguous(found: Iterable[Violation]) -> Sequence[Violation]:
    return [item for item in found if item.kind == "ambiguous"]


def _of_field(document: Document, violation: Violation, schema: Schema) -> Problem:
    node = violation.node
    secret = is_secret_name(violation.name) or any(
        item is node for _, item in document.declared_secrets
    )
    message = violation.message
    if secret:
        message = f"the value of `{violation.name}` is not read as a string; quote it"
    fix = None
    if isinstance(node, Scalar) and _fits_quoted(node, violation, schema):
        fix = _fix(document, node)
    return Problem(violation.span, message, fix)


def _fits_quoted(node: Scalar, violation: Violation, schema: Schema) -> bool:
    """Tell whether the value is right for its field once it is quoted."""
    field: object = schema
    for part in violation.path:
        if not isinstance(field, Mapping):
            return False
        known = field.get("properties")
        field = field.get("items") if isinstance(part, int) else None
        if isinstance(part, str) and isinstance(known, Mapping):
            field = known.get(part)
    if not isinstance(field, Mapping) or not field:
        return False
    text = Scalar(node.start, node.end, None, None, node.value, '"')
    return not any(violations(text, field, violation.name, schema, trusted=False))


def _of_pipeline(document: PipelineDocument) -> Iterator[Problem]:
    name, description = document.value("name"), document.value("description")
    if isinstance(name, Scalar) and is_ambiguous(name):
        style = load_schema("pipeline")["properties"]["name"]["x-style-pattern"]
        fits = re.search(style, name.value) is not None
        yield _of_text(name, "name", _fix(document, name) if fits else None)
    if isinstance(description, Scalar) and is_ambiguous(description):
        yield _of_text(description, "description", _fix(document, description))
    for step in document.modern_steps:
        for key in _STEP:
            node = step.scalar(key)
            if node is not None and is_ambiguous(node):
                fix = _id_fix(document, node) if key == "id" else None
                yield _of_text(node, key, _fix(document, node) if key == "description" else fix)
        for node in step.needs:
            if is_ambiguous(node):
                known = node.value in document.whole.step_by_id
                fix = _fix(document, node) if known else _id_fix(document, node)
                yield _of_text(node, "needs", fix)


def _id_fix(document: PipelineDocument, node: Scalar) -> Fix | None:
    """Quote an id and all that name it, where it is one then and no other step has it."""
    pipeline = document.whole
    if node.value in pipeline.step_by_id:
        return None
    if re.search(step_schema()["properties"]["id"]["pattern"], node.value) is None:
        return None
    steps = pipeline.modern_steps
    ids = [item for step in steps if (item := step.scalar("id")) and item.value == node.value]
    if len(ids) != 1:
        return None
    places = {item.start: item for item in (*ids, *(item for step in steps for item in step.needs))}
    edits: list[Edit] = []
    for place in places.values():
        if place.value == node.value and is_ambiguous(place):
            marks = quote_marks(document, place)
            if marks is None:
                return None
            edits += marks
    return Fix("Quote it", False, tuple(edits))


def _of_text(node: Scalar, name: str, fix: Fix | None) -> Problem:
    what = "`needs` lists names" if name == "needs" else f"`{name}` is a string"
    advice = "quote it" if name not in _FIXED else "no text like this is one of its values"
    message = f"`{printable(node.value)}` is read as {_meaning(node)}, but {what}; {advice}"
    return Problem(node.span, message, fix)


def _of_name(document: Document, mapping: Map | None, key: Scalar, what: str) -> Iterator[Problem]:
    if is_ambiguous(key) and NAME.fullmatch(key.value):
        message = (
            f"`{key.value}` is read as {_meaning(key)}, so that no reference finds {what}; quote it"
        )
        same = [
            other
            for other, _ in (mapping.pairs if mapping is not None else ())
            if isinstance(other, Scalar) and other.value == key.value
        ]
        yield Problem(key.span, message, _fix(document, key) if len(same) == 1 else None)


def _meaning(node: Scalar) -> str:
    if node.type == "bool":
        return f"the truth value `{str(boolean(node)).lower()}`"
    return "a date" if node.type == "timestamp" else f"the number {number(node)}"


def _fix(document: Document, node: Scalar) -> Fix | None:
    edits = quote_marks(document, node)
    return None if edits is None else Fix("Quote it", False, edits)
