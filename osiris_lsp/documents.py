"""Typed views over a tree: connections files, pipelines, component specs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

from osiris_lsp.discovery import Kind
from osiris_lsp.refs import NAME, Reference, literal_secrets, parse_reference
from osiris_lsp.schema import Violation, violations
from osiris_lsp.specs import (
    ComponentSpec,
    Families,
    FamilySpec,
    Schema,
    Section,
    load_schema,
    nearest,
)
from osiris_lsp.suppressions import Suppression, find_suppressions
from osiris_lsp.syntax import parse
from osiris_lsp.text import Span
from osiris_lsp.tree import Map, Node, Scalar, Seq, Tree, boolean, deref, to_python

MODES: Final = ("read", "write", "transform")
"""Modes of a step (OML 0.1.0)."""

InputProblem = tuple[str, str]
"""A rule and a message: why a file could not be read."""


class Document:
    """A file with its tree; `path` is absolute. The base of the kinds, and foreign YAML itself."""

    kind: Kind = "yaml"

    def __init__(self, path: str, text: str, input_problem: InputProblem | None = None) -> None:
        self.path = path
        self.text = text
        self.input_problem = input_problem

    @cached_property
    def tree(self) -> Tree:
        """The tree of the text."""
        return parse(self.text)

    @cached_property
    def root(self) -> Map | None:
        """The mapping at the top of the first document, or None."""
        root = self.tree.root
        return root if isinstance(root, Map) else None

    @cached_property
    def suppressions(self) -> Sequence[Suppression]:
        """The comments of the file that silence findings."""
        return find_suppressions(self.tree)

    @property
    def violations(self) -> Sequence[Violation]:
        """Where values do not meet the schemas of their fields."""
        return ()

    @property
    def declared_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars of fields that a spec declares secret, with the name of the field."""
        return iter(())

    @cached_property
    def secret_spans(self) -> Sequence[Span]:
        """Every range of the text that may hold a secret; `excerpt()` masks them."""
        from osiris_lsp.sensitive import find_sensitive  # needed only where there are findings

        declared = (node for _, node in (*self.declared_secrets, *self.misspelt_secrets))
        return find_sensitive(self.tree, declared)

    @property
    def misspelt_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars of unknown fields whose name is that of a secret field but for a slip."""
        return iter(())

    def is_broken(self, start: int, end: int) -> bool:
        """Tell whether the text does not parse somewhere in a range, so that pieces may lack."""
        return any(
            problem.rule not in ("unquoted-reference", "multiple-documents")
            and start <= problem.end
            and problem.start <= end
            for problem in self.tree.problems
        )

    def key(self, name: str) -> Scalar | None:
        """Return the key node of a top-level field, or None."""
        entry = self.root.fields.get(name) if self.root else None
        return None if entry is None else entry[0]

    def value(self, name: str) -> Node | None:
        """Return the value of a top-level field with aliases followed, or None."""
        return self.root.get(name) if self.root else None


class Connection:
    """One connection: the entry of an alias below its family."""

    def __init__(self, family: "FamilyEntry", key: Scalar, value: Node) -> None:
        self.family = family
        self.alias = key.value
        self.key = key
        self.value = value
        node = deref(value)
        self.node = node if isinstance(node, Map) else None

    @property
    def spec(self) -> FamilySpec | None:
        """The family's spec, or None for an unknown family."""
        return self.family.spec

    @property
    def fields(self) -> Mapping[str, tuple[Scalar, Node]]:
        """Field names to key and value nodes, merge keys resolved."""
        return self.node.fields if self.node is not None else {}

    @property
    def default(self) -> Scalar | None:
        """The value of `default` where it is true, else None."""
        value = deref(self.fields["default"][1]) if "default" in self.fields else None
        return value if isinstance(value, Scalar) and boolean(value) else None

    @cached_property
    def violations(self) -> Sequence[Violation]:
        """Where fields do not meet the schema of the family."""
        if self.spec is None or self.node is None:
            return ()
        schema = self.spec.effective_schema
        return tuple(violations(self.node, schema, "", schema, trusted=self.spec.builtin))

    @property
    def secrets(self) -> Iterator[tuple[str, Scalar]]:
        """The scalars of fields that the family declares secret, nested ones included."""
        if self.spec is not None and self.node is not None:
            yield from _secrets(self.node, self.spec.effective_schema)

    @property
    def sections(self) -> Iterator[tuple[Map, Section]]:
        """The connection itself and the mappings inside it, with what is known of their fields."""
        if self.spec is not None and self.node is not None:
            yield from _sections(self.node, self.spec.section)

    @property
    def mappings(self) -> Iterator[tuple[Map, Schema]]:
        """The connection itself and the mappings inside it whose fields are known, with schemas."""
        for mapping, section in self.sections:
            yield mapping, section.schema

    @property
    def fits(self) -> bool:
        """Whether all that the schema asks for is there, in its right form and current spelling."""
        if self.spec is None or self.node is None or self.violations:
            return False
        if any(self.spec.canonical(name) != name for name in self.fields):
            return False
        return all(
            any(all(name in self.fields for name in option) for option in group)
            for group in self.spec.requirements
        )

    def __str__(self) -> str:
        return f"@{self.family.name}.{self.alias}"


def _secrets(node: Map, schema: Schema, depth: int = 0) -> Iterator[tuple[str, Scalar]]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or depth > 5:
        return
    for name, (_, value) in node.fields.items():
        field = properties.get(name)
        target = deref(value)
        if not isinstance(field, Mapping):
            continue
        if field.get("writeOnly") is True:
            yield from ((name, scalar) for scalar in scalars(target))
        for branch in (field, *(field.get("anyOf") or ()), *(field.get("oneOf") or ())):
            if isinstance(target, Map) and isinstance(branch, Mapping):
                yield from _secrets(target, branch, depth + 1)


def _sections(node: Map, section: Section) -> Iterator[tuple[Map, Section]]:
    yield node, section
    for name, sections in section.inner.items():
        inner = node.get(name)
        if isinstance(inner, Map):
            for below in sections:
                yield from _sections(inner, below)


def scalars(node: Node) -> Iterator[Scalar]:
    """Yield the scalar values of a node: itself, list items and values of mappings."""
    if isinstance(node, Scalar):
        yield node
    for _, value in walk(node):
        if isinstance(value, Scalar):
            yield value


class FamilyEntry:
    """A family in a connections file; `name` is the spelling used there."""

    def __init__(self, key: Scalar, value: Node, spec: FamilySpec | None) -> None:
        self.name = key.value
        self.key = key
        self.value = value
        self.spec = spec
        node = deref(value)
        self.node = node if isinstance(node, Map) else None

    @property
    def canonical(self) -> str:
        """The canonical name of the family."""
        return self.name if self.spec is None else self.spec.name

    @cached_property
    def is_flat(self) -> bool:
        """Whether fields of a connection stand right below the family, without an alias."""
        if self.node is None or self.spec is None or not self.node.fields:
            return False
        own = self.spec.schema.get("properties") or {}
        values = [(name, deref(value)) for name, (_, value) in self.node.fields.items()]
        return not any(isinstance(value, Map) for _, value in values) and any(
            name in own and isinstance(value, Scalar) and value.end > value.start
            for name, value in values
        )

    @cached_property
    def connections(self) -> Sequence[Connection]:
        """The family's connections in the order of the file."""
        if self.node is None or self.is_flat:
            return ()
        return tuple(Connection(self, key, value) for key, value in self.node.fields.values())


class ConnectionsDocument(Document):
    """A connections file."""

    kind: Kind = "connections"

    def __init__(
        self,
        path: str,
        text: str,
        families: Families,
        input_problem: InputProblem | None = None,
    ) -> None:
        super().__init__(path, text, input_problem)
        self.known_families = families

    @cached_property
    def root_key(self) -> Scalar | None:
        """The key `connections`, or the one that is a misspelling of it, or None."""
        if self.root is None:
            return None
        if "connections" in self.root.fields:
            return self.root.fields["connections"][0]
        for name, (key, value) in self.root.fields.items():
            if (
                self.known_families.find(name) is None
                and isinstance(deref(value), Map)
                and nearest(name, ("connections", "version")) == "connections"
            ):
                return key
        return None

    @cached_property
    def bare_families(self) -> Sequence[tuple[Scalar, Node]]:
        """Families that stand at the top of the file instead of below `connections`.

        Beside `connections` only what is known as a family and holds connections counts, because
        templates for merge keys stand there too.
        """
        if self.root is None:
            return ()
        return tuple(
            (key, value)
            for name, (key, value) in self.root.fields.items()
            if name != "version" and key is not self.root_key and self._is_bare(name, value)
        )

    def _is_bare(self, name: str, value: Node) -> bool:
        known = self.known_families.find(name) is not None
        if self.root_key is None:
            return isinstance(deref(value), Map) and (known or _looks_like_family(value))
        template = value.anchor is not None or not isinstance(value, Map)
        return known and not template and _looks_like_family(value)

    @cached_property
    def families(self) -> Sequence[FamilyEntry]:
        """The families in the order of the file, also those that stand at the top by mistake."""
        entries: Sequence[tuple[Scalar, Node]] = self.bare_families
        top = self.value(self.root_key.value) if self.root_key is not None else None
        if isinstance(top, Map):
            entries = (*top.fields.values(), *entries)
        return tuple(
            FamilyEntry(key, value, self.known_families.find(key.value)) for key, value in entries
        )

    def is_unreadable(self, key: Scalar) -> bool:
        """Tell whether text that does not parse comes behind a family or alias, before the next.

        What seems to be missing there may only be unreadable.
        """
        if not self.tree.problems:
            return False
        starts = [entry.key.start for entry in self.families]
        starts += [entry.key.start for entry in self.connections]
        end = min((start for start in starts if start > key.start), default=len(self.text) + 1)
        return self.is_broken(key.start, end - 1)

    def may_be(self, entry: FamilyEntry, spelling: str) -> bool:
        """Tell whether an unknown family is certainly that one and can be renamed to it.

        Its connections have the fields of that family, no secret is written out, and no other entry
        is, or may be meant to be, the same family.
        """
        known = self.known_families
        renamed = FamilyEntry(entry.key, entry.value, known.find(spelling))
        for other in self.families:
            guess = other.spec is None and nearest(other.name, known.spellings)
            name = known.canonical(guess) if guess else other.canonical
            if other is not entry and name == renamed.canonical:
                return False
        return bool(renamed.connections) and all(
            link.fits and not any(literal_secrets(item.value) for _, item in link.secrets)
            for link in renamed.connections
        )

    @cached_property
    def connections(self) -> Sequence[Connection]:
        """All connections in the order of the file."""
        return tuple(entry for family in self.families for entry in family.connections)

    @property
    def declared_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars of fields that a family declares secret, with the name of the field."""
        for entry in self.connections:
            yield from entry.secrets

    @property
    def misspelt_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars of unknown fields whose name is that of a secret field but for a slip."""
        for entry in self.connections:
            if entry.spec is None:
                continue
            names = [name for name, field in entry.spec.fields.items() if field.secret]
            for name, (_, value) in entry.fields.items():
                if name not in entry.spec.fields and nearest(name, names) is not None:
                    yield from ((name, scalar) for scalar in scalars(deref(value)))

    @cached_property
    def violations(self) -> Sequence[Violation]:
        """The violations of all connections."""
        return tuple(item for entry in self.connections for item in entry.violations)

    def of_family(self, family: str) -> Sequence[Connection]:
        """Return the connections of a family under any of its spellings."""
        canonical = self.known_families.canonical(family)
        return tuple(entry for entry in self.connections if entry.family.canonical == canonical)

    def find(self, family: str, alias: str) -> Connection | None:
        """Return a connection by family (any spelling) and alias, or None."""
        return next((entry for entry in self.of_family(family) if entry.alias == alias), None)

    def resolve(self, reference: Reference) -> Connection | None:
        """Return the connection that a reference means, or None."""
        if reference.alias is None:
            return self.default_of(reference.family)
        return self.find(reference.family, reference.alias)

    def guess(self, text: str, family: str = "") -> Reference | None:
        """Return the reference to an existing connection that a malformed one most likely means.

        `family` is the one of the step's component. The result has an alias and keeps CONN-004.
        """
        body = text.strip().removeprefix("@").lower()
        spelled = body.replace("-", "_")
        tries = [body, spelled, f"{family}.{spelled}"]
        breaks = [at for at, char in enumerate(body) if char in "-_:/ "]
        tries += [f"{body[:at]}.{body[at + 1 :]}" for at in breaks]
        for attempt in tries:
            reference = parse_reference(f"@{attempt}")
            if reference is not None and reference.strict:
                entry = self.resolve(reference)
                if entry is not None and NAME.fullmatch(entry.alias):
                    return Reference(reference.family, entry.alias, True)
        parsed = [parse_reference(str(entry)) for entry in self.connections]
        known = {str(found): found for found in parsed if found is not None and found.strict}
        close = nearest(f"@{body}", known)
        return None if close is None else known[close]

    def default_of(self, family: str) -> Connection | None:
        """Return the connection that `@family` means (CONN-003), or None.

        It is the one with `default: true`, else the one named `default`.
        """
        entries = self.of_family(family)
        flagged = [entry for entry in entries if entry.default is not None]
        if len(flagged) == 1:
            return flagged[0]
        if flagged:
            return None
        return next((entry for entry in entries if entry.alias == "default"), None)


def _looks_like_family(value: Node) -> bool:
    """Tell whether a mapping holds mappings only, as a family holds aliases."""
    node = deref(value)
    return (
        isinstance(node, Map)
        and bool(node.fields)
        and all(isinstance(deref(inner), Map) for _, inner in node.fields.values())
    )


_HTTP: Final = frozenset(("api", "graphql", "oauth", "openai", "posthog", "shopify", "supabase"))

Shape = Literal["oml", "driver", "legacy", "none"]


class Upstream(NamedTuple):
    """A step that another one takes its data from, as named in `needs`."""

    node: Scalar
    step: "Step | None"


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
        self.shape: Shape = "none"
        self.component: Scalar | None = None
        fields = self.fields
        shapes: tuple[tuple[str, Shape], ...] = (
            ("component", "oml"),
            ("driver", "driver"),
            ("type", "legacy"),
        )
        for key, shape in shapes:
            if key in fields:
                value = deref(fields[key][1])
                self.shape = shape
                self.component = value if isinstance(value, Scalar) else None
                break
        name = self.component.value if self.component is not None else ""
        self.spec = components.get(name)

    @property
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

    @property
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
        """Where the config does not meet the component's schema (unknown and missing keys too)."""
        if self.spec is None or self.config is None or self.is_legacy:
            return ()
        trusted = self.spec.path is None
        schema = {
            **self.spec.schema,
            "type": "object",
            "properties": self.spec.known,
            "required": self.spec.required,
        }
        return tuple(violations(self.config, schema, "", self.spec.schema, trusted=trusted))


class PipelineDocument(Document):
    """A pipeline."""

    kind: Kind = "pipeline"

    def __init__(
        self,
        path: str,
        text: str,
        components: Mapping[str, ComponentSpec],
        input_problem: InputProblem | None = None,
    ) -> None:
        super().__init__(path, text, input_problem)
        self.components = components

    @cached_property
    def steps(self) -> Sequence[Step]:
        """The steps in the order of the file."""
        listed = self.value("steps")
        if not isinstance(listed, Seq):
            return ()
        return tuple(Step(index, item, self.components) for index, item in enumerate(listed.items))

    @cached_property
    def modern_steps(self) -> Sequence[Step]:
        """The steps that are mappings and not legacy ones."""
        return tuple(step for step in self.steps if step.node is not None and not step.is_legacy)

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

    @cached_property
    def violations(self) -> Sequence[Violation]:
        """The violations of all steps."""
        return tuple(item for step in self.modern_steps for item in step.violations)

    @cached_property
    def references(self) -> Sequence[Step]:
        """The steps whose config names a connection."""
        return tuple(step for step in self.modern_steps if step.connection is not None)


class ComponentDocument(Document):
    """A component spec of a project."""

    kind: Kind = "component"

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """The plain values of the spec; empty where it is no mapping."""
        data = to_python(self.root)
        return data if isinstance(data, dict) else {}

    @cached_property
    def violations(self) -> Sequence[Violation]:
        """Where the spec does not meet the schema of component specs."""
        if self.root is None:
            return ()
        return tuple(violations(self.root, load_schema("component")))


def sanitized(step_id: str) -> str:
    """Return the name of the table that a step's output gets in DuckDB: `df_<id>`."""
    return "df_" + re.sub(r"[^A-Za-z0-9_]", "_", step_id)


def walk(node: Node, depth: int = 0) -> Iterator[tuple[Scalar | None, Node]]:
    """Yield every value below a node with its key, aliases left alone."""
    if depth > 60:
        return
    if isinstance(node, Map):
        for key, value in node.pairs:
            yield (key if isinstance(key, Scalar) else None), value
            yield from walk(value, depth + 1)
    elif isinstance(node, Seq):
        for item in node.items:
            yield None, item
            yield from walk(item, depth + 1)


def part_span(tree: Tree, node: Scalar, start: int, end: int) -> Span:
    """Return the range in the text of a word of a scalar's value, in block and folded ones too.

    Where escapes hide the word it is the range of the whole content.
    """
    inner, word = node.inner, node.value[start:end]
    first = inner.start
    if node.style in ("|", ">"):
        header = re.search(r"[\r\n]", tree.text[inner.start : inner.end])
        first += header.start() if header else 0
    elif tree.text[inner.start : inner.end] == node.value:
        return Span(first + start, first + end)
    source = tree.text[first : inner.end]
    if not word or source.count(word) != node.value.count(word):
        return inner
    at = -len(word)
    for _ in range(node.value.count(word, 0, start) + 1):
        at = source.find(word, at + len(word))
    return Span(first + at, first + at + len(word))


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
