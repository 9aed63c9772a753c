"""The pieces of a text once they are read: nodes that can be taken to another place."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from osiris_lsp.text import Span
from osiris_lsp.tree import (
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

    `is_named` says whether it is a connection, or a step with an id. `outline` is what others
    may ask about a step or connection: equal for those that differ in other things only.
    """

    __slots__ = ("is_named", "outline", "secrets", "sketch", "usage", "views")

    def __init__(self, entries: Sequence[Entry]) -> None:
        # The entries where they were read.
        self.sketch = entries
        self.is_named = all(map(_is_named, entries))
        self.outline = [_outline(entry) for entry in entries]
        self.secrets: tuple[object, Sequence[Span]] | None = None
        self.usage: tuple[object, Sequence[Any]] | None = None
        # What a document made of the sketch, as it was numbered then.
        self.views: tuple[object, Sequence[Any]] | None = None


def nodes_of(entries: Iterable[Entry]) -> Iterator[Node]:
    """Yield items, or keys and values."""
    for entry in entries:
        yield from entry if isinstance(entry, tuple) else (entry,)


class Part:
    """A piece that was read; positions are those of the whole text.

    `entries` holds one entry, and where the text is `broken` what is left of it.
    """

    __slots__ = ("broken", "entries", "identity", "problems", "start", "text")

    def __init__(
        self,
        start: int,
        text: str,
        entries: Sequence[Entry],
        problems: Sequence[SyntaxProblem] = (),
        broken: bool = False,
        identity: "Identity | None" = None,
    ) -> None:
        self.start = start
        self.text = text
        self.entries = entries
        self.problems = problems
        self.broken = broken
        self.identity = identity or Identity(entries)

    @property
    def end(self) -> int:
        """Where the piece ends."""
        return self.start + len(self.text)

    def at(self, start: int) -> "Part":
        """Return the part at another place; the nodes of this one stay as they are."""
        by = start - self.start
        if by == 0:
            return self
        entries: list[Entry] = [
            (moved(entry[0], by), moved(entry[1], by))
            if isinstance(entry, tuple)
            else moved(entry, by)
            for entry in self.entries
        ]
        problems = [moved_problem(problem, by) for problem in self.problems]
        return Part(start, self.text, entries, problems, self.broken, self.identity)


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
