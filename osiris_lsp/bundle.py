"""Schemas that stand on their own, for tools which know neither our families nor `${...}`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from osiris_lsp.specs import FamilySpec, Schema, load_schema, schema_names

NAMES: Final = ("connections", "pipeline", "component", "settings")
"""Schemas at the top of `schemas/`."""

_VARIABLE: Final[Schema] = {"type": "string", "pattern": r"\$\{"}


def bundle(name: str) -> Schema:
    """Return a schema with everything in it; raises OSError for an unknown name.

    Values may be `${VAR}` wherever another type than a string is wanted, and a deprecated spelling
    of a field meets a requirement for its canonical one.
    """
    schema = load_schema(name)
    if name.startswith("families/"):
        return _family(FamilySpec(schema))
    if name != "connections":
        return schema
    families = {}
    for family in schema_names("families"):
        spec = FamilySpec(load_schema(f"families/{family}"), family)
        families[family] = _family(spec)
    names = schema["$defs"]["name"]
    connections: dict[str, Any] = {
        key: value
        for key, value in schema["properties"]["connections"].items()
        if key not in ("additionalProperties", "properties")
    }
    connections["properties"] = {
        spelling: {
            "type": "object",
            "description": spec.get("description", ""),
            "propertyNames": names,
            "additionalProperties": {"$ref": f"#/$defs/{family}"},
        }
        for family, spec in families.items()
        for spelling in (family, *load_schema(f"families/{family}").get("x-aliases", ()))
    }
    connections["additionalProperties"] = {"type": "object"}
    properties = {**schema["properties"], "connections": connections}
    return {**schema, "properties": properties, "$defs": {"name": names, **families}}


def _family(spec: FamilySpec) -> Schema:
    schema = {key: value for key, value in spec.effective_schema.items() if key != "$id"}
    schema["properties"] = {name: _relaxed(field.schema) for name, field in spec.fields.items()}
    for key in ("required", "anyOf", "allOf"):
        schema.pop(key, None)
    groups = []
    for group in spec.requirements:
        options = [_all([_any(spec, name) for name in option]) for option in group]
        groups.append(options[0] if len(options) == 1 else {"anyOf": options})
    if groups:
        schema["allOf"] = groups
    return schema


def _any(spec: FamilySpec, name: str) -> Schema:
    """Return the requirement that a field is present under one of its spellings."""
    spellings = [name, *(field.name for field in spec.fields.values() if field.canonical == name)]
    options = [{"required": [spelling]} for spelling in spellings]
    return options[0] if len(options) == 1 else {"anyOf": options}


def _all(items: Sequence[Schema]) -> Schema:
    return items[0] if len(items) == 1 else {"allOf": list(items)}


def _relaxed(schema: Schema) -> Schema:
    """Return the schema of a value that may also be a variable."""
    types = schema.get("type")
    inner = dict(schema)
    if isinstance(schema.get("properties"), Mapping):
        inner["properties"] = {
            name: _relaxed(value) for name, value in schema["properties"].items()
        }
    annotations = ("description", "default", "examples", "deprecated", "writeOnly", "title")
    strict = types == "string" and not any(key in schema for key in ("enum", "pattern", "format"))
    if types is None or strict:
        return inner
    kept = {key: inner.pop(key) for key in annotations if key in inner}
    return {**kept, "anyOf": [inner, _VARIABLE]}
