"""Build the tree of a YAML text from the events of PyYAML's C parser."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import (
    BROKEN,
    MAX_DEPTH,
    Alias,
    Map,
    Node,
    Scalar,
    Seq,
    SyntaxProblem,
    Tree,
    children,
    merged_fields,
    plain_fields,
)

MAX_EXPANSION: Final = 200_000
"""Nodes that a document may have once its aliases are expanded."""

# Anchor and tag in front of a node, with the white space and comments behind them.
_PROPERTIES: Final = lazy(
    r"(?:(?:&[^\s,\[\]{}]+|![^\s,\[\]{}]*|!<[^>\s]*>)(?:[ \t]*(?:#[^\r\n]*)?[\r\n]+[ \t]*|[ \t]*))+"
)


# The first line of a block scalar, with what stands before its content.
class TooDeepError(yaml.MarkedYAMLError):
    """The text nests deeper than `MAX_DEPTH`; libyaml takes quadratic time on deep brackets."""


_SCALAR, _ALIAS = yaml.ScalarEvent, yaml.AliasEvent
_MAP, _MAP_END = yaml.MappingStartEvent, yaml.MappingEndEvent
_SEQ, _SEQ_END = yaml.SequenceStartEvent, yaml.SequenceEndEvent


def _events(text: str) -> Callable[[], Any]:
    """Return what gives the next event; pure Python where the C extension is missing."""
    parser: Any = yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.Loader(text)
    get: Callable[[], Any] = parser.get_event
    return get


# One function, because it runs for every token of every file.
def compose(text: str, patched: str | None = None, holes: Mapping[int, bool] | None = None) -> Tree:
    """Build the tree of a text; raises `yaml.YAMLError` where it does not parse.

    `patched` is what is parsed instead: a text of the same length. `holes` maps the offsets of
    scalars that were patched to whether their text is to be read from the original (True) or is
    broken (False).
    """
    shift = 0
    source = text if patched is None else patched
    if source[:1] == "\ufeff":
        shift, source = 1, source[1:]
    get_event = _events(source)
    roots: list[Node] = []
    maps: list[Map] = []
    anchored: list[tuple[Node, Span]] = []
    anchors: dict[str, Node] = {}
    aliases: list[Alias] = []
    problems: list[SyntaxProblem] = []
    flat: list[Node] = roots
    stack: list[tuple[Map | Seq, list[Node]]] = []
    node: Node
    merges = "<<" in source
    limit = len(text)  # libyaml counts one more where a text ends without a line break
    while True:
        event = get_event()
        kind = type(event)
        if kind is _SCALAR:
            start = event.start_mark.index + shift
            end = event.end_mark.index + shift
            if end > limit:  # noqa: PLR1730 - a call for each scalar would cost more
                end = limit
            style = event.style or ""
            value = event.value
            if style and style in "|>":
                end = start + len(source[start - shift : end - shift].rstrip())
            tag = event.tag
            if holes and start in holes:
                if holes[start]:
                    value = text[start] + value[1:]
                else:
                    tag = BROKEN
            anchor = event.anchor
            node = Scalar(start, end, tag, anchor, value, style)
            if tag is None and anchor is None:
                flat.append(node)
                continue
        elif kind is _MAP:
            start = event.start_mark.index + shift
            node = Map(start, start, event.tag, event.anchor, bool(event.flow_style))
        elif kind is _SEQ:
            start = event.start_mark.index + shift
            node = Seq(start, start, event.tag, event.anchor, bool(event.flow_style))
        elif kind is _MAP_END or kind is _SEQ_END:
            whole, outer = stack.pop()
            if type(whole) is Map:
                maps.append(whole)
                whole.pairs = list(zip(flat[0::2], flat[1::2], strict=True))
                whole.fields = merged_fields(whole) if merges else plain_fields(whole)
            if whole.flow:
                whole.end = min(event.end_mark.index + shift, limit)
            elif flat:
                whole.end = flat[-1].end
            flat = outer
            continue
        elif kind is _ALIAS:
            start = event.start_mark.index + shift
            end = event.end_mark.index + shift
            node = Alias(start, end, event.anchor, anchors.get(event.anchor))
            aliases.append(node)
            if node.target is None:
                message = f"`*{event.anchor}` has no anchor `&{event.anchor}` above it"
                problems.append(SyntaxProblem("undefined-anchor", start, end, message))
        elif kind is yaml.DocumentStartEvent:
            anchors = {}
            if len(roots) == 1:
                mark = event.start_mark.index + shift
                message = (
                    "a second document starts here; Osiris reads files with one document, so "
                    "move it to a file of its own"
                )
                problems.append(SyntaxProblem("multiple-documents", mark, mark + 3, message))
            continue
        elif kind is yaml.StreamEndEvent or event is None:
            break
        else:
            continue
        flat.append(node)
        if node.tag is not None or node.anchor is not None:
            properties = _PROPERTIES.match(source, start - shift)
            if properties:
                node.start = min(properties.end() + shift, max(node.end, start))
                if isinstance(node, Map | Seq):
                    node.start = node.end = properties.end() + shift
            if holes and holes.get(node.start) is False:
                node.tag = BROKEN
            if node.anchor is not None:
                _anchor(node, anchors, anchored, problems, text)
        if isinstance(node, Map | Seq):
            stack.append((node, flat))
            flat = node.items if isinstance(node, Seq) else []
            if len(stack) == MAX_DEPTH:
                raise TooDeepError(problem_mark=event.start_mark)
    if aliases:
        problems.extend(_expansion(roots))
    return Tree(text, roots, maps, anchored, aliases, problems)


def _anchor(
    node: Node,
    anchors: dict[str, Node],
    anchored: list[tuple[Node, Span]],
    problems: list[SyntaxProblem],
    text: str,
) -> None:
    """Register an anchor; the runtime refuses a name that is used twice."""
    name = node.anchor or ""
    at = max(text.find("&" + name, node.begin, node.start), node.begin)
    span = Span(at, at + len(name) + 1)
    if name in anchors:
        message = f"the anchor `&{name}` is defined twice; give this one another name"
        problems.append(SyntaxProblem("syntax-error", span.start, span.end, message))
    anchors[name] = node
    anchored.append((node, span))


def _expansion(roots: Sequence[Node]) -> Iterator[SyntaxProblem]:
    """Report the first alias by which a document grows beyond `MAX_EXPANSION` nodes."""
    sizes: dict[int, int] = {}
    for root in roots:
        order: list[Node] = []
        stack = [root]
        while stack:
            node = stack.pop()
            order.append(node)
            stack.extend(children(node))
        order.sort(key=lambda node: (node.end, -node.start))
        for node in order:
            if isinstance(node, Alias):
                sizes[id(node)] = sizes.get(id(node.target), 1)
            else:
                sizes[id(node)] = 1 + sum(sizes.get(id(child), 1) for child in children(node))
            if sizes[id(node)] > MAX_EXPANSION:
                message = (
                    f"the aliases up to here expand to more than {MAX_EXPANSION:,} values, "
                    "which exhausts the memory of whoever loads the file; repeat less"
                )
                yield SyntaxProblem(
                    "alias-expansion", node.start, min(node.end, node.start + 80), message
                )
                return
