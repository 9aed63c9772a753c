"""Markdown that shows text of files as it is, and plain text made of Markdown of ours."""

import re
from typing import Final

from osiris_lsp.text import lazy, printable

MAX_LENGTH: Final = 300
"""Characters of one text of a file that are shown."""

_BLANKS: Final = lazy(r"\s+")
_PUNCTUATION: Final = lazy(r"""[!-/:-@\[-`{-~]""")
_TICKS: Final = lazy(r"`+")
_MARKS: Final = lazy(
    r"""^```yaml[^\n]*\n(?P<block>.*?)^```$
    |(?P<ticks>(?<!`)`+(?!`))[ ]?(?P<code>[^\n]+?)[ ]?(?<!`)(?P=ticks)(?!`)
    |\\(?P<escaped>[!-/:-@\[-`{-~])
    |\*\*|^\#+[ ]""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


def escape(text: str) -> str:
    """Return text of a file as Markdown that shows it as it is, on one line: no links, no HTML."""
    return _PUNCTUATION.sub(lambda match: f"\\{match[0]}", _short(text))


def code(text: str) -> str:
    """Return text of a file as a code span, on one line, which nothing in it can end."""
    shown = _short(text)
    if not shown:
        return ""
    fence = "`" * (max((len(run[0]) for run in _TICKS.finditer(shown)), default=0) + 1)
    pad = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def plain(markdown: str) -> str:
    """Return Markdown made of our texts, `escape` and `code` as plain text."""
    return _MARKS.sub(
        lambda match: match["block"] or match["code"] or match["escaped"] or "", markdown
    ).strip()


def _short(text: str) -> str:
    shown = printable(_BLANKS.sub(" ", text.strip()))
    return shown if len(shown) <= MAX_LENGTH else f"{shown[: MAX_LENGTH - 1]}…"
