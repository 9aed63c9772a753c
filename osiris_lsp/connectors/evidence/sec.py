"""SEC EDGAR: what companies file with the U.S. Securities and Exchange Commission."""

import asyncio
import dataclasses
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.errors import (
    ConnectorError,
    ConnectorPermissionError,
)
from osiris_lsp.connectors.evidence.base import checked
from osiris_lsp.connectors.evidence.service import ServiceConnector, limited
from osiris_lsp.connectors.evidence.shape import inner, items, number, text
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from osiris_lsp.connectors.markup import text_of_html
from osiris_lsp.connectors.resilience.rate_limit import RateLimitConfig, retry_after

if TYPE_CHECKING:
    import httpx2

_ID: Final = re.compile(r"(\d{1,10}):(\d{10}-\d{2}-\d{6}):([\w-][\w.-]{0,150})", re.ASCII)
_CONTACT: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_BLOCKED: Final = 600.0
"""Seconds that the SEC shuts out who asks too often."""


class SECConnector(ServiceConnector):
    """Filings since 2001; ids are `cik:accession number:file`.

    `user_agent` has to name a contact (`Example Inc. data@example.com`), and ten requests a second
    are the limit. https://www.sec.gov/search-filings/edgar-search-assistance/accessing-edgar-data,
    https://www.sec.gov/edgar/search/efts-faq.html (the full text search)
    """

    name = "SEC EDGAR"
    source_type = SourceType.PUBLICATION
    needs = "user_agent"
    default_url = "https://efts.sec.gov/LATEST"
    default_limit = RateLimitConfig(10, 1.0)
    confidence = 0.9
    authority = 0.95

    def __init__(
        self,
        *,
        user_agent: str = "",
        archives_url: str = "https://www.sec.gov/Archives",
        **options: Any,
    ) -> None:
        super().__init__(user_agent=user_agent, **options)
        self._agent = user_agent
        self._archives = self._client_for(
            dataclasses.replace(self._client.config, base_url=archives_url)
        )
        self._archives.rate_limiter = self._client.rate_limiter  # one limit for all of the SEC

    @property
    def is_configured(self) -> bool:
        """Whether the SEC is told whom it can ask."""
        return bool(_CONTACT.search(self._agent))

    async def close(self) -> None:
        """Close connections; the next call opens others."""
        await super().close()
        await self._archives.release()

    async def search(
        self, query: str, limit: int = 10, *, forms: Sequence[str] = (), **options: Any
    ) -> list[Evidence]:
        """Search the full text of filings, of some forms (`10-K`) or of all.

        What comes back names the filings; `fetch` reads one.
        """
        words = checked(query, limit)
        fixed = {"q": words, **({"forms": ",".join(forms)} if forms else {})}

        async def page(start: int) -> tuple[Sequence[Evidence], int | None]:
            body = await self._ask("search", "/search-index", params={**fixed, "from": start})
            hits = items(body, "hits", "hits", where=self.name)
            found = [made for hit in hits if (made := self._filing(hit)) is not None]
            end = start + len(hits)
            return found, end if end < number(body, "hits", "total", "value") else None

        return await self._turn(limit, 0, page)

    async def _load(self, evidence_id: str) -> Evidence | None:
        match = _ID.fullmatch(evidence_id)
        if match is None or ".." in match[3]:
            return None
        self._require()
        cik, accession, file = match.groups()
        path = _path(cik, accession, file)
        async with self._open():
            call = partial(self._archives.get, f"/{path}")
            answer = await self._request_with_retry(call, "fetch")
        raw = answer.body if isinstance(answer.body, str) else ""
        title, content = await asyncio.to_thread(text_of_html, raw)
        base = self._archives.config.base_url.rstrip("/")
        return self._evidence(evidence_id, f"{base}/{path}", content, title=title or file)

    def _refusal(self, response: "httpx2.Response", where: str) -> ConnectorError | None:
        """Tell too many requests from a User-Agent that is refused: both come as a page."""
        if response.status_code == 429 or (
            response.status_code == 403 and "Request Rate Threshold" in response.text
        ):
            after = retry_after(response.headers.get("retry-after"), self._wall())
            return limited(where, _BLOCKED if after is None else after)
        if response.status_code == 403:
            return ConnectorPermissionError(
                f"{where} was answered with 403",
                code="http.forbidden",
                stage="auth",
                field="user_agent",
                remedy="set `user_agent` to a name and an e-mail address of yours",
            )
        return None

    def _filing(self, hit: Mapping[str, Any]) -> Evidence | None:
        accession, _, file = text(hit, "_id").partition(":")
        source = inner(hit, "_source")
        ciks = inner(source, "ciks")
        cik = text({"cik": ciks[0]}, "cik").lstrip("0") if isinstance(ciks, list) and ciks else ""
        if not _ID.fullmatch(f"{cik}:{accession}:{file}"):
            return None
        names = inner(source, "display_names")
        company = ", ".join(map(str, names)) if isinstance(names, list) else ""
        form, filed = text(source, "form") or text(source, "file_type"), text(source, "file_date")
        about = text(source, "file_description")
        base = self._archives.config.base_url.rstrip("/")
        return self._evidence(
            f"{cik}:{accession}:{file}",
            f"{base}/{_path(cik, accession, file)}",
            " ".join(filter(None, (form, about, f"of {company}, filed {filed}"))),
            title=f"{form} of {company}",
            created_at=filed or None,
            author=company or None,
            metadata={"form": form, "period": text(source, "period_ending"), "cik": cik},
        )


def _path(cik: str, accession: str, file: str) -> str:
    return f"edgar/data/{int(cik)}/{accession.replace('-', '')}/{file}"
