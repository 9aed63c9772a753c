"""What several rules ask about a step's config: its connection, its keys, how they fit together."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from osiris_lsp import sql
from osiris_lsp.documents import MODES, PipelineDocument, Step, sanitized
from osiris_lsp.edits import remove_field
from osiris_lsp.finding import Edit
from osiris_lsp.project import Project
from osiris_lsp.refs import has_variable, parse_reference
from osiris_lsp.schema import is_unknown, violations
from osiris_lsp.specs import ALWAYS_KNOWN, WRITE_KEYS, ComponentSpec, Constraint, nearest
from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import Alias, Map, Node, Scalar, Seq, deref, to_python

_KEYED_MODES: Final = ("replace", "upsert")
_DRIVE: Final = lazy(r"[A-Za-z]:[\\/]")
_UNKNOWN: Final = object()


def listed(names: Sequence[str]) -> str:
    """Return names in backticks as a list for a sentence."""
    ticked = [f"`{name}`" for name in names]
    return ticked[0] if len(ticked) == 1 else f"{', '.join(ticked[:-1])} and {ticked[-1]}"


def values_of(step: Step) -> Mapping[str, Node]:
    """Return the values of a step's config with aliases followed."""
    fields = step.config.fields if step.config is not None else {}
    return {name: deref(value) for name, (_, value) in fields.items()}


def owns(step: Step, key: str) -> bool:
    """Tell whether a config key is written in the step itself, so that an edit changes only it."""
    config = step.config
    if config is None or config.anchor or step.fields["config"][1] is not config:
        return False
    if step.node is not step.item or step.item.anchor:
        return False
    if any(isinstance(node, Scalar) and node.value == "<<" for node, _ in config.pairs):
        return False  # what is merged could give the key as well
    pairs = [
        value for node, value in config.pairs if isinstance(node, Scalar) and node.value == key
    ]
    return len(pairs) == 1 and deref(pairs[0]) is pairs[0] and pairs[0].anchor is None


def removal(document: PipelineDocument, step: Step, key: str) -> Edit | None:
    """Return the edit that removes a key from a config, or None where it would not be gone."""
    config = step.config
    if config is None or not owns(step, key) or is_half_typed(document, step):
        return None
    return remove_field(document, config, config.fields[key][0])


def place(document: PipelineDocument, step: Step, key: str, span: Span) -> Span:
    """Return where a finding about a config value lies: at the alias that gives it another key."""
    written = step.config.fields[key][1] if step.config is not None else None
    if isinstance(written, Alias) and document.tree.key_path(span.start)[-1:] != (key,):
        return written.span
    return span


def is_half_typed(document: PipelineDocument, step: Step) -> bool:
    """Tell whether a piece of a step does not parse, so that what seems to lack may be there."""
    if not document.tree.problems:
        return False
    end = document.tree.reach(step.item.start)
    if end is None:
        following = document.whole.steps[step.index + 1 : step.index + 2]
        end = following[0].item.start - 1 if following else len(document.text)
    return document.is_broken(step.item.start, end)


def is_connected(document: PipelineDocument, step: Step, project: Project) -> bool:
    """Tell whether a connection gives a step its fields: one that it names, or the default."""
    if step.config is not None and "connection" in step.config.fields:
        return True
    connections = project.connections_for(document.path)
    if step.spec is None or connections is None:
        return False
    # Whether connections that nobody can choose from are wrong is for `no-default-connection`.
    given = step.lacks_connection and connections.of_family(step.spec.family_spelling)
    return (
        bool(given)
        or connections.default_of(step.spec.family_spelling) is not None
        or connections.is_broken(0, len(connections.text))
    )


def proposal(document: PipelineDocument, step: Step, project: Project) -> str | None:
    """Return the reference that a step would most likely name, or None where there is none."""
    connections = project.connections_for(document.path)
    if connections is None or step.spec is None:
        return None
    family = step.spec.family_spelling
    entries = connections.of_family(family)
    if not entries:
        return None
    entry = connections.default_of(family) or entries[0]
    reference = parse_reference(f"@{family}.{entry.alias}")
    return str(reference) if reference is not None and reference.strict else None


def misspelt(step: Step) -> Mapping[str, str | None]:
    """Return the config keys that the component does not know, with what each most likely means."""
    if step.spec is None or step.config is None:
        return {}
    unknown = [
        item.name for item in step.violations if item.kind == "unknown" and len(item.path) == 1
    ]
    if not unknown:
        return {}
    accepted = [*step.spec.known, *ALWAYS_KNOWN[:1], *step.spec.connection_fields]
    found: dict[str, str | None] = {}
    for name in unknown:
        if name in step.spec.connection_fields:
            continue
        close = step.spec.aliases.get(name) or nearest(name, [*accepted, *step.spec.aliases])
        close = step.spec.aliases.get(close, close) if close is not None else None
        found[name] = close if close in accepted else None
    return found


def write_mode(step: Step, values: Mapping[str, Node]) -> tuple[str, Scalar] | None:
    """Return the key and value of a writer's mode where that mode needs key columns, else None."""
    name = step.component.value if step.component is not None else ""
    if not name.endswith(".writer") or name.startswith("filesystem."):
        return None
    key = "write_mode"
    if key not in values and step.spec is not None and "mode" in step.spec.known:
        key = "mode"
    node = values.get(key)
    if isinstance(node, Scalar) and node.type == "str" and node.value in _KEYED_MODES:
        return key, node
    return None


def has_write_key(values: Mapping[str, Node]) -> bool:
    """Tell whether a config names the columns that identify a row."""
    for key in WRITE_KEYS:
        node = values.get(key)
        if isinstance(node, Scalar) and (node.type != "str" or node.value):
            if node.type != "null":
                return True
        elif isinstance(node, Map) or (isinstance(node, Seq) and node.items):
            return True
    return False


def takes_query_or_table(spec: ComponentSpec) -> bool:
    """Tell whether a component reads either what `query` selects or a whole `table`."""
    known, required = spec.known, spec.required
    return (
        "query" in known
        and "table" in known
        and "query" not in required
        and "table" not in required
    )


def is_given(node: Node | None) -> bool:
    """Tell whether a value is there and not empty."""
    return node is not None and not (isinstance(node, Scalar) and node.type == "null")


class Unmet(NamedTuple):
    """A constraint that a config does not meet; `key` is the config key to look at, if any."""

    constraint: Constraint
    key: str | None


def unmet(spec: ComponentSpec, values: Mapping[str, Node], connected: bool) -> Iterator[Unmet]:
    """Yield the constraints of a component that a config does not meet.

    What only a connection or a variable decides counts as met; so do those that rules of their own
    cover.
    """
    for constraint in spec.own_constraints:
        if not all(
            _equals(_value(spec, values, key, connected), wanted)
            for key, wanted in constraint.when.items()
        ):
            continue
        for key, wanted in constraint.must.items():
            if _meets(spec, values, key, wanted, connected):
                continue
            places = [name for name in (key, *constraint.when) if is_given(values.get(name))]
            yield Unmet(constraint, places[0] if places else None)
            break


def _value(spec: ComponentSpec, values: Mapping[str, Node], key: str, connected: bool) -> object:
    """Return a node, the plain default, None for nothing, or `_UNKNOWN`."""
    node = values.get(key)
    if node is not None and is_given(node):
        return _UNKNOWN if is_unknown(node) else node
    if connected and key in spec.connection_fields:
        return _UNKNOWN
    schema = spec.known.get(key)
    return schema.get("default") if isinstance(schema, Mapping) else None


def _equals(value: object, wanted: object) -> bool:
    if value is _UNKNOWN:
        return False
    plain = to_python(value) if isinstance(value, Node) else value
    return type(plain) is type(wanted) and plain == wanted


def _meets(
    spec: ComponentSpec, values: Mapping[str, Node], key: str, wanted: object, connected: bool
) -> bool:
    value = _value(spec, values, key, connected)
    if value is _UNKNOWN:
        return True
    if not isinstance(wanted, Mapping):
        return _equals(value, wanted)
    node = value if isinstance(value, Node) else _as_node(value)
    if node is None:
        return value is not None
    found = violations(node, wanted, key, spec.schema, trusted=spec.path is None)
    return all(item.kind == "ambiguous" for item in found)


def _as_node(value: object) -> Scalar | None:
    """Return a plain default as a node, or None for what is no scalar."""
    if isinstance(value, str):
        return Scalar(0, 0, None, None, value, '"')
    if isinstance(value, bool | int | float):
        return Scalar(0, 0, None, None, str(value).lower(), "")
    return None


def clashes(step: Step, values: Mapping[str, Node], connected: bool) -> frozenset[str]:
    """Return what is wrong between the keys of a config, as names to compare before and after."""
    spec = step.spec
    found: set[str] = set()
    if write_mode(step, values) and not has_write_key(values):
        found.add("write key")
    if spec is not None:
        if takes_query_or_table(spec):
            given = [name for name in ("query", "table") if is_given(values.get(name))]
            if len(given) != 1:
                found.add(f"query or table: {len(given)}")
        found.update(repr(item.constraint) for item in unmet(spec, values, connected))
    if _text(values.get("delimiter"), ",") == _text(values.get("quotechar"), '"'):
        found.add("quotechar")
    return frozenset(found)


def _text(node: Node | None, default: str) -> str:
    return node.value if isinstance(node, Scalar) and node.type == "str" else default


def may_set(
    document: PipelineDocument,
    step: Step,
    project: Project,
    key: str,
    value: Node,
    instead: str | None = None,
) -> bool:
    """Tell whether a fix may set a config key (and drop `instead`) without a new finding."""
    spec = step.spec
    if spec is None or key not in spec.known or key in spec.connection_fields:
        return False
    if is_half_typed(document, step):
        return False
    before = values_of(step)
    after = {name: node for name, node in before.items() if name != instead}
    after[key] = value
    connected = is_connected(document, step, project)
    if not clashes(step, after, connected) <= clashes(step, before, connected):
        return False
    if next(violations(value, spec.known[key], key, spec.schema, spec.path is None), None):
        return False
    if key == "path" and spec.name.startswith("filesystem."):
        return isinstance(value, Scalar) and not leaves_base(value.value, None)
    if key == "query" and isinstance(value, Scalar):
        return query_offence(step, value) is None and not unknown_tables(document, step, value)
    return True


def is_absolute(path: str) -> bool:
    """Tell whether a path starts at the root of a file system, of Windows too."""
    return path.startswith(("/", "\\")) or _DRIVE.match(path) is not None


def may_run(document: PipelineDocument, step: Step, project: Project, spec: ComponentSpec) -> bool:
    """Tell whether a step would have no new findings with another component."""
    trial = Step(step.index, step.item, document.components)
    trial.spec = spec
    mode = trial.scalar("mode")
    if mode is not None and mode.value in MODES and mode.value not in spec.step_modes:
        return False
    if trial.misfit(project.families) is not None:
        return False
    connections = project.connections_for(document.path)
    if trial.lacks_connection and (
        connections is None or connections.default_of(spec.family_spelling) is None
    ):
        return False
    connected = is_connected(document, trial, project)
    given = {*ALWAYS_KNOWN, *(spec.connection_fields if connected else ())}
    values = values_of(trial)
    if not clashes(trial, values, connected) <= clashes(step, values, connected):
        return False
    if connected and any(name in spec.connection_fields for name in values):
        return False
    return all(name in values or name in given for name in spec.required) and not any(
        item.kind in ("unknown", "type", "value") and item.name not in given
        for item in trial.violations
    )


def leaves_base(path: str, base: str | None) -> bool:
    """Tell whether a path below a base folder leads out of it; neither is looked up on disk."""
    if "://" in path:
        return False
    if is_absolute(path):
        if base is None or not path.startswith("/") or not base.startswith("/"):
            return True
        folder = os.path.normpath(base).rstrip("/") + "/"
        return not (os.path.normpath(path) + "/").startswith(folder)
    depth = 0
    for part in re.split(r"[\\/]", path):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0:
            return True
    return False


def query_offence(step: Step, node: Scalar) -> sql.Offence | None:
    """Return what makes the query of a step that reads more than a read, or None."""
    name = step.component.value if step.component is not None else ""
    mode = step.scalar("mode")
    reads = name.endswith(".extractor") or (mode is not None and mode.value == "read")
    dialect = _dialect(name)
    if not reads or dialect is None or node.type != "str":
        return None
    return sql.offence(node.value, dialect)


def _dialect(name: str) -> str | None:
    spelling = name.partition(".")[0]
    found = sql.DIALECTS.get(spelling)
    return found or {"mariadb": "mysql", "postgresql": "postgres"}.get(spelling)


def upstream(document: PipelineDocument, step: Step) -> Sequence[str] | None:
    """Return the ids of the steps that a step takes its data from, or None where nobody can tell.

    Without `needs` it is the step before.
    """
    if "inputs" in step.fields:
        return None
    if "needs" not in step.fields:
        if step.index == 0:
            return []
        before = document.whole.steps[step.index - 1].id
        return None if before is None else [before]
    ids = [node.value for node in step.needs if node.type != "null"]
    if any(has_variable(name) or name not in document.whole.names for name in ids):
        return None
    return list(dict.fromkeys(ids))


def tables_of(ids: Sequence[str]) -> Sequence[str]:
    """Return the DuckDB tables that hold the results of steps, the one to prefer first."""
    names = [sanitized(name) for name in ids]
    return ["input_df", *names] if len(names) == 1 else names


def unknown_tables(
    document: PipelineDocument, step: Step, node: Scalar, ids: Sequence[str] | None = None
) -> Sequence[sql.Relation]:
    """Return the tables in the query of a DuckDB step that none of the steps `ids` provides.

    Without `ids` they are the steps that it takes its data from.
    """
    name = step.component.value if step.component is not None else ""
    if name != "duckdb.processor":
        return ()
    if ids is None:
        ids = upstream(document, step)
    if ids is None or node.type != "str":
        return ()
    return _unknown_tables(node.value, tuple(ids))


# Editors ask again and again; a query seldom changes.
@lru_cache(maxsize=2048)
def _unknown_tables(query: str, ids: tuple[str, ...]) -> Sequence[sql.Relation]:
    # The runtime puts one more underscore before an id that starts with a digit.
    digits = [f"df__{table[3:]}" for table in tables_of(ids) if table[3:4].isdigit()]
    known = {table.lower() for table in (*tables_of(ids), *digits)}
    return sql.relations(query, "duckdb", known)
