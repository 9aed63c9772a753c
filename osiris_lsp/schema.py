"""Check nodes against the part of JSON Schema 2020-12 that field definitions use.

Each violation lies on the exact node, a value that holds `${...}` has an unknown type, and only one
branch of an `anyOf` or `oneOf` speaks. Keywords outside that part, and patterns of a stranger's
schema, go to jsonschema-rs, which bounds backtracking and never fetches a `$ref`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from osiris_lsp.refs import has_variable
from osiris_lsp.specs import Schema, nearest
from osiris_lsp.text import Span, lazy, printable
from osiris_lsp.tree import Alias, Map, Node, Scalar, Seq, boolean, deref, number, to_python

Kind = Literal["type", "value", "unknown", "missing", "ambiguous"]

MAX_VISITS: Final = 50_000
"""Nodes that are checked below one root; aliases count each time."""

# Plain scalars that YAML 1.1 (the runtime) and YAML 1.2 read differently, or that look like text.
_AMBIGUOUS: Final = lazy(
    r"y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|[-+]?0[0-7_]+|[-+]?0b[01_]+"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[-+]?[0-9]+_[0-9_]*|\d{4}-\d\d?-\d\d?.*"
)

MAX_REMEMBERED: Final = 20_000
_good: Final[set[tuple[int, str, str]]] = set()

_EXTRA: Final = frozenset(
    (
        "if",
        "not",
        "patternProperties",
        "propertyNames",
        "dependentRequired",
        "dependentSchemas",
        "contains",
        "prefixItems",
        "unevaluatedProperties",
        "unevaluatedItems",
        "multipleOf",
        "minProperties",
        "maxProperties",
    )
)

_NAMES: Final = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "empty",
}


class Violation(NamedTuple):
    """A place where a node does not meet its schema.

    `node` is the offending value (for `unknown` its key, for `missing` the mapping); `name` the
    field; `choices` what would be right instead, where that is a list.
    """

    kind: Kind
    node: Node
    span: Span
    message: str
    name: str
    path: tuple[str | int, ...]
    choices: tuple[str, ...] = ()


class _Check:
    """One run over a root node."""

    def __init__(self, root: Schema, trusted: bool) -> None:
        self.root = root
        self.trusted = trusted
        self.visits = 0

    def check(
        self, node: Node, schema: object, name: str, path: tuple[str | int, ...]
    ) -> Iterator[Violation]:
        """Yield the violations of a node and of all below it."""
        self.visits += 1
        if self.visits > MAX_VISITS or len(path) > 40:
            return
        schema = self.follow(schema)
        if not isinstance(schema, dict) or not schema:
            return
        node = deref(node)
        if is_unknown(node):
            return
        branches = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(branches, list) and any(
            isinstance(branch, dict) and set(branch) - {"required"} for branch in branches
        ):
            yield from self.branches(node, branches, name, path)
        types = _types(schema)
        if types:
            problem = _type_problem(node, types, name, path)
            if problem is not None:
                yield problem
                return
        if isinstance(node, Scalar):
            yield from self.scalar(node, schema, name, path)
        elif isinstance(node, Seq):
            yield from self.sequence(node, schema, name, path)
        elif isinstance(node, Map):
            yield from self.mapping(node, schema, name, path)
        if not self.trusted and not _EXTRA.isdisjoint(schema):
            yield from _foreign(node, schema, self.root, name, path)

    def follow(self, schema: object) -> object:
        """Follow `$ref` inside the root schema; any other target allows everything."""
        for _ in range(20):
            if not isinstance(schema, dict) or "$ref" not in schema:
                return schema
            target = schema["$ref"]
            if not isinstance(target, str) or not target.startswith("#"):
                return {}
            found: object = self.root
            for part in target[1:].strip("/").split("/") if target != "#" else ():
                name = part.replace("~1", "/").replace("~0", "~")
                found = found.get(name) if isinstance(found, dict) else None
            schema = found
        return {}

    def branches(
        self, node: Node, branches: Sequence[object], name: str, path: tuple[str | int, ...]
    ) -> Iterator[Violation]:
        """Let one branch of an `anyOf` or `oneOf` speak: the one that fits the type best."""
        closest: list[Violation] | None = None
        types: list[str] = []
        for branch in branches:
            followed = self.follow(branch)
            found = list(self.check(node, followed, name, path))
            if not found:
                return
            types.extend(_types(followed) if isinstance(followed, dict) else ())
            fits = not (found[0].kind == "type" and found[0].path == path)
            if fits and (closest is None or len(found) < len(closest)):
                closest = found
        if closest is not None:
            yield from closest
            return
        problem = _type_problem(node, tuple(dict.fromkeys(types)), name, path)
        if problem is not None:
            yield problem

    def scalar(
        self, node: Scalar, schema: Schema, name: str, path: tuple[str | int, ...]
    ) -> Iterator[Violation]:
        """Check enum, range, length, pattern and format."""
        options = schema.get("enum")
        if "const" in schema:
            options = [schema["const"]]
        if isinstance(options, list):
            value = to_python(node)
            if not any(type(value) is type(option) and value == option for option in options):
                yield _enum_problem(node, options, schema, name, path)
                return
        message = None
        if node.type in ("int", "float"):
            message = _range_problem(node, schema)
        elif node.type == "str":
            message = _text_problem(node.value, schema, self.trusted)
        if message:
            yield Violation("value", node, node.span, f"`{name}` {message}", name, path)

    def remembered(
        self, node: Scalar, schema: Schema, name: str, path: tuple[str | int, ...]
    ) -> Iterable[Violation]:
        """Check a scalar against a schema of ours; what was found good once is not checked again.

        Values such as `append` and `utf-8` stand in every file. Our schemas live as long as the
        process, so that their identity is a name.
        """
        seen = (id(schema), node.value, node.style)
        if seen in _good:
            return ()
        found = list(self.check(node, schema, name, path))
        if not found and len(_good) < MAX_REMEMBERED and self.root is not schema:
            _good.add(seen)
        return found

    def sequence(
        self, node: Seq, schema: Schema, name: str, path: tuple[str | int, ...]
    ) -> Iterator[Violation]:
        """Check the number of entries, and each of them."""
        low, high = _int(schema, "minItems"), _int(schema, "maxItems")
        if low is not None and len(node.items) < low:
            message = f"`{name}` needs at least {low} {_plural('entry', low)}"
            yield Violation("value", node, node.span, message, name, path)
        if high is not None and len(node.items) > high:
            message = f"`{name}` may have at most {high} {_plural('entry', high)}"
            yield Violation("value", node, node.span, message, name, path)
        if schema.get("uniqueItems") is True:
            seen = set()
            for index, item in enumerate(map(deref, node.items)):
                if isinstance(item, Scalar) and not is_unknown(item):
                    key = (item.type, item.value)
                    if key in seen:
                        message = f"`{name}` lists `{_shown(item.value, schema)}` twice"
                        yield Violation("value", item, item.span, message, name, (*path, index))
                    seen.add(key)
        items = schema.get("items")
        if isinstance(items, dict):
            for index, item in enumerate(node.items):
                yield from self.check(item, items, f"{name}[{index}]", (*path, index))

    def mapping(
        self, node: Map, schema: Schema, name: str, path: tuple[str | int, ...]
    ) -> Iterator[Violation]:
        """Check the fields, unknown and missing ones too."""
        properties = schema.get("properties")
        known: Mapping[str, Any] = properties if isinstance(properties, dict) else {}
        rest = schema.get("additionalProperties")
        fields = node.fields
        for key, (key_node, value) in fields.items():
            if key in known:
                if type(value) is Scalar and self.trusted and value.tag is None:
                    yield from self.remembered(value, known[key], key, (*path, key))
                else:
                    yield from self.check(value, known[key], key, (*path, key))
            elif rest is False:
                message = f"`{printable(key)}` is no field of `{name}`" if name else ""
                yield Violation(
                    "unknown", key_node, key_node.span, message, key, (*path, key), tuple(known)
                )
            elif isinstance(rest, dict):
                yield from self.check(value, rest, key, (*path, key))
        for required in schema.get("required") or ():
            if isinstance(required, str) and required not in fields:
                message = f"`{required}` is missing" + (f" in `{name}`" if name else "")
                yield Violation("missing", node, node.span, message, required, path)


def violations(
    node: Node,
    schema: Schema,
    name: str = "",
    root: Schema | None = None,
    trusted: bool = True,
) -> Iterator[Violation]:
    """Yield where a node does not meet a schema.

    `name` is what messages call the node, `root` the schema that `$ref` points into (default: the
    schema itself), `trusted` False for a schema that came with a project.
    """
    return _Check(schema if root is None else root, trusted).check(node, schema, name, ())


def at(schema: Schema, path: Sequence[str | int]) -> Schema | None:
    """Return the schema of the value at a path, or None where it has no single one."""
    found: object = schema
    for part in path:
        if not isinstance(found, dict):
            return None
        if isinstance(part, int):
            found = found.get("items")
        else:
            fields: Any = found.get("properties")
            known = isinstance(fields, Mapping) and part in fields
            found = fields[part] if known else found.get("additionalProperties")
    return found if isinstance(found, dict) else None


def accepts(schema: Schema, text: str, style: str = "") -> bool:
    """Tell whether a scalar written so would meet a schema."""
    return not any(violations(Scalar(0, len(text), None, None, text, style), schema))


def is_unknown(node: Node) -> bool:
    """Tell whether a value is known only at run time: `${...}`, a foreign tag, a broken piece."""
    if isinstance(node, Scalar):
        return node.type == "unknown" or has_variable(node.value)
    return isinstance(node, Alias) or (node.tag is not None and not node.tag.startswith("tag:yaml"))


def is_ambiguous(node: Scalar) -> bool:
    """Tell whether YAML 1.1 and 1.2 read a plain scalar differently, or it looks like text."""
    return (
        not node.style
        and node.type not in ("str", "unknown", "null")
        and _AMBIGUOUS.fullmatch(node.value) is not None
    )


def _types(schema: Schema) -> tuple[str, ...]:
    listed = schema.get("type")
    if isinstance(listed, str):
        return (listed,)
    if isinstance(listed, list):
        return tuple(item for item in listed if isinstance(item, str))
    return ()


_JSON_TYPE: Final = {
    "null": "null",
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "str": "string",
    "timestamp": "timestamp",
}


def json_type(node: Node) -> str:
    """Return the JSON Schema type of a value as the runtime reads it, or `timestamp`."""
    if isinstance(node, Map):
        return "object"
    if isinstance(node, Seq):
        return "array"
    return _JSON_TYPE.get(node.type, "") if isinstance(node, Scalar) else ""


def _type_problem(
    node: Node, types: tuple[str, ...], name: str, path: tuple[str | int, ...]
) -> Violation | None:
    actual = json_type(node)
    if actual in types or (actual == "integer" and "number" in types):
        if isinstance(node, Scalar) and actual == "integer" and is_ambiguous(node):
            text = f"`{name}: {node.value}` is read as {number(node)}; write that number instead"
            return Violation("ambiguous", node, node.span, text, name, path)
        return None
    if isinstance(node, Scalar) and "string" in types and is_ambiguous(node):
        meaning = {"bool": "a truth value", "timestamp": "a date"}.get(node.type, "a number")
        if node.type == "bool":
            meaning = f"the truth value `{str(boolean(node)).lower()}`"
        elif node.type == "int":
            meaning = f"the number {number(node)}"
        text = f"`{node.value}` is read as {meaning}, but `{name}` is a string; quote it"
        return Violation("ambiguous", node, node.span, text, name, path)
    wanted = " or ".join(_NAMES.get(kind, kind) for kind in types)
    got = {
        "null": "empty",
        "boolean": "a truth value",
        "timestamp": "a date",
    }.get(actual, _NAMES.get(actual, "something else"))
    text = f"`{name}` must be {wanted}, but this is {got}"
    span = node.span
    if isinstance(node, Map | Seq) and not node.flow:
        first = next(iter(node.pairs))[0] if isinstance(node, Map) and node.pairs else node
        span = Span(first.start, first.end if first is not node else min(node.end, node.start + 1))
    return Violation("type", node, span, text, name, path, types)


def _enum_problem(
    node: Scalar, options: Sequence[object], schema: Schema, name: str, path: tuple[str | int, ...]
) -> Violation:
    choices = tuple(
        str(option).lower() if isinstance(option, bool) else str(option) for option in options
    )
    listed = ", ".join(f"`{choice}`" for choice in choices)
    text = (
        f"`{name}` must be {listed}" if len(choices) == 1 else f"`{name}` must be one of {listed}"
    )
    shown = _shown(node.value, schema)
    if shown:
        text += f", not `{shown}`"
    close = nearest(node.value, choices) if shown else None
    if close is not None and len(choices) > 1:
        text += f"; did you mean `{close}`?"
    return Violation("value", node, node.span, text, name, path, choices)


def _shown(value: str, schema: Schema) -> str:
    """Return a value that may be shown in a message, or an empty text."""
    if schema.get("writeOnly") is True or "://" in value or len(value) > 60:
        return ""
    return printable(value)


def _range_problem(node: Scalar, schema: Schema) -> str | None:
    value = number(node)
    if value is None:
        return None
    low, high = _limit(schema, "minimum"), _limit(schema, "maximum")
    above, below = _limit(schema, "exclusiveMinimum"), _limit(schema, "exclusiveMaximum")
    shown = "" if schema.get("writeOnly") is True else f", not {node.value}"
    if low is not None and high is not None and not low <= value <= high:
        return f"must be between {low} and {high}{shown}"
    if low is not None and value < low:
        return f"must be at least {low}{shown}"
    if high is not None and value > high:
        return f"must be at most {high}{shown}"
    if above is not None and value <= above:
        return f"must be greater than {above}{shown}"
    if below is not None and value >= below:
        return f"must be less than {below}{shown}"
    return None


def _limit(schema: Schema, key: str) -> int | float | None:
    value = schema.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _int(schema: Schema, key: str) -> int | None:
    value = schema.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text_problem(value: str, schema: Schema, trusted: bool) -> str | None:
    low, high = _int(schema, "minLength"), _int(schema, "maxLength")
    if low is not None and len(value) < low:
        if not value:
            return "must not be empty"
        return f"must have at least {low} characters, not {len(value)}"
    if high is not None and len(value) > high:
        return f"must have at most {high} {_plural('character', high)}, not {len(value)}"
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not _matches(pattern, value, trusted):
        examples = [str(item) for item in schema.get("examples") or () if "${" not in str(item)]
        return (
            f"must look like `{examples[0]}`" if examples else f"must match `{printable(pattern)}`"
        )
    form = schema.get("format")
    if form == "uri":
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?://[^\s/]|[^/\s])", value) or " " in value:
            return "must be a URL such as `https://api.example.com`"
    elif form == "hostname":
        if "://" in value:
            return "must be a host name without a scheme such as `https://`"
        if not value or re.search(r"[\s/@]", value):
            return "must be a host name such as `db.example.com` or an IP address"
    elif form == "date-time" and not re.match(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d.*)?$", value):
        return "must be a date such as `2024-01-31` or `2024-01-31T12:00:00Z`"
    return None


def _plural(noun: str, count: int) -> str:
    if count == 1:
        return noun
    return "entries" if noun == "entry" else noun + "s"


def _matches(pattern: str, value: str, trusted: bool) -> bool:
    """Match a pattern; a stranger's one runs under a limit, and passes when it exceeds it."""
    if trusted:
        return re.search(pattern, value) is not None and not value.endswith("\n")
    validator = _pattern(pattern)
    if validator is None:
        return True
    try:
        return bool(validator.is_valid(value))
    except ValueError:
        return True


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> Any:
    import jsonschema_rs

    try:
        return jsonschema_rs.validator_for({"pattern": pattern})
    except (ValueError, jsonschema_rs.ValidationError):
        return None


def _refuse(uri: str) -> Any:
    raise ValueError(f"not fetched: {uri}")


def _foreign(
    node: Node, schema: Schema, root: Schema, name: str, path: tuple[str | int, ...]
) -> Iterator[Violation]:
    """Check the keywords that this module does not know with jsonschema-rs."""
    import jsonschema_rs

    extra = {
        key: value for key, value in schema.items() if key in _EXTRA or key in ("then", "else")
    }
    extra["$defs"] = root.get("$defs", {})
    try:
        validator = jsonschema_rs.validator_for(extra, retriever=_refuse)
        errors = list(validator.iter_errors(to_python(node)))
    except (ValueError, TypeError, jsonschema_rs.ValidationError):
        return
    for error in errors:
        place = node
        for part in error.instance_path:
            inner: Node | None = None
            if isinstance(place, Map):
                inner = place.get(str(part))
            elif isinstance(place, Seq) and isinstance(part, int) and part < len(place.items):
                inner = deref(place.items[part])
            if inner is None:
                break
            place = inner
        if any(is_unknown(piece) for piece in _scalars(place)):
            continue
        label = str(error.instance_path[-1]) if error.instance_path else name
        rule = str(error.schema_path[-1]) if error.schema_path else "schema"
        text = f"`{printable(label)}` does not meet `{printable(rule)}` of the component's schema"
        span = place.span if isinstance(place, Scalar) else Span(place.start, place.start)
        yield Violation("value", place, span, text, label, (*path, *error.instance_path))


def _scalars(node: Node) -> Iterator[Node]:
    stack = [node]
    for _ in range(1000):
        if not stack:
            return
        node = deref(stack.pop())
        yield node
        if isinstance(node, Map):
            stack.extend(value for _, value in node.pairs)
        elif isinstance(node, Seq):
            stack.extend(node.items)
