"""The pieces of a text once they are read: nodes that can be taken to another place."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from osiris_lsp.text import Span
from osiris_lsp.tree import Map, Node, Scalar, Seq, SyntaxEdit, SyntaxProblem, children

Entry = Node | tuple[Node, Node]
"""An item of a list, or a key with its value."""


class Identity:
    """What is the same for the same piece at another place, and what others know about it.

    `is_named` says whether it is a connection, or a step with an id. `outline` is what other steps
    may ask about a step: equal for those that differ in other things only.
    """

    __slots__ = ("is_named", "outline", "secrets", "usage")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.is_named = all(map(_is_named, entries))
        self.outline = [_outline(entry) for entry in entries]
        self.secrets: tuple[object, Sequence[Span]] | None = None
        self.usage: tuple[object, Sequence[Any]] | None = None


class Part:
    """A piece that was read; positions are those of the whole text.

    `entries` holds one entry, and where the text is `broken` what is left of it.
    """

    __slots__ = ("broken", "entries", "identity", "maps", "problems", "start", "text")

    def __init__(
        self,
        start: int,
        text: str,
        entries: Sequence[Entry],
        maps: Sequence[Map],
        problems: Sequence[SyntaxProblem] = (),
        broken: bool = False,
        identity: "Identity | None" = None,
    ) -> None:
        self.start = start
        self.text = text
        self.entries = entries
        self.maps = maps
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
        maps: list[Map] = []
        entries: list[Entry] = [
            (moved(entry[0], by, maps), moved(entry[1], by, maps))
            if isinstance(entry, tuple)
            else moved(entry, by, maps)
            for entry in self.entries
        ]
        problems = [moved_problem(problem, by) for problem in self.problems]
        return Part(start, self.text, entries, maps, problems, self.broken, self.identity)


_OUTLINE: Final = ("id", "needs", "inputs", "component", "driver", "type")


def _outline(entry: Entry) -> object:
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


def place(entries: Iterable[Entry], where: Callable[[int], int] | None, maps: list[Map]) -> None:
    """Move fresh nodes, and note the mappings among them, inner ones first."""
    for entry in entries:
        for node in entry if isinstance(entry, tuple) else (entry,):
            if where is not None:
                node.begin, node.start, node.end = map(where, (node.begin, node.start, node.end))
            if not isinstance(node, Scalar):
                place(children(node), where, maps)
            if isinstance(node, Map):
                maps.append(node)


def moved(node: Any, by: int, maps: list[Map]) -> Any:
    """Return a copy of a node at another place, and note the mappings in it, inner ones first.

    It runs for each node behind an edit, so it is written for speed.
    """
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
    elif kind is Map:
        copy.flow = node.flow
        copy.pairs = [(moved(key, by, maps), moved(value, by, maps)) for key, value in node.pairs]
        copy.fields = {pair[0].value: pair for pair in copy.pairs if type(pair[0]) is Scalar}
        maps.append(copy)
    else:
        copy.flow = node.flow
        copy.items = [moved(item, by, maps) for item in node.items]
    return copy


def moved_problem(problem: SyntaxProblem, by: int) -> SyntaxProblem:
    """Return a problem at another place."""
    edits = tuple(SyntaxEdit(e.start + by, e.end + by, e.new_text) for e in problem.edits)
    return problem._replace(start=problem.start + by, end=problem.end + by, edits=edits)
