"""The pieces of a text once they are read: nodes that can be taken to another place."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from osiris_lsp.text import Span
from osiris_lsp.tree import (
    FILLING,
    Map,
    Node,
    Scalar,
    Seq,
    SyntaxEdit,
    SyntaxProblem,
    children,
    moved,
)

Entry = Node | tuple[Node, Node]
"""An item of a list, or a key with its value."""


class Identity:
    """What is the same for the same piece at another place, and what others know about it.

    `sketch` and `problems` are its entries and problems where it was read: at `start`. `is_named`
    says whether it is a connection, or a step with an id; `is_regular`, whether it is no
    connection that is something else than a mapping. `outline` is what others may ask about a
    step or connection: equal for those that differ in other things only.
    """

    __slots__ = (
        "is_named",
        "is_regular",
        "outline",
        "problems",
        "secrets",
        "sketch",
        "start",
        "usage",
        "views",
    )

    def __init__(
        self, start: int, entries: Sequence[Entry], problems: Sequence[SyntaxProblem] = ()
    ) -> None:
        self.start = start
        self.sketch = entries
        self.problems = problems
        self.is_named = all(map(_is_named, entries))
        self.is_regular = all(map(_is_regular, entries))
        self.outline = [_outline(entry) for entry in entries]
        self.secrets: tuple[object, str, Sequence[Span]] | None = None
        self.usage: tuple[object, object, Sequence[Any]] | None = None
        # What a document made of the sketch, as it was numbered then.
        self.views: tuple[object, Sequence[Any]] | None = None


def nodes_of(entries: Iterable[Entry]) -> Iterator[Node]:
    """Yield items, or keys and values."""
    for entry in entries:
        yield from entry if isinstance(entry, tuple) else (entry,)


class Part:
    """A piece that was read, at its place in a text.

    It holds one entry, and where the text is `broken` what is left of it.
    """

    __slots__ = ("_entries", "broken", "end", "identity", "start", "text")

    def __init__(self, start: int, text: str, identity: Identity, broken: bool = False) -> None:
        self.start = start
        self.end = start + len(text)
        self.text = text
        self.identity = identity
        self.broken = broken
        self._entries: Sequence[Entry] | None = None

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries with their places in the text, made when they are asked for."""
        if self._entries is None:
            with FILLING:
                if self._entries is None:
                    by = self.start - self.identity.start
                    sketch = self.identity.sketch
                    self._entries = [_moved(entry, by) for entry in sketch] if by else sketch
        return self._entries

    @property
    def problems(self) -> Sequence[SyntaxProblem]:
        """What the runtime's parser refuses in the piece."""
        problems = self.identity.problems
        by = self.start - self.identity.start
        return [moved_problem(problem, by) for problem in problems] if problems and by else problems

    def at(self, start: int) -> "Part":
        """Return the part at another place."""
        return self if start == self.start else Part(start, self.text, self.identity, self.broken)


def _moved(entry: Entry, by: int) -> Entry:
    if isinstance(entry, tuple):
        return moved(entry[0], by), moved(entry[1], by)
    found: Node = moved(entry, by)
    return found


_OUTLINE: Final = ("id", "needs", "inputs", "component", "driver", "type")


def _outline(entry: Entry) -> object:
    if isinstance(entry, tuple):
        key, value = entry
        return _facts(key), isinstance(value, Map) and _facts(value.get("default"))
    if not isinstance(entry, Map):
        return object()  # equal to nothing else
    config = entry.get("config")
    query = config.get("query") if isinstance(config, Map) else None
    return [*map(_facts, map(entry.get, _OUTLINE)), _facts(query)]


def _facts(node: Node | None) -> object:
    if node is None:
        return None
    if isinstance(node, Scalar):
        return node.value, node.type
    return [_facts(item) for item in node.items] if isinstance(node, Seq) else object()


def _is_named(entry: Entry) -> bool:
    node = entry.get("id") if isinstance(entry, Map) else None
    return isinstance(entry, tuple) or (
        isinstance(node, Scalar) and node.type == "str" and bool(node.value)
    )


def _is_regular(entry: Entry) -> bool:
    return not isinstance(entry, tuple) or isinstance(entry[1], Map) or is_empty(entry[1])


def is_empty(node: Node) -> bool:
    """Tell whether a node is an empty value: nothing is written there."""
    return isinstance(node, Scalar) and node.start == node.end and node.tag is None


def place(nodes: Iterable[Node], where: Callable[[int], int]) -> None:
    """Move fresh nodes."""
    for node in nodes:
        node.begin, node.start, node.end = map(where, (node.begin, node.start, node.end))
        if not isinstance(node, Scalar):
            place(children(node), where)


def maps_of(nodes: Iterable[Node]) -> Iterator[Map]:
    """Yield the mappings among nodes and in them, inner ones first."""
    for node in nodes:
        if not isinstance(node, Scalar):
            yield from maps_of(children(node))
        if isinstance(node, Map):
            yield node


def moved_problem(problem: SyntaxProblem, by: int) -> SyntaxProblem:
    """Return a problem at another place."""
    edits = tuple(SyntaxEdit(e.start + by, e.end + by, e.new_text) for e in problem.edits)
    return problem._replace(start=problem.start + by, end=problem.end + by, edits=edits)
