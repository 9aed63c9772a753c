"""Hacker News: one story of the front page."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.inquiry import Inquiry


class HackernewsConnector(Inquiry):
    """The search of Hacker News, which needs no key."""

    family: ClassVar[str] = "hackernews"
    _path: ClassVar[str] = "/search"
    _params: ClassVar[Mapping[str, str]] = {"tags": "front_page", "hitsPerPage": "1"}

    def _facts(self, answer: Any) -> Mapping[str, Any] | None:
        """Tell nothing more than that it answers."""
        hits = answer.get("hits") if isinstance(answer, Mapping) else None
        return {} if isinstance(hits, list) else None


CONNECTOR: Final = HackernewsConnector()
