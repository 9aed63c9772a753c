"""A layered layout from left to right: ranks by the longest path, order by barycentres."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

COLUMN_GAP: Final = 52
ROW_GAP: Final = 18
_SWEEPS: Final = 6
_ASIDE: Final = 12
_BEND: Final = 14
"""Height of the lane of an edge that passes by nodes."""

Size = tuple[float, float]
Point = tuple[float, float]
Link = tuple[str, str]


class Box(NamedTuple):
    """Where a node lies; `x` and `y` are its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The height at which edges meet it."""
        return self.y + self.height / 2


class Layout(NamedTuple):
    """Boxes by node, the points that each edge passes, and the size of it all."""

    boxes: Mapping[str, Box]
    routes: Mapping[Link, Sequence[Point]]
    width: float
    height: float


def layout(sizes: Mapping[str, Size], links: Sequence[Link]) -> Layout:
    """Return where to draw nodes of given sizes; a link that closes a circle runs backwards."""
    forward = _forward(sizes, links)
    ranks = _ranks(sizes, set(forward.values()))
    all_sizes = dict(sizes)
    chains: dict[Link, list[str]] = {}
    for link, (source, target) in forward.items():
        chain = [source]
        for rank in range(ranks[source] + 1, ranks[target]):
            name = f"\0{link[0]}\0{link[1]}\0{rank}"
            all_sizes[name] = (0.0, float(_BEND))
            ranks[name] = rank
            chain.append(name)
        chains[link] = [*chain, target]
    rows = _rows(all_sizes, ranks, chains)
    boxes = _boxes(all_sizes, rows, chains)
    routes = {
        link: _route([boxes[name] for name in chain], link != (chain[0], chain[-1]))
        for link, chain in chains.items()
    }
    width = max((box.x + box.width for box in boxes.values()), default=0.0)
    height = max((box.y + box.height for box in boxes.values()), default=0.0)
    return Layout({name: boxes[name] for name in sizes}, routes, width, height)


def _forward(sizes: Mapping[str, Size], links: Sequence[Link]) -> dict[Link, Link]:
    """Return each link between two nodes once, turned around where it would close a circle."""
    following: dict[str, list[str]] = {name: [] for name in sizes}
    for source, target in links:
        if source != target and target not in following[source]:
            following[source].append(target)
    state: dict[str, int] = {}
    turned: set[Link] = set()
    for start in sizes:
        stack = [(start, iter(following[start]))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            name, rest = stack[-1]
            below = next(rest, None)
            if below is None:
                state[name] = 2
                stack.pop()
            elif below not in state:
                state[below] = 1
                stack.append((below, iter(following[below])))
            elif state[below] == 1:
                turned.add((name, below))
    return {
        (source, target): (target, source) if (source, target) in turned else (source, target)
        for source, targets in following.items()
        for target in targets
    }


def _ranks(sizes: Mapping[str, Size], links: set[Link]) -> dict[str, int]:
    """Return the column of each node: behind all that it follows, and close to what follows it."""
    before: dict[str, list[str]] = {name: [] for name in sizes}
    after: dict[str, list[str]] = {name: [] for name in sizes}
    for source, target in sorted(links):
        before[target].append(source)
        after[source].append(target)
    ranks: dict[str, int] = {}
    waiting = {name: len(found) for name, found in before.items()}
    ready = [name for name in sizes if not waiting[name]]
    order: list[str] = []
    while ready:
        name = ready.pop(0)
        order.append(name)
        ranks[name] = max((ranks[other] + 1 for other in before[name]), default=0)
        for other in after[name]:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    for name in reversed(order):  # a connection stands right before the step that reads it
        if not before[name] and after[name]:
            ranks[name] = min(ranks[other] for other in after[name]) - 1
    return ranks


def _rows(
    sizes: Mapping[str, Size], ranks: Mapping[str, int], chains: Mapping[Link, Sequence[str]]
) -> list[list[str]]:
    """Return the nodes of each column from top to bottom, so that few edges cross."""
    count = max(ranks.values(), default=-1) + 1
    rows: list[list[str]] = [[] for _ in range(count)]
    for name in sizes:
        rows[ranks[name]].append(name)
    before, after = _neighbours(sizes, chains)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        place = {name: at for row in rows for at, name in enumerate(row)}
        for row in rows if down else reversed(rows):
            near = before if down else after
            weights = {
                name: _mean([place[other] for other in near[name]], place[name]) for name in row
            }
            row.sort(key=weights.__getitem__)
            place.update({name: at for at, name in enumerate(row)})
    return rows


def _neighbours(
    sizes: Mapping[str, Size], chains: Mapping[Link, Sequence[str]]
) -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    before: dict[str, list[str]] = {name: [] for name in sizes}
    after: dict[str, list[str]] = {name: [] for name in sizes}
    for chain in chains.values():
        for source, target in pairwise(chain):
            after[source].append(target)
            before[target].append(source)
    return before, after


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _boxes(
    sizes: Mapping[str, Size],
    rows: Sequence[Sequence[str]],
    chains: Mapping[Link, Sequence[str]],
) -> dict[str, Box]:
    """Return the box of each node: columns beside each other, nodes near what they are tied to."""
    before, after = _neighbours(sizes, chains)
    middle: dict[str, float] = {}
    for row in rows:
        at = 0.0
        for name in row:
            middle[name] = at + sizes[name][1] / 2
            at += sizes[name][1] + ROW_GAP
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            near = before if down else after
            wanted = [
                _mean([middle[other] for other in near[name] or before[name]], middle[name])
                for name in row
            ]
            middle.update(zip(row, _apart(wanted, [sizes[name][1] for name in row]), strict=True))
    top = min((middle[name] - sizes[name][1] / 2 for name in sizes), default=0.0)
    boxes: dict[str, Box] = {}
    x = 0.0
    for row in rows:
        column = max((sizes[name][0] for name in row), default=0.0)
        for name in row:
            width, height = sizes[name]
            boxes[name] = Box(x, middle[name] - height / 2 - top, width or column, height)
        x += column + COLUMN_GAP
    return boxes


def _apart(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Return places near the wanted ones, in their order, that do not overlap."""
    placed: list[float] = []
    lowest = 0.0
    for at, (want, height) in enumerate(zip(wanted, heights, strict=True)):
        place = max(want, lowest + height / 2) if at else want
        placed.append(place)
        lowest = place + height / 2 + ROW_GAP
    # All were pushed down; move them up together by what they miss on average.
    shift = _mean([want - got for want, got in zip(wanted, placed, strict=True)], 0.0)
    return [place + shift for place in placed]


def _route(chain: Sequence[Box], turned: bool) -> Sequence[Point]:
    """Return the points of an edge: out at the right, past the lanes, in at the left."""
    aside = _ASIDE if turned else 0  # beside the edge that it may run against
    points: list[Point] = [(chain[0].x + chain[0].width, chain[0].middle + aside)]
    for lane in chain[1:-1]:
        points += [(lane.x, lane.middle), (lane.x + lane.width, lane.middle)]
    points.append((chain[-1].x, chain[-1].middle + aside))
    return list(reversed(points)) if turned else points
