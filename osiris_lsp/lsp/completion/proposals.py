"""What may stand at a place: keys with their values, values, variables."""

import os
from collections.abc import Iterable, Iterator
from typing import Final

from lsprotocol.types import CompletionItemKind as Kind

from osiris_lsp.documents import ConnectionsDocument, PipelineDocument
from osiris_lsp.lsp.completion.context import Context
from osiris_lsp.lsp.completion.order import Order, config_order, connection_order
from osiris_lsp.lsp.completion.outline import Entry, Place
from osiris_lsp.lsp.completion.schema import (
    Proposal,
    choices,
    descend,
    detail_of,
    escaped,
    is_outdated,
    listed,
    properties,
    prose,
    shape,
    takes_text,
)
from osiris_lsp.lsp.completion.steps import MISFIT, Steps
from osiris_lsp.lsp.views import View
from osiris_lsp.refs import PROVIDERS, variable_name
from osiris_lsp.specs import FamilySpec, FieldSpec, Schema, load_schema
from osiris_lsp.text import lazy, printable

_VARIABLE: Final = lazy(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)(?=[}:])")
_STEP: Final = 2
_CONFIG: Final = 3
_FIELDS: Final = 3
_STEP_NEEDS: Final = ("id", "component", "mode")


class Proposer:
    """Knows what may stand in a document; `stored` are the names in `.env`."""

    def __init__(self, view: View, context: Context, stored: Iterable[str] = ()) -> None:
        self.view = view
        self.context = context
        self.stored = stored
        self.steps = Steps(context, view.project, view.document.path)
        self.document = view.document
        self.project = view.project

    def schema(self, entry: Entry) -> Schema:
        """Return what is known of a value."""
        path = entry.path
        if isinstance(self.document, ConnectionsDocument):
            family = self.family(entry)
            if family is not None and len(path) >= _FIELDS:
                return descend(family.effective_schema, path[_FIELDS:])
            return descend(load_schema("connections"), path)
        if isinstance(self.document, PipelineDocument):
            spec = self.steps.component(entry)
            if path[:1] == ("steps",) and path[_STEP:_CONFIG] == ("config",) and spec is not None:
                reference = descend(load_schema("pipeline"), (*path[:_CONFIG], "connection"))
                known = {**spec.known, "connection": reference}
                root = {**spec.schema, "type": "object", "properties": known}
                return descend(root, path[_CONFIG:])
            return descend(load_schema("pipeline"), path)
        return descend(load_schema("component"), path)

    def family(self, entry: Entry) -> FamilySpec | None:
        """Return the family of the connection that an entry of a connections file belongs to."""
        path = entry.path
        if len(path) < _STEP or path[0] != "connections":
            return None
        return self.project.families.find(str(path[1]))

    def keys(self, entry: Entry, own: str = "") -> Iterator[Proposal]:
        """Yield the keys that a mapping may still get; `own` is the one that is to be replaced."""
        given = {name for name in self.context.keys(entry) if name != own}
        path = entry.path
        if isinstance(self.document, ConnectionsDocument):
            if path == ("connections",):
                yield from self._families(given)
                return
            family = self.family(entry)
            if family is not None and len(path) == _STEP:
                yield from _aliases(family, str(path[1]), given)
                return
        schema = self.schema(entry)
        order = self._order(entry, schema, given)
        for name, field in properties(schema).items():
            if name in given or name in order.never or is_outdated(field):
                continue
            rank = order.first.index(name) if name in order.first else len(order.first)
            yield self._field(entry, name, field, rank, needed=name in order.needed)

    def _field(
        self, entry: Entry, name: str, declared: Schema, rank: int, needed: bool
    ) -> Proposal:
        child = Entry(name, 0, entry, 0)
        entry.children.pop()  # it is there to be asked about, not in the text
        field = self.schema(child)
        about = str(field.get("description") or declared.get("description", ""))
        found = sorted(self.values(child, field), key=lambda choice: choice.rank)
        if name == "connection":
            found = [choice for choice in found if choice.rank < MISFIT]
        return Proposal(
            name,
            Kind.Field if isinstance(self.document, ConnectionsDocument) else Kind.Property,
            detail_of(field, needed),
            prose(about, self._is_ours(entry)),
            rank,
            shape=shape(field),
            choices=found,
        )

    def _is_ours(self, entry: Entry) -> bool:
        """Tell whether the schema of an entry ships with us, so that its texts are Markdown."""
        if isinstance(self.document, ConnectionsDocument):
            family = self.family(entry)
            return family is None or family.builtin
        spec = self.steps.component(entry) if isinstance(self.document, PipelineDocument) else None
        return spec is None or spec.path is None

    def _order(self, entry: Entry, schema: Schema, given: set[str]) -> Order:
        needed = [str(name) for name in listed(schema.get("required"))]
        path = entry.path
        if isinstance(self.document, ConnectionsDocument):
            family = self.family(entry)
            if family is not None and len(path) == _FIELDS:
                return connection_order(family, given)
        elif isinstance(self.document, PipelineDocument):
            spec = self.steps.component(entry)
            if spec is not None and path[_STEP:] == ("config",):
                return config_order(spec, given, needed)
            if len(path) == _STEP:
                forms = {"component", "driver", "type"}
                never = forms if given & forms else set()
                return Order(("id", "component", "mode", "config", "needs"), _STEP_NEEDS, never)
        return Order(needed, needed, set())

    def _families(self, given: set[str]) -> Iterator[Proposal]:
        families = self.project.families
        present = {families.canonical(name) for name in given}
        for name, family in families.items():
            if name not in present:
                yield Proposal(
                    name,
                    Kind.Module,
                    family.title,
                    prose(family.description, family.builtin),
                    shape="mapping",
                    lines=("${1:default}:", "  $0"),
                )

    def values(self, entry: Entry, schema: Schema, typed: str = "") -> Iterator[Proposal]:
        """Yield the values that a key, or an item of a list, may have."""
        path = entry.path
        if isinstance(self.document, PipelineDocument) and path[:1] == ("steps",):
            special = self.steps.values(entry, typed)
            if special is not None:
                yield from special
                return
        secret = schema.get("writeOnly") is True and not schema.get("x-publishable")
        if not secret:
            yield from choices(schema)
        connection = isinstance(self.document, ConnectionsDocument) and len(path) > _FIELDS
        if connection and path[0] == "connections" and takes_text(schema):
            name = variable_name(*map(str, path[1:]))
            yield Proposal(f"${{{name}}}", Kind.Variable, "for this field", rank=0 if secret else 8)
        if typed.startswith("*"):
            for anchor in self.context.anchors:
                yield Proposal(f"*{anchor}", Kind.Reference, "an anchor", rank=9, literal=True)

    def variables(self, entry: Entry, place: Place) -> Iterator[Proposal]:
        """Yield the variables that the project names; values are never looked at."""
        found: dict[str, tuple[str, int]] = {}
        path = entry.path
        if isinstance(self.document, ConnectionsDocument) and len(path) > _FIELDS:
            found[variable_name(*map(str, path[1:]))] = ("for this field", 0)
        for name in self.stored:
            found.setdefault(name, ("in .env", 1))
        own = self.view.text[: place.span.start] + self.view.text[place.span.end :]
        texts = {os.path.basename(self.document.path): own}
        connections = self.project.connections_for(self.document.path)
        if connections is not None and connections.path != self.document.path:
            texts[os.path.basename(connections.path)] = connections.text
        for file, text in texts.items():
            for match in _VARIABLE.finditer(text):
                if match[1] not in PROVIDERS:
                    found.setdefault(match[1], (f"used in {printable(file)}", 2))
        for name, (detail, rank) in found.items():
            yield Proposal(f"${{{name}}}", Kind.Variable, detail, rank=rank)
        if isinstance(self.document, PipelineDocument):
            parameters = self.context.keys(self.context.root).get("params")
            for name in self.context.keys(parameters) if parameters is not None else ():
                yield Proposal(f"${{params.{name}}}", Kind.Variable, "a parameter", rank=3)


def _aliases(family: FamilySpec, spelling: str, given: set[str]) -> Iterator[Proposal]:
    """Yield the alias `default` with the fields that the family needs."""
    if "default" in given:
        return
    lines = []
    needed = [name for group in family.requirements for name in group[0]]
    for number, name in enumerate(dict.fromkeys(needed), 1):
        field = family.fields.get(name, FieldSpec(name, {}, False, None))
        if field.secret:
            variable = variable_name(spelling, "default", name)
            lines.append(f"{name}: \\${{{variable}\\}}")
        else:
            sample = next((choice.text for choice in choices(field.schema)), "")
            lines.append(f"{name}: ${{{number}:{escaped(sample)}}}")
    about = "The connection that a step uses which names only the family, or none at all."
    yield Proposal("default", Kind.Struct, family.title, about, shape="mapping", lines=tuple(lines))
