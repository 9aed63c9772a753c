"""Hacker News: stories and comments, through the search of Algolia."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from osiris_lsp.connectors.evidence.base import checked
from osiris_lsp.connectors.evidence.service import ServiceConnector
from osiris_lsp.connectors.evidence.shape import items, number, part, text
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from osiris_lsp.connectors.markup import text_of_html
from osiris_lsp.connectors.resilience.rate_limit import RateLimitConfig

_ID: Final = re.compile(r"[0-9]{1,12}")


class HackerNewsConnector(ServiceConnector):
    """Stories and comments; ids are the numbers of items (https://hn.algolia.com/api)."""

    name = "Hacker News"
    source_type = SourceType.SOCIAL_MEDIA
    default_url = "https://hn.algolia.com/api/v1"
    default_limit = RateLimitConfig(10_000, 3600.0, burst_size=100)
    confidence = 0.6
    authority = 0.5

    async def search(
        self, query: str, limit: int = 10, *, tags: str = "story", **options: Any
    ) -> list[Evidence]:
        """Search by relevance; `tags` as Algolia has them, `(story,comment)` for either."""
        words, size = checked(query, limit), min(limit, 100)

        async def page(turn: int) -> tuple[Sequence[Evidence], int | None]:
            params = {"query": words, "tags": tags, "hitsPerPage": size, "page": turn}
            body = await self._ask("search", "/search", params=params)
            found = [
                self._item(item, text(item, "objectID"))
                for item in items(body, "hits", where=self.name)
            ]
            return found, turn + 1 if turn + 1 < number(body, "nbPages") else None

        return await self._turn(limit, 0, page)

    async def _load(self, evidence_id: str) -> Evidence | None:
        if not _ID.fullmatch(evidence_id):
            return None
        body = await self._ask("fetch", f"/items/{evidence_id}")
        return self._item(body, text({"id": part(body, "id", where=self.name)}, "id"))

    def _item(self, item: Mapping[str, Any], id: str) -> Evidence:
        title = text(item, "title") or text(item, "story_title")
        html = text(item, "text") or text(item, "story_text") or text(item, "comment_text")
        page = f"https://news.ycombinator.com/item?id={id}"
        return self._evidence(
            id,
            page,
            text_of_html(html)[1] or title,
            title=title,
            url=text(item, "url") or page,
            created_at=text(item, "created_at") or None,
            author=text(item, "author") or None,
            metadata={"points": number(item, "points"), "comments": number(item, "num_comments")},
        )
