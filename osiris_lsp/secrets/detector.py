"""One pass that finds each secret once, for all OSR3xx rules and for masking."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, get_args

from osiris_lsp.secrets import Kind, Leak, Place
from osiris_lsp.secrets.comments import find_anchored, find_comments, find_pair, opens_block
from osiris_lsp.secrets.keys import Walk
from osiris_lsp.secrets.providers import find_tokens
from osiris_lsp.secrets.structures import find_parts
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import BROKEN, Node, Tree

_RANK: Final = {kind: rank for rank, kind in enumerate(get_args(Kind))}

MAX_BLOCK: Final = 200
"""Lines of a value that is read where the text does not parse."""


class Detection(NamedTuple):
    """What was found in a tree.

    `leaks` are in order and do not overlap. `named` are the values under keys that tell of a
    secret, `texts` the longer values and the comments, in which more may stand than is a finding.
    """

    leaks: Sequence[Leak]
    named: Sequence[Node]
    texts: Sequence[Span]


def detect(tree: Tree, places: Iterable[Place]) -> Detection:
    """Find the secrets that are written out in a tree.

    `places` are the scalars that a spec declares secret. What is found in a value depends on the
    value, the keys above it and anchors alone.
    """
    walk = Walk(tree)
    for place in places:
        walk.declared(place)
    walk.run()
    comments: list[Span] = []
    leaks = list(walk.leaks)
    quoted = sorted(walk.quoted)
    for extent in tree.extents:
        comments += find_comments(tree.text, extent, quoted)
        start, end = extent
        found = _in_text(tree.text[start:end])
        leaks += (leak._replace(span=_moved(leak.span, start)) for leak in found)
    leaks += _in_comments(tree.text, comments)
    for start, end in walk.texts:
        if "\n" in tree.text[start:end]:
            leaks += _in_lines(tree.text[start:end], start)
    texts = [*walk.texts, *comments]
    if not tree.is_whole:
        leaks += _in_broken_lines(tree)
        texts = list(tree.extents)
    return Detection(_settled(leaks, comments), walk.named, texts)


def join(parts: Iterable[Detection]) -> Detection:
    """Return what was found in parts of a text as one; the parts are in order."""
    found = list(parts)
    return Detection(
        sorted((leak for part in found for leak in part.leaks), key=lambda leak: leak.span),
        [node for part in found for node in part.named],
        [span for part in found for span in part.texts],
    )


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


def _in_text(text: str) -> Iterator[Leak]:
    """Yield formats and structures wherever they stand, in comments and broken lines too."""
    folded = text.lower()
    for token in find_tokens(text, folded):
        if token.valid:
            yield Leak("provider-token", token.span, token.name, severity=token.severity)
        else:
            yield Leak("high-entropy-value", token.span, f"what has the form of {token.name}")
    for part in find_parts(text, folded):
        yield Leak(part.kind, part.span, printable(part.subject))


def _in_comments(text: str, comments: Iterable[Span]) -> Iterator[Leak]:
    for start, end in comments:
        for name, part in find_pair(text[start:end], loose=False):
            span = Span(start + part.start, start + part.end)
            yield Leak("secret-in-comment", span, f"`{printable(name)}`")


def _in_lines(text: str, offset: int) -> Iterator[Leak]:
    """Yield what stands in the lines of a value that is a file of its own.

    Assignments are among the structures.
    """
    for line in text.splitlines(keepends=True):
        for name, part in find_pair(line.rstrip("\r\n"), loose=False, signs=":"):
            span = Span(offset + part.start, offset + part.end)
            yield Leak("plaintext-secret", span, f"`{printable(name)}`")
        offset += len(line)


def _in_broken_lines(tree: Tree) -> Iterator[Leak]:
    """Yield what stands in lines of which the tree knows nothing, or only that they are broken."""
    lines = tree.lines
    known = {
        bisect_right(lines.starts, node.end - 1) - 1
        for node in tree.scalars()
        if node.tag != BROKEN and node.end > node.start
    }
    numbers = (
        number
        for begin, end in tree.extents
        for number in range(lines.position(begin).line, lines.position(end).line + 1)
        if begin <= lines.starts[number] < max(end, begin + 1)
    )
    for number in numbers:
        line, start = lines.line(number), lines.starts[number]
        for name, part in find_pair(line, loose=True) if number not in known else ():
            span = Span(start + part.start, start + part.end)
            yield Leak("plaintext-secret", span, f"`{printable(name)}`")
        name = opens_block(line)
        block = _block_below(tree, number) if name else None
        if block is not None:
            yield Leak("plaintext-secret", block, f"`{printable(name)}`")
    for begin, end in tree.extents:
        for name, span in find_anchored(tree.text[begin:end]):
            yield Leak("plaintext-secret", _moved(span, begin), f"`{printable(name)}`")


def _block_below(tree: Tree, number: int) -> Span | None:
    """Return the range of the lines below a key that are indented more, for they are its value."""
    lines = tree.lines
    key = lines.line(number)
    indent = len(key) - len(key.lstrip())
    span = None
    for below in range(number + 1, min(number + MAX_BLOCK, len(lines))):
        text, start = lines.line(below), lines.starts[below]
        first = len(text) - len(text.lstrip())
        if text.strip() and first <= indent:
            break
        if text.strip():
            begin = start + first if span is None else span.start
            span = Span(begin, start + len(text.rstrip()))
    return span


def _settled(leaks: Sequence[Leak], comments: Sequence[Span]) -> Sequence[Leak]:
    """Return of the leaks that overlap the most precise; those in comments are told as such."""
    kept: list[Leak] = []
    taken: list[Span] = []
    for leak in sorted(leaks, key=lambda leak: (_RANK[leak.kind], leak.severity is not None)):
        at = bisect_right(taken, leak.span)
        before = at > 0 and taken[at - 1].end > leak.span.start
        after = at < len(taken) and taken[at].start < leak.span.end
        if before or after:
            continue
        taken.insert(at, leak.span)
        near = bisect_right(comments, leak.span) - 1
        commented = near >= 0 and leak.span.start < comments[near].end
        kept.append(leak._replace(kind="secret-in-comment", variable="") if commented else leak)
    return sorted(kept, key=lambda leak: leak.span)
