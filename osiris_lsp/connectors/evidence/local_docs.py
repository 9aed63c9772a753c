"""Documents in a folder of this machine."""

import asyncio
import re
from collections.abc import Sequence
from os import PathLike
from typing import Any, Final

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorValidationError
from osiris_lsp.connectors.evidence.base import BaseConnector, checked
from osiris_lsp.connectors.evidence.files import Folder
from osiris_lsp.connectors.evidence.source import Evidence, SourceType, iso_time
from osiris_lsp.connectors.markup import text_of_html

SUFFIXES: Final = (
    *(".md", ".markdown", ".txt", ".rst", ".adoc", ".html", ".htm"),
    *(".json", ".yaml", ".yml", ".toml", ".csv"),
)
MAX_FILE: Final = 2_000_000
"""Bytes of a document that is read; larger ones are left out of a search."""

_AROUND: Final = 300
"""Characters before and behind a word that an excerpt shows."""


class LocalDocsConnector(BaseConnector):
    """Text files below `root`; ids are their paths from there, with `/`.

    Nothing outside of `root` is read: neither by `..`, nor through links.
    """

    name = "Local documents"
    source_type = SourceType.DOCUMENT
    confidence = 0.8
    authority = 0.6

    def __init__(
        self, *, root: str | PathLike[str], suffixes: Sequence[str] = SUFFIXES, **options: Any
    ) -> None:
        super().__init__(**options)
        self._folder = Folder(root)
        self._suffixes = tuple(suffix.lower() for suffix in suffixes)

    @classmethod
    def from_connection(
        cls, connection: ResolvedConnection, **options: Any
    ) -> "LocalDocsConnector":
        """Return the connector of a connection; its `root` counts from the connections file."""
        suffixes = connection.value("suffixes") or SUFFIXES
        return cls(root=connection.path("root"), **{"suffixes": suffixes, **options})

    @property
    def is_configured(self) -> bool:
        """Whether the folder is there."""
        try:
            self._folder.require()
        except ValueError:
            return False
        return True

    async def search(self, query: str, limit: int = 10, **options: Any) -> list[Evidence]:
        """Find documents by their words: those with most of them first, each with an excerpt."""
        words = sorted(set(checked(query, limit).lower().split()))
        return await asyncio.to_thread(self._search, words, limit)

    async def fetch(self, evidence_id: str) -> Evidence | None:
        """Return a document as a whole; None for what is not below `root`, or no text."""
        return await asyncio.to_thread(self._document, evidence_id)

    def _search(self, words: Sequence[str], limit: int) -> list[Evidence]:
        ranked = []
        for name in self._folder.files(self._suffixes):
            try:
                found = self._document(name)
            except ConnectorValidationError:
                continue  # too large to be looked through
            if found is None:
                continue
            lower = f"{name}\n{found.content}".lower()
            counts = [lower.count(word) for word in words]
            if any(counts):
                rank = (-sum(map(bool, counts)), -sum(counts), name)
                ranked.append((rank, found))
                ranked.sort(key=lambda item: item[0])
                del ranked[limit:]
        for _, found in ranked:
            found.content = _excerpt(found.content, words)
        return [found for _, found in ranked]

    def _document(self, name: str) -> Evidence | None:
        if not name.lower().endswith(self._suffixes):
            return None
        read = self._folder.read(name, MAX_FILE)
        if read is None or b"\0" in read[0]:
            return None
        data, changed = read
        content, title = data.decode("utf-8", "replace"), ""
        if name.lower().endswith((".html", ".htm")):
            title, content = text_of_html(content)
        heading = re.search(r"^#\s+(.{1,200})$", content, re.MULTILINE)
        created_at = iso_time(changed)
        return Evidence(
            name,
            self.source_type,
            name,
            content,
            title=title or (heading[1].strip() if heading else name),
            created_at=created_at,
            confidence=self.confidence,
            authority=self.authority,
            freshness=self._freshness(created_at),
            metadata={"bytes": len(data)},
        )


def _excerpt(content: str, words: Sequence[str]) -> str:
    places = [place for word in words if (place := content.lower().find(word)) >= 0]
    start = max(min(places, default=0) - _AROUND, 0)
    return content[start : start + 2 * _AROUND].strip()
