"""What things are, in Markdown: fields, families, components, connections, steps, rules.

Texts of schemas of ours are Markdown; those of a project, and all names and values, are escaped.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from osiris_lsp import ruledoc, rules
from osiris_lsp.connectors.display import Shown, shown_fields
from osiris_lsp.documents import (
    Connection,
    ConnectionsDocument,
    PipelineDocument,
    Step,
    sanitized,
)
from osiris_lsp.lsp.checks import Last
from osiris_lsp.lsp.health import said
from osiris_lsp.lsp.variables import DOTENV, ENVIRONMENT, Variables
from osiris_lsp.markdown import code, escape
from osiris_lsp.refs import Segment
from osiris_lsp.secret import MASK
from osiris_lsp.specs import ComponentSpec, FamilySpec, FieldSpec, Schema

MAX_LINES: Final = 30
"""Fields or rules that one description lists."""

_TYPES: Final = {
    "string": "text",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
    "null": "empty",
}
_PROVIDERS: Final = {
    "vault": "HashiCorp Vault",
    "aws-sm": "AWS Secrets Manager",
    "keyring": "the keyring of the system",
    "file": "a file",
}


def of_field(
    name: str, field: FieldSpec | Schema, trusted: bool = True, notes: Sequence[str] = ()
) -> str:
    """Describe a field: type, default, meaning, allowed values, examples, what to use instead."""
    schema = field.schema if isinstance(field, FieldSpec) else field
    secret = schema.get("writeOnly") is True
    head = [type_of(schema)]
    if "default" in schema and not (secret and not trusted):
        head.append(f"default {code(_plain(schema['default']))}")
    shown = ", ".join(part for part in head if part)
    lines = [f"**{code(name)}**{f': {shown}' if shown else ''}"]
    if schema.get("deprecated") is True:
        current = schema.get("x-canonical")
        instead = f"; use {code(str(current))}" if current else ""
        lines.append(f"**Deprecated**{instead}")
    lines.append(_prose(schema.get("description"), trusted))
    if "const" in schema:
        lines.append(f"Always {code(_plain(schema['const']))}")
    lines.append(_listed("One of", schema.get("enum"), MAX_LINES))
    if secret:
        lines.append("Secret: keep the value out of the file, as `${NAME}`")
    elif "const" not in schema and "enum" not in schema:
        lines.append(_listed("For example", schema.get("examples"), 3))
    return _paragraphs([*lines, *notes])


def type_of(schema: Schema, depth: int = 0) -> str:
    """Return the type of a field in words; empty where the schema does not tell."""
    written = schema.get("type")
    names = [str(name) for name in (written if isinstance(written, list) else [written]) if name]
    words = [_TYPES.get(name, name) for name in names]
    items = schema.get("items")
    if isinstance(items, Mapping) and "list" in words and depth < 3:
        inner = type_of(items, depth + 1)
        words = [f"list of {inner}" if word == "list" and inner else word for word in words]
    for branch in (*_sequence(schema.get("anyOf")), *_sequence(schema.get("oneOf"))):
        if not names and isinstance(branch, Mapping) and depth < 3:
            words.append(type_of(branch, depth + 1))
    return escape(" or ".join(dict.fromkeys(word for word in words if word)))


def of_family(spec: FamilySpec) -> str:
    """Describe a family of connections."""
    title = spec.title if spec.builtin else escape(spec.title)
    needs = (
        "; or ".join(", ".join(code(name) for name in option) for option in group)
        for group in spec.requirements
    )
    return _paragraphs(
        [
            f"**{code(spec.name)}**: {title}",
            _prose(spec.description, spec.builtin),
            _listed("Also spelt", spec.aliases, MAX_LINES),
            *(f"Needs {group}" for group in needs),
        ]
    )


def of_component(spec: ComponentSpec) -> str:
    """Describe a component: what it does, its modes, and the config that it must have."""
    trusted = spec.path is None
    given = [name for name in spec.required if name in spec.connection_fields]
    own = [name for name in spec.required if name not in spec.connection_fields]
    return _paragraphs(
        [
            f"**{code(spec.name)}**: {spec.title if trusted else escape(spec.title)}",
            _prose(spec.description, trusted),
            _listed("Modes:", spec.step_modes or spec.modes, MAX_LINES),
            _listed("Required in `config`:", own, MAX_LINES),
            _listed("From the connection:", given, MAX_LINES),
        ]
    )


def of_config_key(spec: ComponentSpec, name: str, field: FieldSpec | Schema) -> str:
    """Describe a key in the `config` of a step."""
    notes = []
    policy = spec.connection_fields.get(name)
    if policy is not None:
        words = {
            "allowed": "a step may give another",
            "warning": "a step should not give another",
            "forbidden": "a step must not give another",
        }
        notes.append(f"The connection gives it; {words[policy]}")
    elif name in spec.required:
        notes.append(f"Required by {code(spec.name)}")
    return of_field(name, field, spec.path is None, notes)


def of_connection(
    document: ConnectionsDocument,
    entry: Connection,
    variables: Variables,
    root: str,
    check: Last | None = None,
) -> str:
    """Describe a connection: where it is, its fields without secrets, variables, last check."""
    title = escape(entry.spec.title) if entry.spec is not None else "unknown family"
    is_default = document.default_of(entry.family.canonical)
    default = ", the default" if is_default and is_default.key is entry.key else ""
    line = document.tree.lines.position(entry.key.start).line + 1
    place = f"{os.path.relpath(document.path, root)}:{line}"
    # Only names of variables go in: a file must not have the server read out a value.
    shown = list(shown_fields(variables, entry))
    secrets = _secret_texts(document, shown[:MAX_LINES])
    fields = [_field_line(item, secrets) for item in shown[:MAX_LINES]]
    if len(shown) > MAX_LINES:
        fields.append(f"- and {len(shown) - MAX_LINES} more")
    return _paragraphs(
        [
            f"**{code(str(entry))}**: {title}{default}",
            f"Defined in {code(place)}",
            "\n".join(fields),
            _check_line(check) if check is not None else "",
        ]
    )


def _secret_texts(document: ConnectionsDocument, fields: Sequence[Shown]) -> list[str]:
    """Return what else may be a secret in fields, such as tokens below a name of no secret."""
    values = "\n".join(field.value for field in fields)
    found = {document.text[slice(*span)] for span in document.secret_spans}
    return sorted((text for text in found if text.strip() and text in values), key=len)[::-1]


def _field_line(field: Shown, secrets: Sequence[str]) -> str:
    value = field.value
    for secret in secrets:
        value = value.replace(secret, MASK)
    states = []
    for origin in field.origins:
        name = code(origin.name)
        if origin.kind == "unset":
            states.append(f"{name} is **not set**" if name else "cannot be read")
        elif origin.kind in (ENVIRONMENT, DOTENV):
            states.append(f"{name} is set" + (" in `.env`" if origin.kind == DOTENV else ""))
        elif origin.kind == "default":
            states.append(f"default of {name}, which is not set")
        elif origin.kind != "literal":
            states.append(f"from {_PROVIDERS.get(origin.kind, escape(origin.kind))}")
    state = f" ({'; '.join(dict.fromkeys(states))})" if states else ""
    return f"- {code(field.name)}: {code(value) or 'empty'}{state}"


def _check_line(check: Last) -> str:
    result = check.result
    text = f"Doctor: {escape(said(check))}"
    if result.ok:
        return text
    parts = (result.message, result.details.get("cause"), result.details.get("remedy"))
    return "\n".join([text, *(f"- {escape(str(part))}" for part in parts if part)])


def of_variable(piece: Segment, written: str, variables: Variables) -> str | None:
    """Describe a `${...}`: whether and where it has a value, never the value."""
    if piece.kind == "parameter":
        return f"{code(piece.name)} is a parameter of the pipeline"
    if piece.kind == "provider":
        name = written.removeprefix("${").removesuffix("}").partition(":")[2]
        where = _PROVIDERS.get(piece.name, escape(piece.name))
        return f"{code(name)} is read from {where} when the connection is opened"
    if piece.kind != "variable":
        return None
    source = variables.source(piece.name)
    name = code(piece.name)
    if source == ENVIRONMENT:
        return f"{name} is set in the environment"
    if source == DOTENV:
        return f"{name} is set in `.env`"
    text = f"{name} is **not set**, neither in the environment nor in `.env`"
    if variables.is_empty(piece.name):
        text = f"{name} is set to an empty value, which counts as **not set**"
    return text if piece.default is None else f"{text}; its default counts"


def of_step(document: PipelineDocument, step: Step) -> str:
    """Describe a step: component, mode, connection, its table, and who needs it."""
    name = step.id or ""
    line = document.tree.lines.position(step.anchor.start).line + 1
    parts = [f"**{code(name)}**: step {step.index + 1}, line {line}"]
    if step.component is not None:
        title = f", {escape(step.spec.title)}" if step.spec is not None else ""
        parts.append(f"Runs {code(step.component.value)}{title}")
    if step.reference is not None:
        parts.append(f"Uses {code(str(step.reference))}")
    parts.append(f"DuckDB sees its rows as {code(sanitized(name))}")
    needed = [one.id for one in document.steps if any(node.value == name for node in one.needs)]
    parts.append(_listed("Needed by", [one for one in needed if one], MAX_LINES))
    return _paragraphs(parts)


def of_rule(word: str) -> str | None:
    """Return the page of a rule by name or code, or what a prefix of codes selects, or None."""
    entry = rules.find(word)
    if entry is not None:
        return ruledoc.markdown(entry.name, rules.load(entry.name))
    found = [one for one in rules.RULES.values() if rules.matches(word, one)]
    if not found:
        return None
    lines = [f"- {one.code} {one.name}" for one in found[:MAX_LINES]]
    if len(found) > MAX_LINES:
        lines.append(f"- and {len(found) - MAX_LINES} more")
    return f"{code(word)} selects {len(found)} rules\n\n" + "\n".join(lines)


def _prose(text: object, trusted: bool) -> str:
    return "" if not isinstance(text, str) else text if trusted else escape(text)


def _listed(what: str, values: object, limit: int) -> str:
    shown = [code(_plain(value)) for value in _sequence(values)[:limit]]
    return f"{what} {', '.join(item for item in shown if item)}" if shown else ""


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _paragraphs(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)
