"""A connections file: families, aliases, and which connection a reference means."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from osiris_lsp.discovery import Kind
from osiris_lsp.documents.document import Document, InputProblem, scalars, scalars_under
from osiris_lsp.properties import cached_property
from osiris_lsp.refs import NAME, Reference, literal_secrets, parse_reference
from osiris_lsp.schema import Violation, violations
from osiris_lsp.secrets import Place
from osiris_lsp.secrets.places import places_in
from osiris_lsp.specs import (
    Families,
    FamilySpec,
    Schema,
    Section,
    nearest,
)
from osiris_lsp.tree import Map, Node, Scalar, boolean, deref


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
    def secret_places(self) -> Iterator[Place]:
        """The scalars of fields that hold a secret, nested ones included."""
        for mapping, section in self.sections:
            for name in section.secret & mapping.fields.keys():
                value, field = deref(mapping.fields[name][1]), section.fields[name]
                if isinstance(value, Map) or field.get("writeOnly") is True:
                    origin = (self.family.canonical, self.alias, name)
                    yield from places_in(value, origin, field.get("x-network") == "dsn")

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
        if not isinstance(field, Mapping):
            continue
        target = deref(value)
        if field.get("writeOnly") is True:
            yield from ((name, scalar) for scalar in scalars(target))
        if not isinstance(target, Map):
            continue
        for branch in (field, *(field.get("anyOf") or ()), *(field.get("oneOf") or ())):
            if isinstance(branch, Mapping):
                yield from _secrets(target, branch, depth + 1)


def _sections(node: Map, section: Section) -> Iterator[tuple[Map, Section]]:
    yield node, section
    for name, sections in section.inner.items():
        inner = node.get(name)
        if isinstance(inner, Map):
            for below in sections:
                yield from _sections(inner, below)


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
        # Each knows its family, but not this object, or the tree would be freed late.
        family = FamilyEntry(self.key, self.value, self.spec)
        return tuple(Connection(family, key, value) for key, value in self.node.fields.values())


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
        end = self.tree.reach(key.start)
        if end is None:
            following = bisect_right(self._starts, key.start)
            last = following == len(self._starts)
            end = len(self.text) if last else self._starts[following] - 1
        return self.is_broken(key.start, end)

    @cached_property
    def _starts(self) -> Sequence[int]:
        """Where families and aliases start, in order."""
        starts = [entry.key.start for entry in self.families]
        return sorted([*starts, *(entry.key.start for entry in self.connections)])

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
    def specs(self) -> object:
        """The families that are known."""
        return self.known_families

    @property
    def declared_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars of fields that a family declares secret, with the name of the field."""
        for entry in self.connections:
            yield from entry.secrets

    @property
    def secret_places(self) -> Iterator[Place]:
        """The scalars of fields that hold a secret."""
        for entry in self.connections:
            yield from entry.secret_places

    @property
    def misspelt_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars under a name that is nearly that of a secret field, or under no known family."""
        names = self.known_families.secret_names
        if self.root is not None and not self.families:
            yield from scalars_under(self.root, names)
        for family in self.families:
            if family.spec is None or not family.connections:
                yield from scalars_under(family.value, names)
        for entry in self.connections:
            if entry.spec is None:
                continue
            for name, (_, value) in entry.fields.items():
                if name in entry.spec.fields:
                    continue
                own = [known for known, field in entry.spec.fields.items() if field.secret]
                if nearest(name, own) is not None:
                    yield from ((name, scalar) for scalar in scalars(deref(value)))

    @cached_property
    def violations(self) -> Sequence[Violation]:
        """The violations of all connections."""
        return tuple(item for entry in self.connections for item in entry.violations)

    @cached_property
    def _defaults(self) -> dict[str, Connection | None]:
        return {}

    @cached_property
    def _by_family(self) -> Mapping[str, Sequence[Connection]]:
        found: dict[str, list[Connection]] = {}
        for entry in self.connections:
            found.setdefault(entry.family.canonical, []).append(entry)
        return found

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Connection]:
        # The first of two wins.
        return {(entry.family.canonical, entry.alias): entry for entry in self.connections[::-1]}

    def of_family(self, family: str) -> Sequence[Connection]:
        """Return the connections of a family under any of its spellings."""
        return self._by_family.get(self.known_families.canonical(family), ())

    def find(self, family: str, alias: str) -> Connection | None:
        """Return a connection by family (any spelling) and alias, or None."""
        return self._by_name.get((self.known_families.canonical(family), alias))

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
        if family not in self._defaults:
            self._defaults[family] = self._default_of(family)
        return self._defaults[family]

    def _default_of(self, family: str) -> Connection | None:
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
