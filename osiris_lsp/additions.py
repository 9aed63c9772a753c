"""A new connection as an edit of the connections file; all else in the file stays as it is."""

from collections.abc import Iterator, Mapping, Sequence

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.edits import add_fields, newline, scalar_text
from osiris_lsp.finding import Edit
from osiris_lsp.refs import segments, variable_name
from osiris_lsp.specs import FamilySpec, FieldSpec
from osiris_lsp.tree import deref, resolve, to_python


def skeleton(spec: FamilySpec, alias: str) -> Iterator[tuple[str, str]]:
    """Yield the fields that a family needs: secrets as `${NAME}`, others as the schema shows."""
    seen: set[str] = set()
    for group in filter(None, spec.requirements):
        for name in group[0]:
            if name in seen:
                continue
            seen.add(name)
            field = spec.fields[name]
            examples = field.schema.get("examples") or [""]
            shown = field.schema.get("default", examples[0])
            if field.secret:
                shown = f"${{{variable_name(spec.name, alias, name)}}}"
            yield name, written(shown)


def written(value: object) -> str:
    """Return a value of a schema as a connections file has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_reference(value: str) -> bool:
    """Tell whether a value is made of `${…}` alone, without defaults."""
    pieces = list(segments(value))
    return bool(pieces) and all(
        piece.kind in ("variable", "provider") and piece.default is None for piece in pieces
    )


def lines_of(
    document: ConnectionsDocument, spec: FamilySpec, fields: Mapping[str, str]
) -> list[str]:
    """Return the fields as lines of YAML, as they fit into the style of the file."""
    flow = any(item.flow for item in document.tree.maps)
    return [f"{name}: {_yaml(spec.fields[name], value, flow)}" for name, value in fields.items()]


def addition(
    document: ConnectionsDocument, spec: FamilySpec, alias: str, fields: Mapping[str, str]
) -> Edit | None:
    """Return the edit that adds a connection, or None where the layout of the file is in the way.

    It was tried: the file parses afterwards, and every other connection reads as before.
    """
    edit = _edit(document, spec, alias, lines_of(document, spec, fields))
    if edit is None:
        return None
    now = ConnectionsDocument(document.path, applied(document.text, edit), document.known_families)
    entry = now.find(spec.name, alias)
    before = [(str(item), to_python(item.value)) for item in document.connections]
    kept = [(str(item), to_python(item.value)) for item in now.connections if item is not entry]
    if now.tree.problems or entry is None or set(entry.fields) != set(fields) or kept != before:
        return None
    return edit


def applied(text: str, edit: Edit) -> str:
    """Return a text with an edit applied."""
    return text[: edit.start] + edit.new_text + text[edit.end :]


def _yaml(field: FieldSpec, value: str, flow: bool) -> str:
    """Return a value as YAML: quoted where the field is a text that reads as something else.

    A whole `${NAME}` needs no quotes outside of flow style.
    """
    if not flow and is_reference(value) and ":" not in value:
        return value
    types = field.schema.get("type", "string")
    listed = types if isinstance(types, list) else [types]
    if resolve(value) != "str" and "string" not in listed:
        return value
    return scalar_text(value)


def _edit(
    document: ConnectionsDocument, spec: FamilySpec, alias: str, lines: Sequence[str]
) -> Edit | None:
    text = document.text
    body = [f"{spec.name}:", f"  {alias}:", *(f"    {line}" for line in lines)]
    block = "connections:\n" + "".join(f"  {line}\n" for line in body)
    if not text.strip():
        return Edit(0, len(text), f"version: 1\n\n{block}")
    family = next((item for item in document.families if item.canonical == spec.name), None)
    if family is not None and document.root_key is not None:
        key, value, name, inner = family.key, family.value, alias, list(lines)
    elif document.root is not None and document.root_key is not None:
        key, value = document.root.fields[document.root_key.value]
        name, inner = spec.name, [f"{alias}:", *(f"  {line}" for line in lines)]
    else:
        return Edit(len(text), len(text), ("" if text.endswith("\n") else "\n") + block)
    pairs = getattr(deref(value), "pairs", ())
    at = pairs[0][0].start if pairs else key.start
    column = document.tree.lines.position(at).column + (0 if pairs else 2)
    below = "".join(f"{newline(document)}{' ' * (column + 2)}{line}" for line in inner)
    edit = add_fields(document, key, value, [(name, below)])
    if edit is None:
        return None
    # `name: ` before a line break would leave a blank at the end of the line.
    tidy = edit.new_text.replace(": \r\n", ":\r\n").replace(": \n", ":\n")
    return edit._replace(new_text=tidy)
