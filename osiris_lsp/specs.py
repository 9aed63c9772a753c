"""What `schemas/` and component specs say: families, components and their fields."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final, Literal, NamedTuple, cast

from osiris_lsp.properties import cached_property

Schema = Mapping[str, Any]
"""A JSON Schema 2020-12 as read from JSON or YAML."""

Policy = Literal["allowed", "warning", "forbidden"]
"""Whether a step may override a field that its connection provides."""

_PACKAGED: Final = os.path.join(os.path.dirname(__file__), "_schemas")
_CHECKOUT: Final = os.path.join(os.path.dirname(os.path.dirname(__file__)), "schemas")


def schema_folder() -> str:
    """Return the folder of the schemas: inside the wheel, or in a checkout beside the package."""
    return _PACKAGED if os.path.isdir(_PACKAGED) else _CHECKOUT


@cache
def load_schema(name: str) -> Schema:
    """Read a schema of ours, such as `families/mysql`; raises OSError if there is none."""
    with open(os.path.join(schema_folder(), *name.split("/")) + ".json", encoding="utf-8") as file:
        return cast(Schema, json.load(file))


def schema_names(folder: str) -> list[str]:
    """Return the names of the schemas in a folder of ours, in order."""
    entries = os.listdir(os.path.join(schema_folder(), folder))
    return sorted(name[:-5] for name in entries if name.endswith(".json"))


@cache
def step_schema() -> Schema:
    """Return the schema of a step of a pipeline."""
    return cast(Schema, load_schema("pipeline")["$defs"]["step"])


@cache
def component_modes() -> Mapping[str, Sequence[str]]:
    """Return the modes of a step to those of a component that serve it."""
    modes = step_schema()["properties"]["mode"]["x-component-modes"]
    return cast(Mapping[str, Sequence[str]], modes)


class FieldSpec(NamedTuple):
    """A field of a connection or of a component's config.

    `canonical` names the field to use instead of a deprecated spelling.
    """

    name: str
    schema: Schema
    secret: bool
    canonical: str | None

    @property
    def description(self) -> str:
        """What the field means, for hovers and docs."""
        return str(self.schema.get("description", ""))


class Section:
    """The fields of a connection, or of a mapping inside it, as a schema of a stranger may say.

    `current` maps older spellings to the current one, `conflicts` holds groups of fields that
    exclude each other with the preferred one first, `inner` the sections of fields that may be
    mappings, and `secret` the names of fields that hold secrets which are not meant to be public.
    """

    def __init__(self, schema: Schema, depth: int = 0) -> None:
        self.schema = schema
        listed = schema.get("properties")
        self.fields: Mapping[str, Schema] = {
            str(name): field
            for name, field in (listed.items() if isinstance(listed, Mapping) else ())
            if isinstance(field, Mapping)
        }
        self.current: Mapping[str, str] = {
            name: str(field["x-canonical"])
            for name, field in self.fields.items()
            if "x-canonical" in field
        }
        self.conflicts = tuple(
            tuple(map(str, _sequence(group))) for group in _sequence(schema.get("x-conflicts"))
        )
        self.secret = frozenset(
            name
            for name, field in self.fields.items()
            if field.get("x-secret-values") is True
            or (field.get("writeOnly") is True and not field.get("x-publishable"))
        )
        self.inner: dict[str, list[Section]] = {}
        for name, field in self.fields.items() if depth < 5 else ():
            for branch in (field, *_sequence(field.get("anyOf")), *_sequence(field.get("oneOf"))):
                if isinstance(branch, Mapping) and "properties" in branch:
                    self.inner.setdefault(name, []).append(Section(branch, depth + 1))

    def spelling(self, name: str) -> str:
        """Return the current spelling of a field."""
        return self.current.get(name, name)


class FamilySpec:
    """A family of connections, read from its JSON Schema."""

    def __init__(self, schema: Schema, name: str | None = None, builtin: bool = True) -> None:
        self.schema = schema
        self.builtin = builtin
        self.name = str(schema.get("x-family") or name or "")
        self.aliases = tuple(map(str, schema.get("x-aliases", ())))
        self.title = str(schema.get("title", self.name))
        self.description = str(schema.get("description", ""))

    @cached_property
    def fields(self) -> Mapping[str, FieldSpec]:
        """All fields by name: those shared by every family last."""
        shared = load_schema("connections")["$defs"]["connection"]["properties"]
        own = self.schema.get("properties", {})
        return {
            name: FieldSpec(
                name,
                schema,
                schema.get("writeOnly") is True,
                schema.get("x-canonical"),
            )
            for name, schema in {**own, **{k: v for k, v in shared.items() if k not in own}}.items()
            if isinstance(schema, Mapping)
        }

    @cached_property
    def requirements(self) -> Sequence[Sequence[tuple[str, ...]]]:
        """Groups that must each be met by one of their alternatives; the preferred one first."""
        return tuple(_requirements(self.schema))

    @property
    def conflicts(self) -> Sequence[tuple[str, ...]]:
        """Fields that exclude each other."""
        return tuple(tuple(map(str, pair)) for pair in self.schema.get("x-conflicts", ()))

    @cached_property
    def effective_schema(self) -> Schema:
        """The schema of one connection with the shared fields in it."""
        properties = {name: field.schema for name, field in self.fields.items()}
        return {**self.schema, "properties": properties}

    @cached_property
    def section(self) -> Section:
        """The fields of one connection, those inside mappings included."""
        return Section(self.effective_schema)

    def canonical(self, field: str) -> str:
        """Return the canonical spelling of a field."""
        spec = self.fields.get(field)
        return field if spec is None or spec.canonical is None else spec.canonical


def _secret_names(section: Section) -> Iterator[str]:
    yield from section.secret
    for inner in section.inner.values():
        for below in inner:
            yield from _secret_names(below)


def _requirements(schema: Schema) -> Iterator[Sequence[tuple[str, ...]]]:
    for name in schema.get("required", ()):
        yield ((str(name),),)
    for group in (schema, *schema.get("allOf", ())):
        if not isinstance(group, Mapping):
            continue
        alternatives = tuple(
            tuple(map(str, option["required"]))
            for option in (*group.get("anyOf", ()), *group.get("oneOf", ()))
            if isinstance(option, Mapping) and option.get("required")
        )
        if alternatives:
            yield alternatives
        elif group is not schema and group.get("required"):
            for name in group["required"]:
                yield ((str(name),),)


class Families(Mapping[str, FamilySpec]):
    """Families by canonical name; `find` also takes the accepted spellings."""

    def __init__(self, own: Iterable[FamilySpec] = ()) -> None:
        self._own = {family.name: family for family in own}
        self._known: dict[str, FamilySpec] = {}

    def __getitem__(self, name: str) -> FamilySpec:
        """Return a family by its canonical name."""
        own = self._own.get(name)
        if own is not None:
            return own
        if name in _builtin_names():
            return _builtin_family(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the canonical names in order."""
        return iter(sorted({*_builtin_names(), *self._own}))

    def __len__(self) -> int:
        """Return the number of families."""
        return len({*_builtin_names(), *self._own})

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Every accepted spelling to its canonical name."""
        found = {}
        for name in self:
            for alias in (*self[name].aliases, name):
                found[alias] = name
        return found

    def find(self, spelling: str) -> FamilySpec | None:
        """Return a family by any accepted spelling, or None."""
        known = self._known.get(spelling)
        if known is not None:
            return known
        name = spelling if spelling in self else self.spellings.get(spelling)
        if name is None:
            return None
        found = self._known[spelling] = self[name]
        return found

    @cached_property
    def secret_names(self) -> frozenset[str]:
        """The names of all fields that a family declares secret."""
        return frozenset(name for spec in self.values() for name in _secret_names(spec.section))

    def canonical(self, spelling: str) -> str:
        """Return the canonical name of a spelling; an unknown one is returned as it is."""
        family = self.find(spelling)
        return spelling if family is None else family.name


@cache
def _builtin_names() -> frozenset[str]:
    return frozenset(schema_names("families"))


@cache
def _builtin_family(name: str) -> FamilySpec:
    return FamilySpec(load_schema(f"families/{name}"), name)


class Constraint(NamedTuple):
    """A rule over several config keys of a component: when all of `when` hold, `must` must."""

    when: Mapping[str, Any]
    must: Mapping[str, Schema | Any]
    error: str

    @property
    def is_query_or_table(self) -> bool:
        """Whether it asks for `table` where there is no `query`, or the other way round."""
        names = {*self.when, *self.must}
        return names == {"query", "table"} and set(self.when.values()) == {None}

    @property
    def is_write_key(self) -> bool:
        """Whether it asks for a key because of a write mode."""
        modes = {"write_mode", "mode"}
        return bool(self.when) and set(self.when) <= modes and set(self.must) <= set(WRITE_KEYS)


ALWAYS_KNOWN: Final = ("connection", "resolved_connection")
"""Config keys that every component may have as far as its schema goes."""

WRITE_KEYS: Final = ("primary_key", "upsert_keys")
"""Config keys that hold the key columns of a writer."""


class ComponentSpec:
    """A component as its spec describes it; `path` is the file of a project's own one."""

    def __init__(
        self, data: Mapping[str, Any], path: str | None = None, base: "ComponentSpec | None" = None
    ) -> None:
        self.data = data
        self.path = path
        self.base = base
        self.name = str(data.get("name", ""))
        self.title = str(data.get("title", self.name))
        self.description = str(data.get("description", ""))
        self.modes = tuple(str(mode) for mode in _sequence(data.get("modes")))
        schema = data.get("configSchema")
        self.schema: Schema = schema if isinstance(schema, Mapping) else {}
        properties = self.schema.get("properties")
        self.properties: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
        self.required = tuple(str(name) for name in _sequence(self.schema.get("required")))
        self.open = self.schema.get("additionalProperties", True) is not False

    @property
    def family_spelling(self) -> str:
        """The part of the name before the first dot, which names the family."""
        return self.name.partition(".")[0]

    @cached_property
    def known(self) -> Mapping[str, Any]:
        """Schemas of all accepted config keys.

        A project's copy of a component that we know may lack keys that its driver accepts, so
        those of the built-in spec count too.
        """
        if self.base is None:
            return self.properties
        return {**self.base.properties, **self.properties}

    @cached_property
    def config(self) -> Schema:
        """The schema of a step's config; which keys must be there depends on more than that."""
        always: Schema = {} if self.open else {name: {} for name in ALWAYS_KNOWN}
        return {
            **self.schema,
            "type": "object",
            "properties": {**always, **self.known},
            "required": (),
        }

    @cached_property
    def step_modes(self) -> tuple[str, ...]:
        """Modes of a step (`read`, `write`, `transform`) that the component can do."""
        own = set(self.modes)
        return tuple(mode for mode, words in component_modes().items() if own & set(words))

    @cached_property
    def connection_fields(self) -> Mapping[str, Policy]:
        """Fields that a connection provides, with the policy for overriding them.

        Without `x-connection-fields` the declared secrets are forbidden to override.
        """
        listed = self.data.get("x-connection-fields")
        if not isinstance(listed, Sequence) or isinstance(listed, str):
            if self.base is not None:
                return self.base.connection_fields
            return {
                pointer[1:]: "forbidden" for pointer in self._pointers if "/" not in pointer[1:]
            }
        found: dict[str, Policy] = {}
        for item in listed:
            if isinstance(item, str):
                found[item] = "allowed"
            elif isinstance(item, Mapping) and isinstance(item.get("name"), str):
                policy = item.get("override", "allowed")
                found[item["name"]] = (
                    policy if policy in ("allowed", "warning", "forbidden") else "allowed"
                )
        return found

    @cached_property
    def _pointers(self) -> tuple[str, ...]:
        listed = [*_sequence(self.data.get("secrets")), *_sequence(self.data.get("x-secret"))]
        return tuple(item for item in listed if isinstance(item, str) and item.startswith("/"))

    @cached_property
    def secrets(self) -> Sequence[tuple[str, ...]]:
        """Key paths inside `config` that hold a secret, in order."""
        own = {
            tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))
            for pointer in self._pointers
        }
        for name, schema in self.properties.items():
            if isinstance(schema, Mapping) and schema.get("writeOnly") is True:
                own.add((name,))
        return sorted(own.union(self.base.secrets if self.base else ()))

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Other words for config keys (`llmHints.inputAliases`) to the key that is meant."""
        found: dict[str, str] = dict(self.base.aliases) if self.base else {}
        hints = self.data.get("llmHints")
        listed = hints.get("inputAliases") if isinstance(hints, Mapping) else None
        if isinstance(listed, Mapping):
            for key, words in listed.items():
                for word in _sequence(words):
                    found.setdefault(str(word), str(key))
        return found

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """Well-formed entries of `constraints.required`."""
        section = self.data.get("constraints")
        listed = section.get("required") if isinstance(section, Mapping) else None
        return tuple(
            Constraint(item["when"], item["must"], str(item.get("error", "")))
            for item in _sequence(listed)
            if isinstance(item, Mapping)
            and isinstance(item.get("when"), Mapping)
            and isinstance(item.get("must"), Mapping)
        )

    @cached_property
    def own_constraints(self) -> tuple[Constraint, ...]:
        """The constraints that no rule of its own covers."""
        return tuple(
            item for item in self.constraints if not (item.is_query_or_table or item.is_write_key)
        )


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


@cache
def builtin_components() -> Mapping[str, ComponentSpec]:
    """Return the components that ship with osiris-lsp, by name."""
    return {
        name: ComponentSpec(load_schema(f"components/{name}"))
        for name in schema_names("components")
    }


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that a misspelt word most likely means, or None."""
    return _nearest(word, tuple(choices))


# The same slip is often made at many places of a file.
@lru_cache(maxsize=512)
def _nearest(word: str, choices: tuple[str, ...]) -> str | None:
    from difflib import SequenceMatcher

    folded = word.casefold().replace("-", "_")
    others = [choice.casefold().replace("-", "_") for choice in choices]
    if folded in others:
        return choices[others.index(folded)]
    slips = [_one_slip(folded, other) for other in others]
    best, score = None, 0.9 if any(slips) else _CLOSE
    matcher = SequenceMatcher(None, "", folded)
    for choice, other, slip in zip(choices, others, slips, strict=True):
        # The bounds are quick, and most are far off.
        length = len(folded) + len(other)
        if not slip and 2 * min(len(folded), len(other)) < score * length:
            continue
        matcher.set_seq1(other)
        if not slip and matcher.quick_ratio() < score:
            continue
        ratio = max(matcher.ratio(), 0.9 if slip else 0.0)
        if ratio > score or (best is None and ratio == score):
            best, score = choice, ratio
    return best


_CLOSE: Final = 0.72
"""How much alike two words are at least where one may be a slip for the other."""


def _one_slip(a: str, b: str) -> bool:
    """Tell whether one letter was added, left out, changed or swapped with its neighbour."""
    if abs(len(a) - len(b)) > 1 or min(len(a), len(b)) < 2:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    return (
        a[start + 1 :] == b[start + 1 :]
        or a[start + 1 :] == b[start:]
        or a[start:] == b[start + 1 :]
        or (a[start : start + 2] == b[start : start + 2][::-1] and a[start + 2 :] == b[start + 2 :])
    )


def secret_names(specs: object) -> frozenset[str]:
    """Return the names of the fields that families, or components, declare secret."""
    if isinstance(specs, Families):
        return specs.secret_names
    found = specs.values() if isinstance(specs, Mapping) else ()
    return frozenset(
        way[-1] for spec in found if isinstance(spec, ComponentSpec) for way in spec.secrets
    )
