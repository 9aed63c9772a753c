"""The order of keys: what is missing first, what has no place left out."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from osiris_lsp.configs import takes_query_or_table
from osiris_lsp.specs import ComponentSpec, FamilySpec


class Order(NamedTuple):
    """Keys that come first, those that must be there, and those that are not to be proposed."""

    first: Sequence[str]
    needed: Collection[str]
    never: Collection[str]


def connection_order(family: FamilySpec, given: set[str]) -> Order:
    """Return the order of the fields of a connection: what is missing, then what would do too."""
    present = {family.canonical(name) for name in given}
    never = {name for name in family.fields if family.canonical(name) in present}
    for names in family.conflicts:
        if present.intersection(names):
            never.update(names)
    open_ = [
        group
        for group in family.requirements
        if not any(present.issuperset(option) for option in group)
    ]
    needed = [name for group in open_ for name in group[0]]
    others = [name for group in open_ for option in group[1:] for name in option]
    return Order(tuple(dict.fromkeys((*needed, *others))), needed, never)


def config_order(spec: ComponentSpec, given: set[str], needed: Sequence[str]) -> Order:
    """Return the order of config keys; what a connection gives is left out where one is named."""
    never = {"resolved_connection"}
    first = [name for name in needed if name not in spec.connection_fields]
    if "connection" in given:
        never.update(spec.connection_fields)
    elif not spec.connection_fields:
        never.add("connection")
    elif "connection" not in first and any(name in spec.connection_fields for name in needed):
        first.insert(0, "connection")
    if takes_query_or_table(spec):
        if given.intersection(("query", "table")):
            never.update(("query", "table"))
        else:
            first += ["table", "query"]
    must = [name for name in first if name not in ("query", "table")]
    return Order(first, must, never)
