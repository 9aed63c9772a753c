"""Secrets that never show: the value type, the redactor, excerpts of files and fingerprints.

This is the only place that masks.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, NoReturn

from osiris_lsp.text import LineIndex, Span

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


def without(message: str, words: Sequence[str]) -> str:
    """Take secrets out of a message: rules never put one in, and this makes sure."""
    for word in words:
        if len(word) >= 6 and word in message:
            message = message.replace(word, MASK)
    return message


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

    Of a line of more than `MAX_EXCERPT` characters it is the part around the caret.
    """
    line, column = lines.position(span.start)
    whole = lines.line_span(line)
    if whole.end - whole.start > MAX_EXCERPT:
        start = max(whole.start, whole.start + column - MAX_EXCERPT // 3)
        whole = Span(start, min(start + MAX_EXCERPT, whole.end))
    end = max(min(span.end, whole.end), whole.start)
    inside = [secret for secret in secrets if secret.start < whole.end and secret.end > whole.start]
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
