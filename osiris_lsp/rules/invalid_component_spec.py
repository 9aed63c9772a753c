"""The spec of a component is not what Osiris expects.

Osiris does not load such a component, or loads it and checks the wrong things: a secret that
names no setting is not masked, and a required setting that does not exist can never be given. A
spec refers to nothing outside its own file.

Example:
```yaml components/acme.extractor/spec.yaml
name: acme.extractor
version: "1.0"
modes: [read]
capabilities: {discover: false}
configSchema:
  type: object
  properties:
    endpoint: {type: string}
  required: [endpont]
```

Use instead:
```yaml components/acme.extractor/spec.yaml
name: acme.extractor
version: 1.0.0
modes: [extract]
capabilities: {discover: false}
configSchema:
  type: object
  properties:
    endpoint: {type: string}
  required: [endpoint]
```

Fix: renames a misspelt key where its value fits. Unsafe, because it is a guess.
"""

import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from osiris_lsp.configs import listed
from osiris_lsp.documents import ComponentDocument
from osiris_lsp.edits import rename_key
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import Violation, is_unknown, violations
from osiris_lsp.specs import ALWAYS_KNOWN, ComponentSpec, load_schema, nearest
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref

CODE: Final = "OSR211"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("component",)
SOURCE: Final = ""

_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SINGLE: Final = (
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
)  # fmt: skip
# With one of these, settings may be defined somewhere else than under `properties`.
_ELSEWHERE: Final = frozenset(("$ref", "allOf", "anyOf", "oneOf", "patternProperties"))
_MAX_PATTERN: Final = 2000
_MAX_SCHEMAS: Final = 5000


def check(document: ComponentDocument, project: Project) -> Iterator[Problem]:
    """Yield where a spec does not meet its schema, or contradicts itself."""
    root = document.root
    if root is None:
        yield from _no_mapping(document)
        return
    yield from _schema(document, project, root)
    yield from _name(document, root)
    schema = root.get("configSchema")
    if not isinstance(schema, Map):
        return
    yield from _patterns(schema)
    if not document.is_broken(0, len(document.text)):
        yield from _cross_references(document, project, root, schema)


def _no_mapping(document: ComponentDocument) -> Iterator[Problem]:
    node = document.tree.root
    if document.is_broken(0, len(document.text)) or (node is not None and is_unknown(node)):
        return
    required = listed(load_schema("component")["required"])
    if node is None or (isinstance(node, Scalar) and node.type == "null"):
        yield Problem(Span(0, 0), f"this component spec is empty; it needs {required}")
        return
    what = "a list" if isinstance(node, Seq) else "a single value"
    end = min(node.end, node.start + 1) if isinstance(node, Seq) else node.end
    message = f"a component spec must be a mapping with {required}, but this is {what}"
    yield Problem(Span(node.start, end), message)


def _schema(document: ComponentDocument, project: Project, root: Map) -> Iterator[Problem]:
    """Yield the violations; a misspelt key stands for the missing one that it looks like."""
    found = document.violations
    broken = document.is_broken(0, len(document.text))
    missing = {(item.path, item.name) for item in found if item.kind == "missing"}
    explained = set()
    for item in found:
        if item.kind == "unknown" and not _is_extension(item):
            close = nearest(item.name, _free(root, item))
            explained.add((item.path[:-1], close))
            problem = _unknown(item, close)
            may_rename = (item.path[:-1], close) in missing and _fits(root, item, close)
            if close is not None and may_rename and isinstance(item.node, Scalar):
                problem = problem._replace(fix=_rename(document, project, item.node, close))
            yield problem
    for item in found:
        if item.kind == "missing":
            if not broken and (item.path, item.name) not in explained:
                message = f"`{item.name}` is missing in {_place(item.path)}"
                yield Problem(_start(item.node), message)
        elif item.kind not in ("unknown", "ambiguous"):
            yield Problem(item.span, item.message)


def _place(path: Sequence[str | int]) -> str:
    """Return how messages call the mapping at a path."""
    if not path:
        return "this component spec"
    if len(path) > 1 and isinstance(path[-1], int):
        return f"entry {path[-1] + 1} of `{printable(str(path[-2]))}`"
    return f"`{printable(str(path[-1]))}`"


def _is_extension(item: Violation) -> bool:
    return len(item.path) == 1 and item.name.startswith("x-")


def _free(root: Map, item: Violation) -> Sequence[str]:
    """Return the keys that a misspelt one may mean: those that are not there yet."""
    place: Node | None = root
    for part in item.path[:-1]:
        if isinstance(place, Map):
            place = place.get(str(part))
        elif isinstance(place, Seq) and isinstance(part, int):
            place = deref(place.items[part])
    present = place.fields if isinstance(place, Map) else {}
    return [name for name in item.choices if name not in present]


def _fits(root: Map, item: Violation, close: str | None) -> bool:
    """Tell whether the value of a misspelt key at the top is right for the key that is meant."""
    schema = load_schema("component")
    value = root.get(item.name)
    # A new name would be a new component for all pipelines.
    if len(item.path) != 1 or close in (None, "name") or value is None:
        return False
    return next(violations(value, schema["properties"][close], close, schema), None) is None


def _rename(document: ComponentDocument, project: Project, key: Scalar, name: str) -> Fix | None:
    """Rename a key where that does not bring up contradictions with other parts of the spec."""
    edit = rename_key(key, name)
    if edit is None:
        return None
    text = document.text[: edit.start] + edit.new_text + document.text[edit.end :]
    trial = ComponentDocument(document.path, text)
    schema = trial.value("configSchema")
    if trial.root is not None and isinstance(schema, Map):
        clashes = (*_patterns(schema), *_cross_references(trial, project, trial.root, schema))
        if clashes:
            return None
    return Fix(f"Rename to `{name}`", False, (edit,))


def _unknown(item: Violation, close: str | None) -> Problem:
    message = f"`{printable(item.name)}` is no key of {_place(item.path[:-1])}"
    return Problem(item.span, message + (f"; did you mean `{close}`?" if close else ""))


def _start(node: Node) -> Span:
    """Return where a finding about a whole mapping lies: its first key."""
    if isinstance(node, Map) and node.pairs:
        return node.pairs[0][0].span
    return Span(node.start, min(node.end, node.start + 1))


def _name(document: ComponentDocument, root: Map) -> Iterator[Problem]:
    """Yield a problem where the name is not that of the folder, by which Osiris finds the spec."""
    folder, file = os.path.split(document.path)
    folder, name = os.path.split(folder)
    node = root.get("name")
    if os.path.basename(folder) != "components" or not file.startswith("spec."):
        return
    if not isinstance(node, Scalar) or node.type != "str" or is_unknown(node):
        return
    if node.value and node.value != name:
        message = f"`{printable(node.value[:80])}` stands in the folder `{printable(name)}`"
        yield Problem(node.span, f"{message}; give both the same name")


def _patterns(schema: Map) -> Iterator[Problem]:
    """Yield regular expressions that do not compile, and references out of the file."""
    for node in _schemas(schema):
        reference = node.get("$ref")
        if isinstance(reference, Scalar) and not reference.value.startswith("#"):
            message = "`$ref` leaves this file, and is not followed; use `#/...`"
            yield Problem(reference.span, message)
        pattern = node.get("pattern")
        if not isinstance(pattern, Scalar) or pattern.type != "str" or is_unknown(pattern):
            continue
        reason = _reason(pattern.value)
        if reason is not None:
            message = f"`{printable(pattern.value[:60])}` is no regular expression: {reason}"
            yield Problem(pattern.span, message)


def _reason(pattern: str) -> str | None:
    """Return why Python, which runs Osiris, does not compile a pattern; None where it does."""
    if len(pattern) > _MAX_PATTERN:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return error.msg if isinstance(error, re.error) else "it is too large"
    return None


def _schemas(top: Map) -> Iterator[Map]:
    """Yield a schema and those inside it, each once."""
    stack: list[Node] = [top]
    seen: set[int] = set()
    while stack and len(seen) < _MAX_SCHEMAS:
        node = deref(stack.pop())
        if not isinstance(node, Map) or id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        for key in node.fields:
            value = node.get(key)
            if key in _SINGLE and value is not None:
                stack.append(value)
            elif key in _MAPS and isinstance(value, Map):
                stack.extend(inner for _, inner in value.fields.values())
            elif key in _LISTS and isinstance(value, Seq):
                stack.extend(value.items)


def _cross_references(
    document: ComponentDocument, project: Project, root: Map, schema: Map
) -> Iterator[Problem]:
    """Yield the names in other parts of the spec that are no setting."""
    properties = schema.get("properties")
    if not isinstance(properties, Map) or not _ELSEWHERE.isdisjoint(schema.fields):
        return
    family = project.families.find(ComponentSpec(document.data).family_spelling)
    own = set(properties.fields)
    given = {*own, *_listed_fields(document.data), *(family.fields if family else ())}
    listed_fields = [*_connection_fields(root)]
    known = {*given, *ALWAYS_KNOWN, *(node.value for node in listed_fields)}
    for node in _items(schema.get("required")):
        yield from _unless_known(node, node.value, known, "is required")
    # What connections of a family that we do not know hold is anybody's guess.
    sure = family is not None
    for section in ("secrets", "x-secret"):
        for node in _items(root.get(section)):
            name = node.value[1:].partition("/")[0].replace("~1", "/").replace("~0", "~")
            if node.value.startswith("/"):
                yield from _unless_known(node, name, known, "is a secret", sure)
    if sure:
        for node in listed_fields:
            yield from _unless_known(node, node.value, given, "comes from a connection")
    for key in _constrained(root):
        yield from _unless_known(key, key.value, known, "is constrained", sure)


def _connection_fields(root: Map) -> Iterator[Scalar]:
    """Yield the names under `x-connection-fields`, in either form."""
    fields = root.get("x-connection-fields")
    for item in map(deref, fields.items if isinstance(fields, Seq) else ()):
        node = item.get("name") if isinstance(item, Map) else item
        if isinstance(node, Scalar) and node.type == "str":
            yield node


def _listed_fields(data: Mapping[str, object]) -> Iterator[str]:
    """Yield the fields of connections that the section `connections` lists."""
    section = data.get("connections")
    for key in ("required_fields", "optional_fields"):
        names = section.get(key) if isinstance(section, Mapping) else None
        yield from (name for name in names or () if isinstance(name, str))


def _items(node: Node | None) -> Iterator[Scalar]:
    for item in map(deref, node.items if isinstance(node, Seq) else ()):
        if isinstance(item, Scalar) and item.type == "str" and not is_unknown(item):
            yield item


def _constrained(root: Map) -> Iterator[Scalar]:
    """Yield the keys of all `when` and `must` under `constraints.required`."""
    section = root.get("constraints")
    entries = section.get("required") if isinstance(section, Map) else None
    for entry in map(deref, entries.items if isinstance(entries, Seq) else ()):
        for part in ("when", "must"):
            keys = entry.get(part) if isinstance(entry, Map) else None
            yield from (key for key, _ in keys.fields.values()) if isinstance(keys, Map) else ()


def _unless_known(
    node: Scalar, name: str, known: set[str], what: str, sure: bool = True
) -> Iterator[Problem]:
    """Yield a problem where a name is no setting; only where it is like one, unless we are sure."""
    close = nearest(name, sorted(known)) if name not in known else None
    if name in known or not name or not (sure or close):
        return
    message = f"`{printable(name[:80])}` {what}, but there is no such setting"
    yield Problem(node.span, message + (f"; did you mean `{close}`?" if close else ""))
