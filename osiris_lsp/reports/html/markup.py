"""Text of files as HTML shows it, and the pieces that several sections share."""

import html
import os
import time

from osiris_lsp.reports.record import Record
from osiris_lsp.text import printable


def text(value: object) -> str:
    """Return a text that HTML shows as it is, between tags and in quoted attributes."""
    return html.escape(printable(str(value)))


def inline(message: str) -> str:
    """Return a message of ours: what stands in backticks is code."""
    parts = message.split("`")
    if len(parts) % 2 == 0:  # one backtick is no pair's
        return text(message)
    return "".join(
        f"<code>{text(part)}</code>" if at % 2 else text(part) for at, part in enumerate(parts)
    )


def badge(severity: str) -> str:
    """Return a severity as a badge; its text says what its colour says."""
    return f'<span class="badge {severity}">{severity}</span>'


def anchor(record: Record) -> str:
    """Return the id of a finding on the page, which stays while the finding does."""
    return f"f-{record.fingerprint[:16]}-{record.place.line}"


def written_at() -> str:
    """Return the time for people, in UTC; SOURCE_DATE_EPOCH sets it for builds that repeat."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    when = int(epoch) if epoch.isdecimal() else time.time()
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(when))
