"""A pipeline: its steps, what they refer to and what they need."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, Literal, Self

from osiris_lsp.assembly import Assembled
from osiris_lsp.discovery import Kind
from osiris_lsp.documents.document import (
    AROUND,
    Document,
    InputProblem,
    scalars,
    scalars_under,
)
from osiris_lsp.parts import Entry
from osiris_lsp.properties import cached_property
from osiris_lsp.refs import Reference, parse_reference
from osiris_lsp.schema import Violation, violations
from osiris_lsp.secrets import Place
from osiris_lsp.secrets.places import places_in
from osiris_lsp.specs import ComponentSpec, Families, secret_names
from osiris_lsp.text import Span
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref

MODES: Final = ("read", "write", "transform")
"""Modes of a step (OML 0.1.0)."""

_HTTP: Final = frozenset(("api", "graphql", "oauth", "openai", "posthog", "shopify", "supabase"))

Shape = Literal["oml", "driver", "legacy", "none"]

_SHAPES: Final[tuple[tuple[str, Shape], ...]] = (
    ("component", "oml"),
    ("driver", "driver"),
    ("type", "legacy"),
)


class Step:
    """One step of a pipeline.

    `shape` says how it names its component: `component:` (OML 0.1.0), `driver:` (seed 001),
    `type:` (legacy), or not at all.
    """

    def __init__(self, index: int, item: Node, components: Mapping[str, ComponentSpec]) -> None:
        self.index = index
        self.item = item
        node = deref(item)
        self.node = node if isinstance(node, Map) else None
        self.fields: Mapping[str, tuple[Scalar, Node]] = self.node.fields if self.node else {}
        self._components = components

    @cached_property
    def _kind(self) -> tuple[Shape, Scalar | None]:
        for key, shape in _SHAPES:
            if key in self.fields:
                value = deref(self.fields[key][1])
                return shape, value if isinstance(value, Scalar) else None
        return "none", None

    @cached_property
    def shape(self) -> Shape:
        """How the step names its component."""
        return self._kind[0]

    @cached_property
    def component(self) -> Scalar | None:
        """The name of the component where it is a single value, or None."""
        return self._kind[1]

    @cached_property
    def spec(self) -> ComponentSpec | None:
        """The spec of the component, or None for an unknown one."""
        return self._components.get(self.component.value if self.component is not None else "")

    @cached_property
    def is_legacy(self) -> bool:
        """Whether the step has the shape that Osiris had before OML."""
        return self.shape == "legacy"

    @property
    def anchor(self) -> Span:
        """Where a finding about the step as a whole lies: its id, else its first key."""
        node = self.scalar("id")
        if node is not None and node.end > node.start:
            return node.span
        first = next(iter(self.fields.values()), None)
        if first is not None:
            return first[0].span
        return Span(self.item.start, min(self.item.end, self.item.start + 1))

    def scalar(self, key: str) -> Scalar | None:
        """Return the scalar value of a key of the step, or None."""
        if key not in self.fields:
            return None
        value = deref(self.fields[key][1])
        return value if isinstance(value, Scalar) else None

    @cached_property
    def id(self) -> str | None:
        """The id of the step where it is a text."""
        node = self.scalar("id")
        return node.value if node is not None and node.type == "str" and node.value else None

    @property
    def label(self) -> str:
        """How messages call the step."""
        return f"step `{self.id}`" if self.id else f"step {self.index + 1}"

    @cached_property
    def config(self) -> Map | None:
        """The mapping under `config`, or None."""
        if "config" not in self.fields:
            return None
        value = deref(self.fields["config"][1])
        return value if isinstance(value, Map) else None

    def option(self, key: str) -> Node | None:
        """Return the value of a config key with aliases followed, or None."""
        return self.config.get(key) if self.config is not None else None

    @cached_property
    def connection(self) -> Scalar | None:
        """The scalar under `config.connection`, or None."""
        value = self.option("connection")
        return value if isinstance(value, Scalar) else None

    @cached_property
    def reference(self) -> Reference | None:
        """The reference to a connection, where it can be read."""
        node = self.connection
        return parse_reference(node.value) if node is not None and node.type == "str" else None

    def readable(self, profile: str) -> Reference | None:
        """The reference where a profile lets it be written like that, else None.

        CONN-004 holds, and with the profile `osiris-runtime` its wider form with an alias (R-07).
        """
        reference = self.reference
        if reference is None or reference.strict:
            return reference
        wide = profile == "osiris-runtime" and reference.alias is not None
        return reference if wide else None

    def misfit(
        self, families: Families, reference: Reference | None = None
    ) -> tuple[str, str] | None:
        """Return the family of the component and the one of a reference where they differ.

        `reference` is by default the one of the step. Both are known families; an `api` component
        may use any family that speaks HTTP.
        """
        reference = reference or self.reference
        if reference is None or (self.component is None and self.spec is None):
            return None
        spelling = self.component.value.partition(".")[0] if self.component is not None else ""
        if self.spec is not None:
            spelling = self.spec.family_spelling
        wanted, given = families.find(spelling), families.find(reference.family)
        if wanted is None or given is None or wanted.name == given.name:
            return None
        if wanted.name == "api" and given.name in _HTTP:
            return None
        return wanted.name, given.name

    def written(self, key: str) -> Scalar | None:
        """Return the scalar of a key that an edit changes for this step only, or None."""
        if self.node is None or self.node is not self.item or self.item.anchor:
            return None
        for name, value in self.node.pairs:
            if isinstance(name, Scalar) and name.value == key:
                return value if isinstance(value, Scalar) and value.anchor is None else None
        return None

    @property
    def lacks_connection(self) -> bool:
        """Whether the step leaves its connection to the default of the family.

        It names none, its component needs fields of one, and its config gives none of these.
        """
        if self.spec is None or self.is_legacy:
            return False
        fields: Mapping[str, tuple[Scalar, Node]] = {}
        if self.config is not None:
            fields = self.config.fields
        elif "config" in self.fields:
            value = deref(self.fields["config"][1])
            if not isinstance(value, Scalar) or value.type != "null":
                return False
        needed = [name for name in self.spec.required if name in self.spec.connection_fields]
        return (
            bool(needed)
            and "connection" not in fields
            and "<<" not in fields
            and not any(name in fields for name in needed)
        )

    @property
    def written_config(self) -> tuple[Scalar, Node] | None:
        """The key `config` and its value where they are written in the step itself, else None."""
        if self.node is not self.item or self.item.anchor or self.node is None:
            return None
        for key, value in self.node.pairs:
            if isinstance(key, Scalar) and key.value == "config" and value.anchor is None:
                return key, value
        return None

    def place(self, node: Node) -> Span:
        """Where a finding about a value of the step lies: at the step where others share it."""
        if self.item.start <= node.start <= self.item.end and self.node is self.item:
            return node.span
        if isinstance(self.item, Map) and self.item.pairs:
            return self.item.pairs[0][0].span
        return self.item.span

    @cached_property
    def needs(self) -> Sequence[Scalar]:
        """The scalars under `needs`; a single name counts as a list of one."""
        if "needs" not in self.fields:
            return ()
        value = deref(self.fields["needs"][1])
        items = value.items if isinstance(value, Seq) else [value]
        return tuple(item for item in map(deref, items) if isinstance(item, Scalar))

    @cached_property
    def violations(self) -> Sequence[Violation]:
        """Where the config does not meet the component's schema (unknown keys too)."""
        if self.spec is None or self.config is None or self.is_legacy:
            return ()
        spec = self.spec
        trusted = spec.path is None
        return tuple(violations(self.config, spec.config, "", spec.schema, trusted=trusted))


class PipelineDocument(Document):
    """A pipeline."""

    kind: Kind = "pipeline"
    first = 0
    """The index of the first step; another one where the document is narrowed."""

    def __init__(
        self,
        path: str,
        text: str,
        components: Mapping[str, ComponentSpec],
        input_problem: InputProblem | None = None,
    ) -> None:
        super().__init__(path, text, input_problem)
        self.components = components

    def narrowed(self, number: int) -> Self:
        """Return the document with one part of its tree, whose steps know which ones they are."""
        narrow = super().narrowed(number)
        if number != AROUND:
            assert isinstance(self.tree, Assembled)
            narrow.first = self.tree.firsts[number]
        return narrow

    def sketched(self, placed: Collection[int] | None = None) -> Self:
        """Return the document with the `sketch` of its tree; its steps are made once."""
        narrow = super().sketched(placed)
        assert isinstance(self.tree, Assembled)
        if {group.name for group in self.tree.groups} == {"steps"}:
            narrow.__dict__["steps"] = tuple(self._outlines(self.tree, frozenset(placed or ())))
        return narrow

    def _outlines(self, tree: Assembled, placed: Collection[int]) -> Iterator[Step]:
        index = 0
        for number, part in enumerate(tree.parts):
            if number in placed:
                steps: Sequence[Step] = self._steps_of(part.entries, index)
            else:
                key = index, self.components
                if part.identity.views is None or part.identity.views[0] != key:
                    part.identity.views = key, self._steps_of(part.identity.sketch, index)
                steps = part.identity.views[1]
            yield from steps
            index += len(steps)

    def _steps_of(self, entries: Sequence[Entry], first: int) -> Sequence[Step]:
        items = (entry for entry in entries if isinstance(entry, Node))
        return [Step(index, item, self.components) for index, item in enumerate(items, first)]

    @cached_property
    def steps(self) -> Sequence[Step]:
        """The steps in the order of the file."""
        listed = self.value("steps")
        if not isinstance(listed, Seq):
            return ()
        items = enumerate(listed.items, self.first)
        return tuple(Step(index, item, self.components) for index, item in items)

    def each_step(self) -> Iterator[Step]:
        """Yield the steps, each made when it is come to: for those who seldom need them all."""
        tree = self.tree
        if "steps" in self.__dict__ or not isinstance(tree, Assembled) or not tree.is_regular:
            yield from self.steps
            return
        for part, group, first in zip(tree.parts, tree.groups, tree.firsts, strict=False):
            if group.is_list:
                yield from self._steps_of(part.entries, first)

    @cached_property
    def modern_steps(self) -> Sequence[Step]:
        """The steps that are mappings and not legacy ones."""
        return tuple(step for step in self.steps if step.node is not None and not step.is_legacy)

    @cached_property
    def names(self) -> frozenset[str]:
        """What stands as `id` in the steps, whatever its type."""
        nodes = (step.scalar("id") for step in self.steps)
        return frozenset(node.value for node in nodes if node is not None)

    @cached_property
    def step_by_id(self) -> Mapping[str, Step]:
        """The first step of each id."""
        found: dict[str, Step] = {}
        for step in self.steps:
            if step.id is not None:
                found.setdefault(step.id, step)
        return found

    @property
    def is_oml(self) -> bool:
        """Whether the file must have the top-level keys of OML; seed 001 and legacy need none."""
        if self.key("oml_version") is not None or not self.steps:
            return True
        return any(step.shape in ("oml", "none") for step in self.steps)

    @property
    def specs(self) -> object:
        """The components that are known."""
        return self.components

    @property
    def declared_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars of config keys that a component declares secret, with the name of the key."""
        for step in self.steps:
            if step.spec is None or step.config is None:
                continue
            for path in step.spec.secrets:
                node: Node | None = step.config
                for part in path:
                    node = node.get(part) if isinstance(node, Map) else None
                if node is not None:
                    yield from ((path[-1], scalar) for scalar in scalars(node))

    @property
    def misspelt_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars under a name that some component declares secret, where none is known."""
        names = secret_names(self.components)
        if self.root is not None and self.key("steps") is None:
            yield from scalars_under(self.root, names)
        for step in self.steps:
            if step.spec is None or step.config is None:
                yield from scalars_under(step.config or step.item, names)

    @property
    def secret_places(self) -> Iterator[Place]:
        """Scalars of config keys that a component declares secret."""
        for step in self.steps:
            if step.spec is None or step.config is None:
                continue
            for path in step.spec.secrets:
                node: Node | None = step.config
                for part in path:
                    node = node.get(part) if isinstance(node, Map) else None
                if node is not None:
                    # Whatever the schema says: the component's spec lists the key as secret.
                    yield from places_in(node, (step.spec.family_spelling, path[-1]), False)

    @cached_property
    def violations(self) -> Sequence[Violation]:
        """The violations of all steps."""
        return tuple(item for step in self.modern_steps for item in step.violations)

    @cached_property
    def references(self) -> Sequence[Step]:
        """The steps whose config names a connection."""
        return tuple(step for step in self.modern_steps if step.connection is not None)


def sanitized(step_id: str) -> str:
    """Return the name of the table that a step's output gets in DuckDB: `df_<id>`."""
    return "df_" + re.sub(r"[^A-Za-z0-9_]", "_", step_id)


def is_csv_option(step: Step, violation: Violation) -> bool:
    """Tell whether `csv-option` reports a violation instead of `config-type` and `config-value`."""
    name = step.component.value if step.component is not None else ""
    if not name.startswith("filesystem.csv_") or len(violation.path) != 1:
        return False
    if violation.kind != "value":
        return False
    if violation.name in ("encoding", "newline"):
        return bool(violation.choices)
    node = violation.node
    return violation.name == "delimiter" and isinstance(node, Scalar) and node.value == "\\t"
