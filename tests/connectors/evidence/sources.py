"""The sources that speak HTTP, each with a double, a connection to it, and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from osiris_lsp.connectors import ResolvedConnection
from osiris_lsp.connectors.evidence import evidence_connector
from osiris_lsp.connectors.evidence.service import ServiceConnector
from tests.connectors.evidence.notes import Time, in_time
from tests.doubles import keyed_sources as keyed
from tests.doubles import open_sources as free
from tests.doubles.messages import Double
from tests.doubles.server import Server


@dataclass(frozen=True)
class Source:
    """A family, its double, the fields of a connection; `urls` are fields with the double's URL.

    `third` is the id of the third find, `whole` what `fetch` gives for it (empty: as it was found).
    """

    family: str
    double: Double
    third: str
    whole: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    secret: str = ""
    urls: tuple[str, ...] = ("base_url",)
    size: int = 10
    unknown: str = "0"
    found: int = free.COUNT

    def __str__(self) -> str:
        return self.family

    def connection(self, server: Server, **changes: Any) -> ResolvedConnection:
        """Return a connection to a server."""
        urls = dict.fromkeys(self.urls, server.url)
        if "token_url" in urls:
            urls["token_url"] += "/api/v1/access_token"
        return ResolvedConnection(self.family, "main", {**urls, **self.fields, **changes})

    def connector(self, server: Server, time: Time | None = None, **more: Any) -> ServiceConnector:
        """Return a connector that lives in a time of its own."""
        options = {**in_time(time or Time()), **more}
        made = evidence_connector(self.connection(server), **options)
        assert isinstance(made, ServiceConnector)
        return made


SOURCES = (
    Source("arxiv", free.arxiv, "2101.00002v1", "On 2.", unknown="2101.00099", size=45),
    Source(
        "github",
        keyed.github,
        "o/r#3",
        "Body 3",
        {"token": keyed.TOKEN},
        "token",
        unknown="o/r#77",
        size=45,
    ),
    Source("hackernews", free.hackernews, "2", "Tea & cake", unknown="99"),
    Source(
        "newsapi",
        keyed.newsapi,
        "https://example.com/2",
        "",
        {"api_key": keyed.KEY},
        "api_key",
        unknown="https://example.com/99",
        found=30,
    ),
    Source(
        "reddit",
        keyed.Reddit(),
        "t3_x2",
        "Tea & cake",
        {"client_id": keyed.CLIENT, "client_secret": keyed.SECRET, "user_agent": "linux:osiris:1"},
        "client_secret",
        urls=("base_url", "token_url"),
        unknown="t3_x99",
    ),
    Source(
        "sec",
        free.sec,
        "320193:0000320193-23-000002:aapl-2.htm",
        "Going concern",
        {"user_agent": "Example a@example.com"},
        urls=("base_url", "archives_url"),
        unknown="320194:0000320193-23-000002:aapl-2.htm",
    ),
    Source(
        "twitter", keyed.twitter, "1002", "Post 2", {"bearer_token": keyed.KEY}, "bearer_token",
        unknown="5",
    ),
    Source(
        "web", keyed.brave, "https://example.com/2", "", {"api_key": keyed.KEY}, "api_key",
        unknown="",
    ),
    Source("wikipedia", free.wikipedia, "3", "All of it.", unknown="99"),
)  # fmt: skip

BY_NAME = {source.family: source for source in SOURCES}
