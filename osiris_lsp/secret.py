"""Secrets that never show: the value type, the redactor, excerpts of files and fingerprints.

This is the only place that masks.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from osiris_lsp.text import LineIndex, Span, printable

MASK: Final = "***"

MAX_EXCERPT: Final = 600
"""Characters of a line that an excerpt shows."""


class Secret:
    """A value that is never shown: not by `str`, `repr`, `format`, pickling or JSON."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value; call it only where a driver or a header needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac

        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


class Redactor:
    """Replace known secret values in any text, in the forms that they take on the way out.

    Covered are the value itself and its URL-quoted, JSON-escaped, `repr` and base64 forms, and the
    base64 form of `user:password` for the users given. Longer forms go first. A form of up to three
    characters is replaced where it stands as a word of its own, for inside of words it would only
    spell out which letters it has.
    """

    def __init__(self, secrets: Iterable[Secret | str], users: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        names = tuple(users)
        for secret in secrets:
            value = secret.reveal() if isinstance(secret, Secret) else secret
            if value:
                forms.update(_forms(value, names))
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"

    def redact(self, text: str) -> str:
        """Return the text with every known secret replaced by `***`."""
        for form in self._forms:
            if form not in text:
                continue
            if len(form) > 3:
                text = text.replace(form, MASK)
            else:
                text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", MASK, text)
        return text


def _forms(value: str, users: Sequence[str]) -> Iterable[str]:
    import base64
    import json
    from urllib.parse import quote, quote_plus

    raw = value.encode("utf-8", "surrogatepass")
    yield value
    yield quote(raw, safe="")
    yield quote(raw)
    yield quote_plus(raw)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    for prefix in (b"", *(f"{user}:".encode() for user in users)):
        encoded = base64.b64encode(prefix + raw)
        yield encoded.decode()
        yield base64.urlsafe_b64encode(prefix + raw).decode()
        yield encoded.decode().rstrip("=")


_SHORTEST: Final = 6
"""Characters from which a secret is looked for in messages; shorter ones are ordinary words."""


_DISTINCT: Final = 8


def is_distinct(word: str) -> bool:
    """Tell whether a secret is masked wherever else it stands; a plain word would not be."""
    return len(word) >= _DISTINCT and not word.isalpha()


class Sieve:
    """Keep the secrets of a text out of what is said about it.

    Rules put none into a message, and this makes sure, in any case of letters and with any signs
    between them, for a proposal may have others. `spans` are in order and do not overlap. `others`
    are words of other files.
    """

    def __init__(self, text: str, spans: Sequence[Span], others: Iterable[str] = ()) -> None:
        self._spans = spans
        self._words: dict[str, list[str]] = {}
        for word in sorted({text[start:end] for start, end in spans}.union(others)):
            if len(word) >= _SHORTEST:
                bare = _bare(word)
                start = (bare if len(bare) >= _SHORTEST else word.lower())[:_SHORTEST]
                self._words.setdefault(start, []).append(word)
        self._cleaned: dict[str, str] = {}
        self._earlier: Mapping[str, str] = {}

    def follow(self, before: "Sieve") -> None:
        """Take over what the sieve of an earlier version has cleaned, if it knows the same."""
        if self._words == before._words:
            self._earlier = before._cleaned

    def clean(self, message: str) -> str:
        """Return a message without secrets and without characters that do not show."""
        found = self._cleaned.get(message) or self._earlier.get(message)
        if found is None:
            found = self._without(message)
        self._cleaned[message] = found
        return found

    def _without(self, message: str) -> str:
        starts = {
            text[at : at + _SHORTEST]
            for text in (message.lower(), _bare(message))
            for at in range(len(text) - _SHORTEST + 1)
        }
        for start in starts & self._words.keys():
            for word in self._words[start]:
                message = re.sub(_spelling(word), MASK, message, flags=re.IGNORECASE)
        return printable(message)

    def shows(self, start: int, end: int, new_text: str) -> bool:
        """Tell whether an edit would show a secret: it replaces a part of one, or puts one in."""
        first = bisect_right(self._spans, start, key=_end)
        touches = first < len(self._spans) and self._spans[first].start < end
        return touches or self.clean(new_text) != printable(new_text)


_SIGNS: Final = re.compile(r"[\W_]+")


def _bare(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return _SIGNS.sub("", text.lower())


def _spelling(word: str) -> str:
    """Return the pattern of a word with any signs between its letters; few letters: as it is."""
    if len(_bare(word)) < _SHORTEST:
        return re.escape(word)
    return r"[\W_]*".join(map(re.escape, filter(None, _SIGNS.split(word))))


def _end(span: Span) -> int:
    return span.end


class Excerpt(NamedTuple):
    """A line of a file that is fit to be shown; the caret is a range of columns of `text`."""

    text: str
    start: int
    end: int


def mask(text: str, spans: Sequence[Span], offset: int = 0) -> str:
    """Replace spans of a text by `***`; `offset` is where the text starts in the spans' file."""
    pieces = []
    at = offset
    stop = offset + len(text)
    for start, end in merged(spans):
        if end <= at or start >= stop:
            continue
        pieces.append(text[at - offset : max(start, at) - offset])
        pieces.append(MASK)
        at = min(end, stop)
    pieces.append(text[at - offset :])
    return "".join(pieces)


def mask_words(text: str, words: Iterable[str]) -> str:
    """Replace words by `***` wherever they stand in a text."""
    for word in words:
        text = text.replace(word, MASK)
    return text


def merged(spans: Sequence[Span]) -> list[Span]:
    """Return the spans in order, those that overlap or touch made one."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def excerpt(lines: LineIndex, span: Span, secrets: Sequence[Span]) -> Excerpt:
    """Return the first line of a span with every secret masked and the caret moved accordingly.

    `secrets` are in order and apart. Of a line of more than `MAX_EXCERPT` characters it is the part
    around the caret.
    """
    line, column = lines.position(span.start)
    whole = lines.line_span(line)
    if whole.end - whole.start > MAX_EXCERPT:
        start = max(whole.start, whole.start + column - MAX_EXCERPT // 3)
        whole = Span(start, min(start + MAX_EXCERPT, whole.end))
    end = max(min(span.end, whole.end), whole.start)
    inside = []
    for secret in secrets[bisect_right(secrets, whole.start, key=_end) :]:
        if secret.start >= whole.end:
            break
        inside.append(secret)
    text = lines.text[whole.start : whole.end]
    if not inside:
        begun = min(max(span.start - whole.start, 0), len(text))
        return Excerpt(text, begun, max(end - whole.start, begun))
    before = _masked_length(lines.text, whole.start, span.start, inside)
    upto = _masked_length(lines.text, whole.start, end, inside)
    shown = mask(text, inside, whole.start)
    covered = any(secret.start <= span.start < secret.end for secret in inside)
    return Excerpt(shown, before, max(upto, before + (len(MASK) if covered else 0)))


def _masked_length(text: str, start: int, offset: int, secrets: Sequence[Span]) -> int:
    """Return the column that an offset gets once the secrets before it are masked."""
    column = 0
    at = start
    for secret in merged(secrets):
        if secret.start >= offset:
            break
        column += max(secret.start - at, 0)
        if offset < secret.end:
            return column
        column += len(MASK)
        at = secret.end
    return column + max(offset - at, 0)


def fingerprint(
    code: str, path: str, key_path: Sequence[str | int], masked_line: str, ordinal: int
) -> str:
    """Return the identity of a finding: stable under edits elsewhere, free of secrets (SHA-256).

    `path` is relative to the project root, `masked_line` the line of the finding without secrets,
    `ordinal` its number among findings that are equal in all else.
    """
    import hashlib

    line = " ".join(masked_line.split())
    parts = [code, path, "/".join(map(str, key_path)), line, str(ordinal)]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
