"""A piece of evidence: what was found, where, and how far it can be relied on."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

HALF_LIFE: Final = 365.0
"""Days after which evidence counts as half as fresh."""


class SourceType(StrEnum):
    """What kind of place evidence comes from."""

    WEB_SEARCH = "web_search"
    EXTERNAL_API = "external_api"
    CODE_REPOSITORY = "code_repository"
    PUBLICATION = "publication"
    NEWS = "news"
    SOCIAL_MEDIA = "social_media"
    DOCUMENT = "document"
    DATABASE = "database"
    TRANSCRIPT = "transcript"


@dataclass
class Evidence:
    """What a source says; `source_id` is its URL, path or the like (seed 003).

    `created_at` is ISO 8601. The three indicators are from 0 to 1: how sure the find is, how new it
    is, and how much its source counts.
    """

    id: str
    source_type: SourceType
    source_id: str
    content: str
    title: str = ""
    created_at: str | None = None
    author: str | None = None
    url: str | None = None
    confidence: float = 0.5
    freshness: float = 1.0
    authority: float = 0.5
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def reliability_score(self) -> float:
        """The indicators as one number, from 0 to 1."""
        return 0.4 * self.confidence + 0.3 * self.freshness + 0.3 * self.authority


def freshness(created_at: str | None, now: float) -> float:
    """Return how new something is: halved each year; 0.5 where nobody says when it was made.

    `now` is in seconds since 1970.
    """
    try:
        made = datetime.fromisoformat(created_at or "")
    except ValueError:
        return 0.5
    if made.tzinfo is None:
        made = made.replace(tzinfo=UTC)
    days = max(now - made.timestamp(), 0.0) / 86_400
    return float(0.5 ** (days / HALF_LIFE))


def iso_time(seconds: object) -> str | None:
    """Return seconds since 1970 as ISO 8601 in UTC; None for what is no such number."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
