"""Values inside steps that only the project knows: components, connections, other steps."""

from collections.abc import Iterator
from typing import Final

from lsprotocol.types import CompletionItemKind as Kind

from osiris_lsp.documents import MODES, Connection, ConnectionsDocument
from osiris_lsp.lsp.completion.context import Context
from osiris_lsp.lsp.completion.outline import Entry
from osiris_lsp.lsp.completion.schema import Proposal, prose
from osiris_lsp.markdown import code, escape
from osiris_lsp.project import Project
from osiris_lsp.refs import connection_string_secrets, parse_reference
from osiris_lsp.secret import mask
from osiris_lsp.specs import ComponentSpec
from osiris_lsp.text import printable
from osiris_lsp.tree import Scalar, deref

DEPTH: Final = 2
"""Length of the path of a step."""

MISFIT: Final = 6
"""The rank of a connection whose family is not that of the component."""


class Steps:
    """The steps of a pipeline around a place; `path` is its file."""

    def __init__(self, context: Context, project: Project, path: str) -> None:
        self.context = context
        self.project = project
        self.path = path

    def step(self, entry: Entry) -> Entry | None:
        """Return the step that an entry of a pipeline belongs to."""
        found: Entry | None = entry
        while found is not None and len(found.path) > DEPTH:
            found = found.parent
        if found is None or found.path[:1] != ("steps",) or len(found.path) < DEPTH:
            return None
        return found

    def component(self, entry: Entry) -> ComponentSpec | None:
        """Return the component of the step that an entry belongs to."""
        step = self.step(entry)
        if step is None:
            return None
        keys = self.context.keys(step)
        for name in ("component", "driver", "type"):
            if name in keys:
                return self.project.components.get(keys[name].text)
        return None

    def values(self, entry: Entry, typed: str) -> Iterator[Proposal] | None:
        """Return the values that only the project knows, or None for others."""
        part = entry.path[DEPTH:]
        if part in (("component",), ("driver",), ("type",)):
            return self._components(entry)
        if part == ("mode",):
            return self._modes(entry)
        if part == ("config", "connection"):
            return self._references(entry)
        if part[:1] == ("needs",):
            return self._step_ids(entry, typed)
        if part[:1] == ("inputs",) and len(part) > 1:
            found = self._step_ids(entry, typed.removeprefix("@"))
            return (item._replace(text=f"@{item.text}") for item in found)
        return None

    def _components(self, entry: Entry) -> Iterator[Proposal]:
        step = self.step(entry)
        mode = self.context.keys(step).get("mode") if step is not None else None
        for name, spec in self.project.components.items():
            fits = mode is None or not mode.text or mode.text in spec.step_modes
            rank = 0 if fits else 5
            about = prose(spec.description, spec.path is None)
            yield Proposal(name, Kind.Class, printable(spec.title), about, rank)

    def _modes(self, entry: Entry) -> Iterator[Proposal]:
        spec = self.component(entry)
        for mode in (spec.step_modes if spec is not None else ()) or MODES:
            yield Proposal(mode, Kind.EnumMember, spec.title if spec is not None else "")

    def _step_ids(self, entry: Entry, typed: str) -> Iterator[Proposal]:
        own = self.step(entry)
        steps = own.parent if own is not None else None
        if own is None or steps is None:
            return
        needs = self.context.keys(own).get("needs")
        taken = {item.text for item in needs.children} if needs is not None else set()
        taken.discard(entry.text or typed)
        before = steps.children.index(own)
        for index, step in enumerate(steps.children):
            keys = self.context.keys(step)
            name = keys["id"].text if "id" in keys else ""
            if step is own or not name or name in taken:
                continue
            component = keys["component"].text if "component" in keys else ""
            # The nearest step before comes first; those behind come last.
            distance = before - index if index < before else 5000 + index
            yield Proposal(name, Kind.Reference, printable(component), rank=distance)

    def _references(self, entry: Entry) -> Iterator[Proposal]:
        connections = self.project.connections_for(self.path)
        if connections is None:
            return
        spec = self.component(entry)
        families = self.project.families
        wanted = families.canonical(spec.family_spelling) if spec is not None else None
        wide = self.project.settings.profile == "osiris-runtime"
        for family in connections.families:
            default = connections.default_of(family.name)
            fits = wanted is None or family.canonical == wanted
            named = parse_reference(f"@{family.name}")
            if default is not None and named is not None and named.strict:
                about = _about(connections, default)
                detail = f"{_title(default)} · the default, {printable(str(default))}"
                rank = 1 if fits else MISFIT
                yield Proposal(str(named), Kind.Reference, detail, about, rank)
            for link in family.connections:
                reference = parse_reference(str(link))
                if reference is None or not (reference.strict or wide):
                    continue
                detail = _title(link) + (" · default" if link is default else "")
                rank = (0 if link is default else 2) if fits else MISFIT
                about = _about(connections, link)
                yield Proposal(str(reference), Kind.Reference, detail, about, rank)


def _title(entry: Connection) -> str:
    return entry.spec.title if entry.spec is not None else printable(entry.family.name)


def _about(connections: ConnectionsDocument, entry: Connection) -> str:
    """Return the public fields of a connection as they are written, and what may be secret hidden.

    Variables stay names, so that nothing of the environment is shown.
    """
    lines = []
    fields = entry.spec.fields if entry.spec is not None else {}
    for name, (_, value) in entry.fields.items():
        node, field = deref(value), fields.get(name)
        if field is None or field.schema.get("x-public") is not True or name == "default":
            continue
        if not isinstance(node, Scalar) or node.type in ("null", "unknown"):
            continue
        hidden = any(
            span.start < node.end and node.start < span.end for span in connections.secret_spans
        )
        text = mask(node.value, list(connection_string_secrets(node.value)))
        shown = escape("***") if hidden else code(text)
        lines.append(f"- {code(field.canonical or name)}: {shown}")
    return "\n".join(lines)
