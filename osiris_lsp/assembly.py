"""Build the tree of a text from its pieces: after an edit only those that changed are read.

The tree equals the one that the whole text gives. A syntax error stays inside its piece.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, repeat
from operator import eq
from typing import Final

import yaml

from osiris_lsp.compose import compose
from osiris_lsp.parts import (
    Entry,
    Identity,
    Part,
    is_empty,
    maps_of,
    moved_problem,
    nodes_of,
    place,
)
from osiris_lsp.pieces import Cut, Group, Piece, cut
from osiris_lsp.properties import cached_property
from osiris_lsp.recovery import MAX_ROUNDS, recover
from osiris_lsp.text import LineIndex, Span
from osiris_lsp.tree import Map, Node, Scalar, Seq, SyntaxProblem, Tree, key_path, plain_fields

_REFUSED: Final = (yaml.YAMLError, UnicodeEncodeError)


class Narrow(Tree):
    """A tree of some ranges of a text only."""

    def __init__(
        self,
        lines: LineIndex,
        root: Node,
        maps: Sequence[Map],
        problems: Sequence[SyntaxProblem],
        extents: Sequence[Span],
    ) -> None:
        super().__init__(lines.text, (root,), maps, (), (), problems)
        self.__dict__["lines"] = lines
        self._extents = extents

    @property
    def extents(self) -> Sequence[Span]:
        """The ranges of the text that the tree speaks of."""
        return self._extents

    def reach(self, offset: int) -> int | None:
        """Return the end of the range of an offset, for a syntax error stays inside it."""
        return next((end - 1 for start, end in self._extents if start <= offset < end), None)


class Assembled(Tree):
    """A tree with the parts that it was built of; `frame` is the text around them."""

    def __init__(self, text: str, root: Node, parts: Sequence[Part], pieces: Cut) -> None:
        problems = [problem for part in parts for problem in part.problems]
        super().__init__(text, (root,), (), (), (), problems)
        self.parts = parts
        self.frame = "".join(text[start:end] for start, end in pieces.frame)
        self.pieces = pieces
        self.groups = [piece.group for piece in pieces.pieces]

    @property
    def shape(self) -> object:
        """What the tree around the parts depends on, but for places behind the first part."""
        return self.frame, list(dict.fromkeys(group.name for group in self.groups))

    def is_ahead(self, spans: Iterable[Span]) -> bool:
        """Tell whether ranges end before the first part, and so stay where they are."""
        head = self.parts[0].start if self.parts else 0
        return all(end <= head for _, end in spans)

    def only(self, number: int) -> Tree:
        """Return the tree with the entries of one part only."""
        part = self.parts[number]
        maps = list(maps_of(nodes_of(part.entries)))
        root = _narrowed(self.roots[0], {self.groups[number].key: [part]}, alone=True)
        return Narrow(self.lines, root, maps, part.problems, (Span(part.start, part.end),))

    @cached_property
    def around(self) -> Tree:
        """The tree without the entries of the parts."""
        wanted: dict[int, list[Part]] = {group.key: [] for group in self.groups}
        root = _narrowed(self.roots[0], wanted, alone=False)
        return Narrow(self.lines, root, list(maps_of((root,))), (), self.pieces.frame)

    def sketch(self, placed: Collection[int] | None = None) -> Tree:
        """Return the tree with entries that may lie elsewhere, but for some parts: quick to make.

        Without a word of these it is for values only, and has no problems.
        """
        wanted: dict[int, list[Part]] = {group.key: [] for group in self.groups}
        for group, part in zip(self.groups, self.parts, strict=True):
            wanted[group.key].append(part)
        known = {id(self.parts[number]) for number in placed or ()}

        def entries(part: Part) -> Sequence[Entry]:
            return part.entries if id(part) in known else part.identity.sketch

        root = _narrowed(self.roots[0], wanted, False, entries)
        problems = () if placed is None else self.problems
        return Narrow(self.lines, root, (), problems, (Span(0, len(self.text)),))

    def touched(self, offsets: Iterable[int]) -> Sequence[int]:
        """Return the numbers of the parts that offsets in a sketch may lie in."""
        given = sorted({*offsets})
        found: list[int] = []
        for number, part in enumerate(self.parts):
            ranges = [(node.start, node.end) for node in nodes_of(part.identity.sketch)]
            for start, end in (*ranges, (part.start, part.end)):
                at = bisect_left(given, start)
                if at < len(given) and given[at] <= end:
                    found.append(number)
                    break
        return found

    def reach(self, offset: int) -> int | None:
        """Return where the part of an offset ends, for a syntax error stays inside it."""
        number = self.part_at(offset)
        return None if number is None else self.parts[number].end - 1

    def part_at(self, offset: int) -> int | None:
        """Return the number of the part at an offset, or None."""
        number = bisect_right(self._starts, offset) - 1
        return number if number >= 0 and offset < self.parts[number].end else None

    def key_path(self, offset: int) -> tuple[str | int, ...]:
        """Return the keys and indexes that lead to the innermost node at an offset."""
        number = self.part_at(offset)
        if number is not None and self.groups[number].is_list:
            for index, node in enumerate(nodes_of(self.parts[number].entries), self.firsts[number]):
                if node.begin <= offset <= node.end:
                    return "steps", index, *key_path(node, offset)
        return super().key_path(offset)

    @cached_property
    def maps(self) -> Sequence[Map]:
        """Every mapping, inner ones first."""
        return sorted(maps_of(self.roots), key=lambda node: (node.end, -node.start))

    @cached_property
    def is_regular(self) -> bool:
        """Whether no key hides another around the parts, and connections are mappings."""
        tops = [self.roots[0], *(value for _, value in _pairs(self.roots[0]))]
        return all(not isinstance(node, Map) or _is_unique(node) for node in tops) and all(
            part.identity.is_regular for part in self.parts
        )

    @cached_property
    def outlines(self) -> Sequence[object]:
        """What parts may ask of each other."""
        return [part.identity.outline for part in self.parts]

    @cached_property
    def firsts(self) -> Sequence[int]:
        """How many entries there are before each part."""
        return [0, *accumulate(len(part.identity.sketch) for part in self.parts)]

    @cached_property
    def _starts(self) -> Sequence[int]:
        return [part.start for part in self.parts]


class Items(Seq):
    """The items of a list in many parts, which are taken to their places when asked for."""

    __slots__ = ()

    @classmethod
    def of(cls, parts: Sequence[Part]) -> "Items | None":
        """Return the list, or None where parts hold something else, or all of them are broken."""
        full = [part for part in parts if part.identity.sketch]
        if not full or isinstance(full[0].identity.sketch[0], tuple):
            return None
        made: Items = object.__new__(cls)
        first = full[0]
        made.begin = made.start = first.start + len(first.text) - len(first.text.lstrip(" "))
        made.end = next(nodes_of(full[-1].entries[-1:])).end
        made.tag = made.anchor = None
        made.flow = False
        made._origin = (full, 0)
        return made

    @property
    def is_empty(self) -> bool:
        """Whether there are no items: never."""
        return False

    def _fill(self, origin: Sequence[Part], by: int) -> None:
        self.items = [node for part in origin for node in nodes_of(part.entries)]


def mended(text: str) -> Tree | None:
    """Return the tree of a text that PyYAML refuses, or None where the pieces do not say why."""
    pieces = cut(text)
    parts = None if pieces is None else _read_all(text, pieces.pieces, repeat(None))
    if pieces is None or parts is None or not any(part.broken for part in parts):
        return None
    return _assembled(text, pieces, parts)


def revised(text: str, previous: Tree) -> Tree | None:
    """Return the tree of a text like an earlier one, or None where all of it has to be read."""
    known = previous if isinstance(previous, Assembled) else _taken_apart(previous)
    pieces = None if known is None else cut(text)
    if known is None or pieces is None:
        return None
    new = [(piece.group.context, text[piece.start : piece.end]) for piece in pieces.pieces]
    contexts = [group.context for group in known.groups]
    old = list(zip(contexts, [part.text for part in known.parts], strict=True))
    head = _common(new, old)
    tail = _common(new[head:][::-1], old[head:][::-1])
    end = len(old) - tail
    elsewhere = dict(zip(old[head:end], known.parts[head:end], strict=True))
    changed = new[head : len(new) - tail]
    inner = _read_all(text, pieces.pieces[head:], [elsewhere.get(given) for given in changed])
    if inner is None:
        return None
    parts = [*known.parts[:head], *inner, *known.parts[end:]]
    parts = [
        part if part.start == piece.start else part.at(piece.start)
        for piece, part in zip(pieces.pieces, parts, strict=True)
    ]
    for piece, part in zip(pieces.pieces, parts, strict=True):
        # A quote that is open at the end of a piece may be closed in one that follows.
        if part.broken and _parses(piece.group.context + text[piece.start :]):
            return None
        if part.broken:
            break
    return _assembled(text, pieces, parts)


def _common(new: Sequence[object], old: Sequence[object]) -> int:
    """Return how many items two sequences have in common from the start."""
    same = enumerate(map(eq, new, old))
    return next((at for at, is_same in same if not is_same), min(len(new), len(old)))


def _parses(text: str) -> bool:
    try:
        for _ in yaml.parse(text, yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):
            pass
    except _REFUSED:
        return False
    return True


def _read_all(
    text: str, pieces: Sequence[Piece], reused: Iterable[Part | None]
) -> Sequence[Part] | None:
    """Read pieces, but for those that are `reused`; None where one cannot be read alone."""
    parts: list[Part] = []
    for piece, known in zip(pieces, reused, strict=False):
        part = (
            known.at(piece.start)
            if known is not None
            else _read(piece.group.context, text[piece.start : piece.end], piece.start)
        )
        if part is None:
            return None
        parts.append(part)
    return parts


def _read(context: str, text: str, start: int) -> Part | None:
    """Read a piece; None where it is more or less than one entry, or has anchors or aliases."""
    broken = False
    try:
        tree = compose(context + text)
    except _REFUSED:
        broken = True
        tree = recover(context + text)
    if tree.anchors or tree.aliases or len(tree.roots) != 1:
        return None
    node: Node = tree.roots[0]
    for _ in range(context.count("\n")):
        if not isinstance(node, Map) or node.flow or len(node.pairs) != 1:
            return None
        node = node.pairs[0][1]
    if any(problem.start < len(context) for problem in tree.problems):
        return None
    entries: Sequence[Entry] = ()
    if isinstance(node, Map | Seq) and not node.flow and node.tag is None:
        entries = node.items if isinstance(node, Seq) else node.pairs
        if isinstance(node, Seq) != text.lstrip(" ").startswith("-"):
            return None
    elif not broken or not is_empty(node):
        return None
    if not broken and len(entries) != 1:
        return None
    by = start - len(context)
    place(nodes_of(entries), lambda offset: offset + by)
    problems = [moved_problem(problem, by) for problem in tree.problems]
    # What lies behind the last character would lie in the next piece.
    last = start + len(text) - 1
    problems = [
        problem._replace(start=min(problem.start, last), end=min(problem.end, last + 1))
        for problem in problems
    ]
    return Part(start, text, Identity(start, entries, problems), broken)


def _taken_apart(tree: Tree) -> Assembled | None:
    """Return a tree that was read as a whole, and has nothing broken, with its parts."""
    pieces = cut(tree.text)
    if pieces is None or tree.problems or tree.anchors or tree.aliases or len(tree.roots) != 1:
        return None
    values = {key.begin: value for key, value in _pairs(tree.roots[0])}
    starts = [piece.start for piece in pieces.pieces]
    for begin in values:
        number = bisect_right(starts, begin) - 1
        if number >= 0 and begin < pieces.pieces[number].end:
            return None
    rest: dict[Group, list[Entry]] = {}
    parts = []
    for piece in pieces.pieces:
        if piece.group not in rest:
            node = values.get(piece.group.key)
            if not isinstance(node, Map | Seq):
                return None
            rest[piece.group] = [*(node.items if isinstance(node, Seq) else node.pairs)][::-1]
        if not rest[piece.group]:
            return None
        entry = rest[piece.group].pop()
        first, last = entry if isinstance(entry, tuple) else (entry, entry)
        if first.begin < piece.start or last.end > piece.end:
            return None
        part = tree.text[piece.start : piece.end]
        parts.append(Part(piece.start, part, Identity(piece.start, [entry])))
    if any(rest.values()):
        return None
    return Assembled(tree.text, tree.roots[0], parts, pieces)


def _is_unique(node: Map) -> bool:
    """Tell whether the keys of a mapping are texts, each once."""
    keys = (key for key, _ in node.pairs)
    return len(node.fields) == len(node.pairs) and all(
        isinstance(key, Scalar) and key.type == "str" for key in keys
    )


def _pairs(root: Node, depth: int = 2) -> Iterator[tuple[Node, Node]]:
    """Yield the top-level pairs and those below them."""
    if isinstance(root, Map) and depth:
        for key, value in root.pairs:
            yield key, value
            yield from _pairs(value, depth - 1)


def _assembled(text: str, pieces: Cut, parts: Sequence[Part]) -> Assembled | None:
    """Put parts into the tree of what lies around them; None where that cannot be read alone."""
    try:
        tree = compose("".join(text[start:end] for start, end in pieces.frame))
    except _REFUSED:
        return None
    if tree.problems or tree.anchors or len(tree.roots) != 1:
        return None
    root = tree.roots[0]
    place([root], _places(pieces))
    wanted: dict[int, list[Part]] = {}
    for piece, part in zip(pieces.pieces, parts, strict=True):
        wanted.setdefault(piece.group.key, []).append(part)
    _fill(root, wanted)
    if wanted:
        return None
    found = Assembled(text, root, parts, pieces)
    return found if len(found.problems) < MAX_ROUNDS else None


def _places(pieces: Cut) -> Callable[[int], int]:
    """Return the function from offsets in the frame to offsets in the text."""
    starts = [0, *accumulate(end - start for start, end in pieces.frame)]

    def place(offset: int) -> int:
        number = min(bisect_right(starts, offset) - 1, len(pieces.frame) - 1)
        return offset - starts[number] + pieces.frame[number].start

    return place


def _fill(node: Node, wanted: dict[int, list[Part]]) -> None:
    """Give the empty values of the keys that are `wanted` what the parts hold; take these out."""
    if not isinstance(node, Map) or node.flow:
        return
    for index, (key, value) in enumerate(node.pairs):
        if key.begin not in wanted:
            _fill(value, wanted)
        elif is_empty(value):
            parts = wanted.pop(key.begin)
            filled = Items.of(parts) or _container(parts, _entries)
            if filled is not None:
                node.pairs[index] = (key, filled)
    node.fields = plain_fields(node)
    node.end = node.pairs[-1][1].end


def _entries(part: Part) -> Sequence[Entry]:
    return part.entries


def _narrowed(
    node: Node,
    wanted: Mapping[int, Sequence[Part]],
    alone: bool,
    entries: Callable[[Part], Sequence[Entry]] = _entries,
) -> Map:
    """Return a copy of a mapping with what the parts hold as values of the keys that are `wanted`.

    `alone` leaves out other keys beside these, except at the top.
    """
    assert isinstance(node, Map)
    narrow = Map(node.begin, node.end, None, None, flow=False)
    for key, value in node.pairs:
        if key.begin in wanted:
            narrow.pairs.append((key, _container(wanted[key.begin], entries) or _emptied(value)))
        elif any(value.begin <= offset < value.end for offset in wanted):
            inner = _narrowed(value, wanted, alone, entries)
            if alone:
                inner.pairs = [pair for pair in inner.pairs if pair[0].begin in wanted]
                inner.fields = plain_fields(inner)
            narrow.pairs.append((key, inner))
        else:
            narrow.pairs.append((key, value))
    narrow.fields = plain_fields(narrow)
    return narrow


def _emptied(node: Node) -> Node:
    """Return a list or mapping without its entries."""
    if isinstance(node, Map | Seq):
        return type(node)(node.begin, node.end, None, None, flow=False)
    return node


def _container(
    parts: Sequence[Part], entries: Callable[[Part], Sequence[Entry]]
) -> Map | Seq | None:
    """Return the list or mapping of the entries of parts, or None where all of them are broken."""
    found = [entry for part in parts for entry in entries(part)]
    pairs = [entry for entry in found if isinstance(entry, tuple)]
    if pairs:
        node = Map(pairs[0][0].begin, pairs[-1][1].end, None, None, flow=False)
        node.pairs = pairs
        node.fields = plain_fields(node)
        return node
    items = [entry for entry in found if isinstance(entry, Node)]
    if not items:
        return None
    first = next(part for part in parts if part.entries)
    dash = first.start + len(first.text) - len(first.text.lstrip(" "))
    listed = Seq(dash, items[-1].end, None, None, flow=False)
    listed.items = items
    return listed
