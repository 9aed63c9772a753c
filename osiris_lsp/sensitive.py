"""Where a file may hold secrets, so that no excerpt shows one.

This errs on the side of masking: what is a finding is for the OSR3xx rules to say.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from osiris_lsp.refs import (
    connection_string_secrets,
    is_indirect,
    literal_defaults,
    literal_secrets,
    segments,
)
from osiris_lsp.secret import merged
from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import Map, Scalar, Seq, Tree, deref

_NAME: Final = lazy(
    r"(?i)(?:^|[_.-])(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|dsn|jwt|bearer"
    r"|auth|authorization|api_?key|apikey|access_?key|account_?key|private_?key|service_?role_?key"
    r"|anon_?key|signing_?key|encryption_?key|master_?key|client_?secret|cookie|key)s?$"
)
_REPEATED: Final = 8
"""Characters of a secret from which it is masked wherever else it stands."""

_NOT: Final = lazy(
    r"(?i)(?:primary|foreign|sort|partition|public|cache|unique|upsert|join|group|ssl|tls|idempotency"
    r"|natural|business|surrogate|lookup|row|dedup|clustering)[_-]?keys?$"
    r"|(?:page|next|continuation|cursor|sync)[_-]?tokens?$"
    r"|^(?:auth|keys?)$"
)
_LINE: Final = lazy(
    r"(?i)(?:password|passwd|passphrase|pwd|secret|token|credential|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|role[_-]?key|anon[_-]?key|authorization)[\w]*[\"']?\s*[:=]\s*"
    r"(?P<value>\"[^\"\r\n]*\"?|'[^'\r\n]*'?|(?!\s)[^\r\n#]*)"
)
_WORDS: Final = (
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "api_key",
    "api-key",
    "apikey",
    "access",
    "private",
    "role",
    "anon",
    "authorization",
)
_PREFIXES: Final = (
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "xox",
    "sk-",
    "sk_",
    "shp",
    "AKIA",
    "ASIA",
    "eyJ",
    "AIza",
    "glpat-",
    "sb_secret_",
    "phx_",
)
_TOKEN: Final = lazy(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|xox[abeprs]-[\w-]{10,}|sk-[\w-]{16,}"
    r"|sk_(?:live|test)_\w{10,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,}|A(?:KIA|SIA)[A-Z0-9]{16}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+|AIza[\w-]{30,}|glpat-[\w-]{16,}|sb_secret_\w{10,}|phx_\w{10,})"
)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tell whether the name of a key says that its value is a secret."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return _NAME.search(words) is not None and _NOT.search(words) is None


def find_sensitive(tree: Tree, declared: Iterable[Scalar]) -> Sequence[Span]:
    """Return the ranges of a text that may hold a secret, in order and without overlap.

    `declared` holds the scalars that a spec declares secret.
    """
    found: list[Span] = []
    for node in declared:
        _literals(tree, node, found)
    for mapping in tree.maps:
        for key, value in mapping.pairs:
            if isinstance(key, Scalar) and is_secret_name(key.value):
                target = deref(value)
                items = target.items if isinstance(target, Seq) else [target]
                for item in map(deref, items):
                    if isinstance(item, Scalar):
                        _literals(tree, item, found)
                    elif isinstance(item, Map):
                        for _, inner in item.pairs:
                            if isinstance(inner, Scalar):
                                _literals(tree, inner, found)
    for start, end in tree.extents:
        inside = _in_text(tree.text[start:end])
        found.extend(Span(span.start + start, span.end + start) for span in inside)
    return merged([span for span in found if span.end > span.start])


def repeated(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield where secrets stand a second time; a plain word such as `postgres` is left readable."""
    words = {text[span.start : span.end] for span in spans}
    for word in words:
        if len(word) >= _REPEATED and not word.isalpha() and text.count(word) > 1:
            at = text.find(word)
            while at >= 0:
                yield Span(at, at + len(word))
                at = text.find(word, at + len(word))


def _in_text(text: str) -> Iterator[Span]:
    """Yield what looks like a secret wherever it stands: comments and broken pieces too."""
    mentions = _mentions_secret(text)
    for match in _LINE.finditer(text) if mentions else ():
        value = match["value"].rstrip()
        bare = value.strip("\"'")
        if not value or value in ("|", ">", "|-", ">-", "[", "{") or is_indirect(bare):
            continue
        start = match.start("value") + (1 if value[:1] in "\"'" else 0)
        for span in literal_secrets(bare):
            yield Span(start + span.start, start + span.end)
    if ("://" in text and "@" in text) or ("=" in text and mentions):
        yield from connection_string_secrets(text)
    if any(prefix in text for prefix in _PREFIXES):
        yield from (Span(*match.span()) for match in _TOKEN.finditer(text))


def _mentions_secret(text: str) -> bool:
    """Tell cheaply whether a text may hold a line that `_LINE` is for."""
    folded = text.casefold()
    return any(word in folded for word in _WORDS)


def _literals(tree: Tree, node: Scalar, found: list[Span]) -> None:
    if node.type == "unknown":
        found.append(node.span)
        return
    if node.type in ("bool", "null"):
        return
    if any(piece.kind == "malformed" for piece in segments(node.value)):
        found.append(node.span)  # a secret may well hold `${` by chance
        return
    for span in (*literal_secrets(node.value), *literal_defaults(node.value)):
        found.append(tree.value_span(node, span.start, span.end))
