"""Where a file may hold secrets, so that no excerpt shows one.

This covers all that the detector finds and errs on the side of masking beyond it: what is a finding
is for the OSR3xx rules to say.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from osiris_lsp.refs import (
    connection_string_secrets,
    is_indirect,
    is_reference,
    literal_defaults,
    literal_secrets,
    segments,
    unfinished_password,
)
from osiris_lsp.secret import is_distinct, merged
from osiris_lsp.secrets.detector import Detection
from osiris_lsp.secrets.encoded import find_encoded
from osiris_lsp.secrets.keys import LONG
from osiris_lsp.secrets.literals import looks_random
from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import Map, Node, Scalar, Seq, Tree, deref

_NAME: Final = (
    r"(?:pass(?:word|wd|phrase)|pwd|secret|token|credential|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|role[_-]?key|anon[_-]?key|authorization)\w*[\"']?"
)
_VALUE: Final = r"(?P<value>\"[^\"\r\n]*\"?|'[^'\r\n]*'?|(?!\s)[^\r\n#]*)"
_LINE: Final = lazy(rf"(?i){_NAME}\s*[:=]\s*{_VALUE}")
# Where the text does not parse, the value may be an item behind its name, or beside `name: …`.
_BROKEN: Final = lazy(rf"(?i){_NAME}\s*(?:[:=,]|(?:,\s*|[\r\n]\s*)[\"']?value[\"']?:)\s*{_VALUE}")
# The rest of a line and some lines more, up to what a line starts with.
_FURTHER: Final = r"(?:[^\r\n]{0,200}(?:\r\n?|\n)){1,4}?[ \t]*"
# Behind `? name`, or below `name: …` where another line came in between.
_BEHIND: Final = lazy(rf"(?i){_NAME}(?={_FURTHER}(?:[\"']?value[\"']?[ \t]*)?:[ \t]+{_VALUE})")
_STEMS: Final = ("pass", "pwd", "secret", "token", "credential", "key", "authorization")
"""One of them stands in each text that `_LINE` matches."""
_PAD: Final = lazy(r"(?P<pad>[ \t]*(?:-[ \t]+)*)[^\r\n]*")
_OPENINGS: Final = ("", "#", "|", ">", "[", "{", "&", "!")
"""What a value starts with that goes on below its key."""
_PIECE: Final = lazy(r"[^\s\"',\[\]{}]+")
_WORD: Final = lazy(r"[^\s\"',\[\]{}]{16,}")


def find_sensitive(
    tree: Tree, declared: Iterable[Scalar], found: Detection, names: frozenset[str]
) -> Sequence[Span]:
    """Return the ranges of a text that may hold a secret, in order and without overlap.

    `declared` holds the scalars that a spec declares secret, `names` the names of such fields,
    which count where the text does not parse, `found` what the detector found.
    """
    spans = [leak.span for leak in found.leaks]
    nodes = {id(node): node for node in declared}
    for value in found.named:
        nodes.update((id(node), node) for node in _scalars(value))
    for node in nodes.values():
        if not is_reference(node.value):
            spans.extend(_literals(tree, node))
    spans.extend(_continued(tree) if tree.is_whole else _long_words(tree, found.texts))
    known = {node.start for node in nodes.values()}
    for start, end in found.texts:
        text = tree.text[start:end]
        if not tree.is_whole:
            spans.extend(_in_text(text, start, (_BROKEN, _BEHIND)))
            spans.extend(_named(text, start, names) if names else ())
        elif start not in known:
            spans.extend(_in_text(text, start, (_LINE,)))
    return merged([span for span in spans if span.end > span.start])


def repeated(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield where secrets stand a second time; a plain word such as `postgres` is left readable."""
    words = {text[span.start : span.end] for span in spans}
    yield from occurrences(text, (w for w in words if is_distinct(w) and text.count(w) > 1))


def occurrences(text: str, words: Iterable[str]) -> Iterator[Span]:
    """Yield where words stand in a text."""
    for word in words:
        at = text.find(word)
        while at >= 0:
            yield Span(at, at + len(word))
            at = text.find(word, at + len(word))


def pieces(text: str, spans: Iterable[Span]) -> tuple[str, ...]:
    """Return the words of secrets that hide them in another version of a text, too.

    A range of broken text may hold more than the secret.
    """
    found = {match[0] for span in spans for match in _PIECE.finditer(text, *span)}
    return tuple(filter(is_distinct, found))


def _continued(tree: Tree) -> Iterator[Span]:
    """Yield random text to which something was added while more is written: a line, a quote."""
    for node in tree.scalars():
        size = len(node.value)
        if not node.style and size >= LONG and (node.end - node.start > size or _is_glued(node)):
            first = _WORD.match(tree.text, *node.inner)
            if first is not None and first.end() < node.end and _is_telling(first[0]):
                yield Span(*first.span())


def _is_glued(node: Scalar) -> bool:
    return node.value[-1] in "\"']}"


def _long_words(tree: Tree, texts: Iterable[Span]) -> Iterator[Span]:
    """Yield random text wherever it stands in a text of which no tree tells the keys."""
    for start, end in texts:
        for word in _WORD.finditer(tree.text, start, end):
            if _is_telling(word[0]):
                yield Span(*word.span())


def _is_telling(word: str) -> bool:
    return looks_random(word) or find_encoded(word) is not None


def _scalars(value: Node) -> Iterator[Scalar]:
    """Yield a value, or the items of a list with the values of mappings in it.

    A key that has no value may be a value that somebody is writing.
    """
    target = deref(value)
    for item in map(deref, target.items if isinstance(target, Seq) else [target]):
        if isinstance(item, Scalar):
            yield item
        elif isinstance(item, Map):
            for key, inner in item.pairs:
                found = key if inner.end == inner.start else inner
                if isinstance(found, Scalar):
                    yield found


def _in_text(text: str, offset: int, patterns: Sequence[re.Pattern[str]]) -> Iterator[Span]:
    """Yield what looks like a secret wherever it stands in a text."""
    folded = text.casefold()
    mentions = any(stem in folded for stem in _STEMS)
    for match in chain.from_iterable(p.finditer(text) for p in patterns) if mentions else ():
        value = match["value"].rstrip()
        if value[:1] in ("|", ">") and _BROKEN in patterns:
            yield from _block(text, offset, match.start("value"))
        bare = value.lstrip("[\"'").rstrip("]\"'")
        if not bare or value in ("|", ">", "|-", ">-", "{") or is_indirect(bare):
            continue
        start = offset + match.start("value") + len(value) - len(value.lstrip("[\"'"))
        for span in (*literal_secrets(bare), *literal_defaults(bare)):
            yield Span(start + span.start, start + span.end)
    if ("://" in text and "@" in text) or ("=" in text and mentions):
        for span in connection_string_secrets(text):
            yield Span(offset + span.start, offset + span.end)


def _named(text: str, offset: int, names: frozenset[str]) -> Iterator[Span]:
    """Yield what stands behind names of secret fields in a text that does not parse."""
    if not any(name in text for name in names):
        return
    for match in chain.from_iterable(pattern.finditer(text) for pattern in _keys(names)):
        value = match["value"].rstrip()
        if value[:1] in _OPENINGS:
            yield from _block(text, offset, match.start("value"))
        if not is_reference(value.strip("\"'")):
            # Word by word, so that each is known where it stands once more.
            for word in re.finditer(r"\S+", value):
                start = offset + match.start("value")
                yield Span(start + word.start(), start + word.end())


def _block(text: str, offset: int, at: int) -> Iterator[Span]:
    """Yield the lines below the line of an offset that belong to its value."""
    header = _PAD.match(text, max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1)
    assert header is not None
    block = _below(len(header["pad"])).match(text, header.end())
    assert block is not None
    yield Span(offset + block.start(), offset + block.end())


@lru_cache(maxsize=64)
def _below(indent: int) -> re.Pattern[str]:
    """Return the pattern of what a block scalar holds, lines that are not indented enough too."""
    key = r"[ \t]*(?:-[ \t]|[\"']?[\w.-]+[\"']?[ \t]*:(?:\s|$)|$)"
    return re.compile(rf"(?m)(?:[\r\n]+(?:[ \t]{{{indent + 1}}}|(?!{key}))[^\r\n]*)*")


@lru_cache(maxsize=64)
def _keys(names: frozenset[str]) -> tuple[re.Pattern[str], ...]:
    """Return the patterns of `name: …`, with a slip before the colon, too, and of `? name`."""
    listed = f"(?:{'|'.join(map(re.escape, sorted(names)))})(?![\\w.-])"
    start = r"^[ \t]*(?:-[ \t]+)*"
    value = r":[ \t]*(?P<value>[^\r\n]*)"
    return (
        re.compile(rf"(?m){start}(?:[^\r\n]*?[^\w.\r\n-])?{listed}[^\r\n:]{{0,20}}{value}"),
        re.compile(rf"(?m){start}\?[ \t]+[\"']?{listed}{_FURTHER}{value}"),
    )


def _literals(tree: Tree, node: Scalar) -> Iterator[Span]:
    if node.type == "unknown":
        yield node.span
        return
    if node.type in ("bool", "null"):
        return
    value = node.value
    if "${" in value and any(piece.kind == "malformed" for piece in segments(value)):
        yield node.span  # a secret may well hold `${` by chance
        return
    defaults = literal_defaults(value) if ":-" in value else ()
    found = (*literal_secrets(value), *defaults)
    unfinished = unfinished_password(value) if "://" in value and not found else None
    for span in found if unfinished is None else (unfinished,):
        yield tree.value_span(node, span.start, span.end)
