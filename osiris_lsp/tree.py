"""The tree of a YAML text: nodes with spans, and what the runtime reads from them.

The verdict ("does the runtime read this?") and the marks come from PyYAML, because Osiris loads
with PyYAML. Positions are offsets in code points and equal those of ruamel.yaml's composer, after
one trim: a block collection ends where its last child ends, a block scalar without its trailing
white space, and an empty value lies right behind its indicator (`:`, `-` or `?`).
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import yaml

from osiris_lsp.properties import cached_property
from osiris_lsp.text import LineIndex, Span, lazy

MAX_DEPTH: Final = 100
"""Levels of nesting; PyYAML's own constructor recurses and fails not far above."""

ScalarType = Literal["null", "bool", "int", "float", "str", "timestamp", "unknown"]
"""What the runtime makes of a scalar (YAML 1.1); `unknown` for foreign tags and broken values."""

BROKEN: Final = "!broken"
"""The tag of a scalar that stands where the text does not parse."""

_HARMLESS: Final = frozenset(("undefined-anchor", "multiple-documents", "alias-expansion"))
"""Problems of a text that parses."""

_HEADER: Final = lazy(r"[|>][^\r\n]*\s+")

_TAGS: Final[Mapping[str, ScalarType]] = {
    "tag:yaml.org,2002:null": "null",
    "tag:yaml.org,2002:bool": "bool",
    "tag:yaml.org,2002:int": "int",
    "tag:yaml.org,2002:float": "float",
    "tag:yaml.org,2002:str": "str",
    "tag:yaml.org,2002:timestamp": "timestamp",
    "tag:yaml.org,2002:merge": "str",
    "tag:yaml.org,2002:value": "str",
    "tag:yaml.org,2002:binary": "str",
    "!": "str",
}


class Node:
    """A piece of a YAML tree; `start` and `end` are offsets in code points.

    `begin` is where its anchor and tag start, and equals `start` without them.
    """

    __slots__ = ("anchor", "begin", "end", "start", "tag")

    def __init__(self, start: int, end: int, tag: str | None, anchor: str | None) -> None:
        self.begin = start
        self.start = start
        self.end = end
        self.tag = tag
        self.anchor = anchor

    @property
    def span(self) -> Span:
        """The range of the node without its anchor and tag."""
        return Span(self.start, self.end)


class Scalar(Node):
    """A scalar; `value` as YAML reads it, `style` one of `''` (plain), `'`, `"`, `|` and `>`."""

    __slots__ = ("style", "value")

    def __init__(
        self, start: int, end: int, tag: str | None, anchor: str | None, value: str, style: str
    ) -> None:
        self.begin = start
        self.start = start
        self.end = end
        self.tag = tag
        self.anchor = anchor
        self.value = value
        self.style = style

    @property
    def type(self) -> ScalarType:
        """What PyYAML's safe loader makes of the scalar."""
        if self.tag is not None:
            return _TAGS.get(self.tag, "unknown")
        return "str" if self.style else _resolved.get(self.value) or resolve(self.value)

    @property
    def inner(self) -> Span:
        """The range of the content: without quotes or the header of a block scalar."""
        if self.style in ("'", '"') and self.end - self.start >= 2:
            return Span(self.start + 1, self.end - 1)
        return self.span


class Collection(Node):
    """A mapping or a sequence; one that was `moved` makes its content when that is asked for."""

    __slots__ = ("_origin", "flow")

    def __init__(
        self, start: int, end: int, tag: str | None, anchor: str | None, flow: bool
    ) -> None:
        super().__init__(start, end, tag, anchor)
        self.flow = flow
        self._origin: tuple[Any, int] | None = None

    if not TYPE_CHECKING:  # it would hide misspelt names

        def __getattr__(self, name: str) -> object:
            """Make the content, which is what a moved node lacks."""
            with FILLING:
                if self._origin is not None:
                    self._fill(*self._origin)
                    self._origin = None
            return object.__getattribute__(self, name)

    def _fill(self, origin: Any, by: int) -> None:
        """Copy the content of a node from another place."""
        raise NotImplementedError  # a `Map` and a `Seq` do


FILLING: Final = RLock()
"""Two threads may look at the same tree."""


class Map(Collection):
    """A mapping; `pairs` in the order of the text, merge keys (`<<`) included.

    `fields` maps scalar keys to key and value nodes as the runtime sees them: merges are resolved.
    """

    __slots__ = ("fields", "pairs")

    def __init__(
        self, start: int, end: int, tag: str | None, anchor: str | None, flow: bool
    ) -> None:
        super().__init__(start, end, tag, anchor, flow)
        self.pairs: list[tuple[Node, Node]] = []
        self.fields: Mapping[str, tuple[Scalar, Node]] = {}

    def get(self, key: str) -> Node | None:
        """Return the value of a key with aliases followed, or None."""
        entry = self.fields.get(key)
        return None if entry is None else deref(entry[1])

    def _fill(self, origin: Any, by: int) -> None:
        self.pairs = [(moved(key, by), moved(value, by)) for key, value in origin.pairs]
        plain = plain_fields(self)
        self.fields = merged_fields(self) if "<<" in plain else plain


class Seq(Collection):
    """A sequence."""

    __slots__ = ("items",)

    def __init__(
        self, start: int, end: int, tag: str | None, anchor: str | None, flow: bool
    ) -> None:
        super().__init__(start, end, tag, anchor, flow)
        self.items: list[Node] = []

    @property
    def is_empty(self) -> bool:
        """Whether there are no items."""
        return not self.items

    def _fill(self, origin: Any, by: int) -> None:
        self.items = [moved(item, by) for item in origin.items]


class Alias(Node):
    """A `*name`; `target` is None when no such anchor came before."""

    __slots__ = ("name", "target")

    def __init__(self, start: int, end: int, name: str, target: Node | None) -> None:
        super().__init__(start, end, None, None)
        self.name = name
        self.target = target


def plain_fields(node: Map) -> dict[str, tuple[Scalar, Node]]:
    """Return the pairs of a mapping without merge keys by key."""
    # mypy does not narrow a part of a tuple.
    return {pair[0].value: pair for pair in node.pairs if type(pair[0]) is Scalar}  # type: ignore[misc]  # is a Scalar


def merged_fields(node: Map) -> dict[str, tuple[Scalar, Node]]:
    """Return the fields with merge keys resolved; the sources come before, so theirs are ready."""
    own: dict[str, tuple[Scalar, Node]] = {}
    merged: dict[str, tuple[Scalar, Node]] = {}
    for key, value in node.pairs:
        if not isinstance(key, Scalar):
            continue
        if key.value == "<<" and not key.style:
            target = deref(value)
            sources = target.items if isinstance(target, Seq) else [target]
            for source in map(deref, sources):
                if isinstance(source, Map) and source is not node:
                    for name, entry in source.fields.items():
                        merged.setdefault(name, entry)
        else:
            own[key.value] = (key, value)
    return {**merged, **own} if merged else own


def moved(node: Any, by: int) -> Any:
    """Return a copy of a node without anchors at another place; its content follows on demand."""
    kind = type(node)
    copy: Any = object.__new__(kind)
    copy.begin = node.begin + by
    copy.start = node.start + by
    copy.end = node.end + by
    copy.tag = node.tag
    copy.anchor = None
    if kind is Scalar:
        copy.value = node.value
        copy.style = node.style
        return copy
    copy.flow = node.flow
    # Never more than one step away from a node that has its content, whatever was moved since.
    with FILLING:
        origin = node._origin
    copy._origin = (node, by) if origin is None else (origin[0], origin[1] + by)
    return copy


class SyntaxEdit(NamedTuple):
    """A replacement of a range of the text."""

    start: int
    end: int
    new_text: str


class SyntaxProblem(NamedTuple):
    """Something that the runtime's parser refuses; `rule` is the rule that reports it."""

    rule: str
    start: int
    end: int
    message: str
    title: str = ""
    edits: tuple[SyntaxEdit, ...] = ()


class Tree:
    """A parsed text: the documents' roots, and all that was noticed on the way."""

    def __init__(
        self,
        text: str,
        roots: Sequence[Node],
        maps: Sequence[Map],
        anchors: Sequence[tuple[Node, Span]],
        aliases: Sequence[Alias],
        problems: Sequence[SyntaxProblem],
    ) -> None:
        self.text = text
        self.roots = roots
        self._maps = maps
        self.anchors = anchors
        self.aliases = aliases
        self.problems = problems

    @property
    def maps(self) -> Sequence[Map]:
        """Every mapping, inner ones first."""
        return self._maps

    @property
    def extents(self) -> Sequence[Span]:
        """The ranges of the text that the tree speaks of: all of it, if it is not narrowed."""
        return (Span(0, len(self.text)),)

    @cached_property
    def lines(self) -> LineIndex:
        """The line index of the text."""
        return LineIndex(self.text)

    @cached_property
    def is_whole(self) -> bool:
        """Whether the text parses, so that the tree holds all of it."""
        return all(problem.rule in _HARMLESS for problem in self.problems)

    @property
    def root(self) -> Node | None:
        """The root of the first document, or None for a text without one."""
        return self.roots[0] if self.roots else None

    def reach(self, offset: int) -> int | None:
        """Return how far a syntax error at an offset may reach, where that is known."""
        return None

    def key_path(self, offset: int) -> tuple[str | int, ...]:
        """Return the keys and indexes that lead to the innermost node at an offset."""
        for root in self.roots:
            if root.start <= offset <= root.end:
                return tuple(key_path(root, offset))
        return ()

    def value_span(self, node: Scalar, start: int, end: int) -> Span:
        """Return the range in the text of a part of a scalar's value.

        Where the value is not written literally (escapes, folding, several lines) it is the range
        of the whole content, the header of a block scalar left out.
        """
        inner = node.inner
        header = (
            _HEADER.match(self.text, inner.start, inner.end) if node.style in ("|", ">") else None
        )
        if header:
            inner = Span(header.end(), inner.end)
        if self.text[inner.start : inner.end] == node.value:
            return Span(inner.start + start, inner.start + end)
        if "\n" not in node.value[start:end]:
            part = node.value[start:end]
            at = self.text.find(part, inner.start, inner.end) if part else -1
            if at >= 0 and self.text.find(part, at + 1, inner.end) < 0:
                return Span(at, at + len(part))
        return inner

    def scalars(self) -> Iterator[Scalar]:
        """Yield every scalar once, keys included, in the order of the text."""
        stack: list[Node] = list(reversed(self.roots))
        while stack:
            node = stack.pop()
            if isinstance(node, Scalar):
                yield node
            elif isinstance(node, Map):
                for key, value in reversed(node.pairs):
                    stack.append(value)
                    stack.append(key)
            elif isinstance(node, Seq):
                stack.extend(reversed(node.items))


def deref(node: Node) -> Node:
    """Follow an alias to its anchored node; an undefined one is returned as it is."""
    if isinstance(node, Alias) and node.target is not None:
        return node.target
    return node


_resolved: Final[dict[str, ScalarType]] = {}


def resolve(value: str) -> ScalarType:
    """Return the type that PyYAML's safe loader gives to a plain scalar (YAML 1.1)."""
    found = _resolved.get(value)
    if found is None:
        found = "str"
        for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(value[:1], ()):
            if pattern.match(value):
                found = _TAGS[tag]
                break
        if len(_resolved) > 4096:
            _resolved.clear()
        _resolved[value] = found
    return found


def number(node: Scalar) -> int | float | None:
    """Return the number that the runtime reads from an int or float scalar, else None."""
    kind = node.type
    if kind not in ("int", "float"):
        return None
    loader = yaml.constructor.SafeConstructor()
    fake = yaml.ScalarNode(f"tag:yaml.org,2002:{kind}", node.value)
    try:
        read = loader.construct_yaml_int if kind == "int" else loader.construct_yaml_float
        return read(fake)
    except ValueError:
        return None


def boolean(node: Scalar) -> bool | None:
    """Return the truth value that the runtime reads from a bool scalar, else None."""
    if node.type != "bool":
        return None
    return yaml.constructor.SafeConstructor.bool_values.get(node.value.lower())


def children(node: Node) -> Iterator[Node]:
    """Yield the direct children of a node: keys and values, or items."""
    if isinstance(node, Map):
        for key, value in node.pairs:
            yield key
            yield value
    elif isinstance(node, Seq):
        yield from node.items


def key_path(node: Node, offset: int) -> Iterator[str | int]:
    """Yield the keys and indexes that lead from a node to the innermost one at an offset."""
    while True:
        if isinstance(node, Map):
            at = bisect_right(node.pairs, offset, key=_pair_begin) - 1
            if at < 0 or offset > node.pairs[at][1].end:
                return
            key, value = node.pairs[at]
            if key.end < offset < value.begin:
                return
            yield key.value if isinstance(key, Scalar) else "?"
            node = value
        elif isinstance(node, Seq):
            at = bisect_right(node.items, offset, key=_begin) - 1
            if at < 0 or offset > node.items[at].end:
                return
            yield at
            node = node.items[at]
        else:
            return


def _begin(node: Node) -> int:
    return node.begin


def _pair_begin(pair: tuple[Node, Node]) -> int:
    return pair[0].begin


def to_python(node: Node | None, budget: int = 20_000) -> Any:
    """Return the plain value of a tree as the runtime reads it; None beyond `budget` nodes.

    Foreign tags, undefined aliases and values that do not convert give None.
    """
    remaining = [budget]
    return _to_python(node, remaining, 0)


def _to_python(node: Node | None, remaining: list[int], depth: int) -> Any:
    remaining[0] -= 1
    if node is None or remaining[0] < 0 or depth > MAX_DEPTH:
        return None
    node = deref(node)
    if isinstance(node, Scalar):
        kind = node.type
        if kind in ("int", "float"):
            return number(node)
        if kind == "bool":
            return boolean(node)
        return None if kind in ("null", "unknown") else node.value
    if isinstance(node, Map):
        return {
            name: _to_python(value, remaining, depth + 1)
            for name, (_, value) in node.fields.items()
        }
    if isinstance(node, Seq):
        return [_to_python(item, remaining, depth + 1) for item in node.items]
    return None
