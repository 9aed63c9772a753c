"""Proposals, and what a schema says of keys and values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from lsprotocol.types import CompletionItemKind as Kind

from osiris_lsp.markdown import escape
from osiris_lsp.specs import Schema
from osiris_lsp.text import printable

Shape = Literal["scalar", "mapping", "list", "mappings"]
"""What a value is; `mappings` is a list of such."""


class Proposal(NamedTuple):
    """Something to write.

    For a value, `text` is the plain text of a string, or with `literal` the YAML itself. For a key
    it is the name; `shape` says what comes behind, `choices` lists what that can be, and `lines`
    are those of a mapping as a snippet. `about` is Markdown; `rank` sorts, the least first.
    """

    text: str
    kind: Kind
    detail: str = ""
    about: str = ""
    rank: int = 5
    literal: bool = False
    shape: Shape = "scalar"
    choices: Sequence["Proposal"] = ()
    lines: tuple[str, ...] = ()


def choices(schema: Schema) -> Iterator[Proposal]:
    """Yield the values that a schema lists or shows."""
    branches = [schema, *listed(schema.get("anyOf")), *listed(schema.get("oneOf"))]
    options: dict[str, Proposal] = {}
    for branch in branches:
        if not isinstance(branch, Mapping):
            continue
        default = branch.get("default")
        if "const" in branch:
            _add(options, branch["const"], "", Kind.Constant, 0)
            continue
        fixed = listed(branch.get("enum"))
        kinds = branch.get("type")
        if not fixed and (kinds == "boolean" or (isinstance(kinds, list) and "boolean" in kinds)):
            fixed = [True, False]
        for value in fixed:
            _add(options, value, "the default" if _same(value, default) else "", Kind.EnumMember, 1)
        _add(options, default, "the default", Kind.Value, 0)
        for value in () if fixed else listed(branch.get("examples")):
            _add(options, value, "an example", Kind.Value, 2)
    yield from options.values()


def _add(options: dict[str, Proposal], value: Any, detail: str, kind: Kind, rank: int) -> None:
    if not isinstance(value, str | int | float):
        return
    literal = not isinstance(value, str)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text.strip():
        options.setdefault(text, Proposal(text, kind, detail, rank=rank, literal=literal))


def _same(value: object, other: object) -> bool:
    return type(value) is type(other) and value == other


def takes_text(schema: Schema) -> bool:
    """Tell whether a variable may stand for a value."""
    kinds = schema.get("type")
    return kinds != "boolean" and kinds not in ("object", "array") and "const" not in schema


def detail_of(field: Schema, needed: bool) -> str:
    """Return the type of a field and what else counts, in short."""
    kinds = field.get("type")
    parts = [" or ".join(map(str, kinds)) if isinstance(kinds, list) else str(kinds or "")]
    parts += ["needed"] if needed else []
    default = field.get("default")
    if isinstance(default, str | int | float) and str(default):
        parts.append(f"default {str(default).lower() if isinstance(default, bool) else default}")
    return printable(" · ".join(part for part in parts if part))


def prose(text: str, ours: bool) -> str:
    """Return a description as Markdown; that of a stranger is shown as it is."""
    return text if ours else escape(text)


def escaped(text: str) -> str:
    """Return a text as a snippet that inserts it."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace("}", "\\}")


def shape(schema: Schema) -> Shape:
    """Return what a schema asks for; `scalar` where it leaves a choice."""
    kind = schema.get("type")
    if kind == "object" or (kind is None and "properties" in schema):
        return "mapping"
    if kind == "array":
        items = schema.get("items")
        deep = isinstance(items, Mapping) and ("$ref" in items or shape(items) == "mapping")
        return "mappings" if deep else "list"
    return "scalar"


def is_outdated(field: Schema) -> bool:
    """Tell whether a field is only there for older files."""
    return bool(field.get("deprecated")) or "x-legacy" in field or "x-canonical" in field


def listed(value: object) -> Sequence[Any]:
    """Return a list, or nothing for what is none."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def properties(schema: Schema) -> Mapping[str, Schema]:
    """Return the fields of a mapping, those of each of its forms too."""
    found: dict[str, Schema] = {}
    for branch in (schema, *listed(schema.get("anyOf")), *listed(schema.get("oneOf"))):
        fields = branch.get("properties") if isinstance(branch, Mapping) else None
        if isinstance(fields, Mapping):
            for name, field in fields.items():
                found.setdefault(str(name), field if isinstance(field, Mapping) else {})
    return found


def descend(root: Schema, path: Sequence[str | int]) -> Schema:
    """Return the schema of the value at a path, `{}` where nothing is known of it."""
    schema = _followed(root, root)
    for part in path:
        branches = [schema, *listed(schema.get("anyOf")), *listed(schema.get("oneOf"))]
        for branch in branches:
            found = _child(branch, part) if isinstance(branch, Mapping) else None
            if found is not None:
                schema = _followed(found, root)
                break
        else:
            return {}
    return schema


def _child(schema: Schema, part: str | int) -> Schema | None:
    if isinstance(part, int):
        found = schema.get("items")
    else:
        fields = schema.get("properties")
        found = fields.get(part) if isinstance(fields, Mapping) else None
        found = schema.get("additionalProperties") if found is None else found
    return found if isinstance(found, Mapping) else None


def _followed(schema: Schema, root: Schema) -> Schema:
    """Follow `$ref` inside a schema."""
    for _ in range(20):
        target = schema.get("$ref")
        if not isinstance(target, str):
            return schema
        found: Any = root if target.startswith("#") else None
        for part in target[1:].strip("/").split("/"):
            found = found.get(part) if isinstance(found, Mapping) and part else found
        if not isinstance(found, Mapping):
            return {}
        schema = found
    return {}
