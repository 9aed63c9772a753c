"""What single sources do in their own way."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import (
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorQuotaError,
    ConnectorRateLimitError,
    ConnectorValidationError,
    GitHubConnector,
    ResolvedConnection,
    RetryExhaustedError,
    WhisperConnector,
    evidence_connector,
)
from tests.connectors.evidence.notes import NOW, Time, in_time
from tests.connectors.evidence.sources import BY_NAME, SOURCES
from tests.doubles import faults, keyed_sources, open_sources
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.server import Server
from tests.services.certificates import Certificates

KEY = keyed_sources.KEY


def run(work: Any) -> Any:
    """Run one coroutine in an event loop of its own."""
    return asyncio.run(work)


def error_of(family: str, answer: Answer, query: str = "tea", **options: Any) -> ConnectorError:
    """What a search comes to when the source answers like this, without any further try."""
    source = BY_NAME[family]
    with Server(source.double) as server:
        connector = source.connector(server, max_retries=0, **options)
        if family == "reddit":
            run(connector.search("tea", limit=1))
        server.always(answer)
        with pytest.raises(ConnectorError) as caught:
            run(connector.search(query))
    return caught.value


# GitHub


def test_github_asks_as_its_documentation_says() -> None:
    """Version, media type, token, and always the kind of what is searched for."""
    with Server(keyed_sources.github) as server:
        connector = BY_NAME["github"].connector(server)
        assert isinstance(connector, GitHubConnector)
        found = run(connector.search("tea label:bug", limit=3, kind="pull-request"))
    request = server.requests[0]
    assert request.query == {"q": "tea label:bug is:pull-request", "per_page": "3", "page": "1"}
    assert request.bearer == keyed_sources.TOKEN
    assert request.headers["X-GitHub-Api-Version"] == "2022-11-28"
    assert request.headers["Accept"] == "application/vnd.github+json"
    assert found[2].metadata == {
        "kind": "pull-request",
        "state": "open",
        "comments": 2,
        "labels": ["bug"],
    }
    assert found[1].content == "Issue 2"


def test_github_discussions() -> None:
    """They are searched with GraphQL, page by page, and fetched where a number is no issue."""
    with Server(keyed_sources.github) as server:
        connector = BY_NAME["github"].connector(server)
        assert isinstance(connector, GitHubConnector)
        found = run(connector.search("tea", kind="discussion"))
        one = run(connector.fetch("o/r#99"))
        none = run(connector.fetch("o/r#98"))
        public = GitHubConnector(base_url=server.url)
        assert run(public.fetch("o/r#99")) is None
        with pytest.raises(ConnectorConfigError) as caught:
            run(public.search("tea", kind="discussion"))
    assert [item.id for item in found] == ["o/r#1", "o/r#2"]
    assert (one.id, one.metadata["kind"], none) == ("o/r#99", "discussion", None)
    assert caught.value.field == "token"


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (keyed_sources.primary_limit(NOW + 20), 20.0),
        (keyed_sources.primary_limit(NOW - 5), 0.0),
        (keyed_sources.SECONDARY_LIMIT, 60.0),
        (as_json(403, {"message": "secondary"}, {"Retry-After": "9"}), 9.0),
        (as_json(429, {}, {"Retry-After": "9"}), 9.0),
    ],
)
def test_github_limits(answer: Answer, after: float) -> None:
    """The status of a limit is that of missing rights; the headers tell it, and how long it is."""
    error = error_of("github", answer)
    assert (type(error), error.retry_after) == (ConnectorRateLimitError, after)


def test_github_graphql_errors() -> None:
    """They come with status 200; one is a limit."""
    kinds = {"RATE_LIMITED": ConnectorRateLimitError, "FORBIDDEN": ConnectorAPIError}
    for kind, expected in kinds.items():
        with Server(keyed_sources.github) as server:
            connector = BY_NAME["github"].connector(server, max_retries=0)
            assert isinstance(connector, GitHubConnector)
            server.always(as_json(200, {"errors": [{"type": kind, "message": CANARY}]}))
            with pytest.raises(expected) as caught:
                run(connector.search("tea", kind="discussion"))
        assert CANARY not in str(caught.value)


# arXiv


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("electron", "all:electron"),
        ('black "hole" (x)', "all:black AND all:hole AND all:x"),
        ("ti:electron AND au:bohr", "ti:electron AND au:bohr"),
        ("cat:cs.LG", "cat:cs.LG"),
    ],
)
def test_arxiv_queries(query: str, sent: str) -> None:
    """Words are looked for in all fields; a query in the language of arXiv stays as it is."""
    with Server(open_sources.arxiv) as server:
        run(BY_NAME["arxiv"].connector(server).search(query, limit=1))
    assert server.requests[0].query["search_query"] == sent


def test_arxiv_papers() -> None:
    """Authors, categories, DOI and the PDF are kept."""
    with Server(open_sources.arxiv) as server:
        found = run(BY_NAME["arxiv"].connector(server).fetch("2101.00001"))
    assert (found.title, found.author) == ("Paper 1 & more", "Ada, Bob")
    assert found.metadata == {
        "updated": "2021-02-02T03:04:05Z",
        "categories": ["cs.LG"],
        "doi": "10.1/x",
        "pdf": "http://arxiv.org/pdf/2101.00001v1",
    }


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<feed xmlns="http://www.w3.org/2005/Atom">&b;</feed>'
)
OUTSIDE = (
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>&e;</title></feed>'
)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (BOMB, "xml.unreadable"),
        (OUTSIDE, "xml.unreadable"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><feed/>', "xml.unreadable"),
        ("<feed>", "xml.unreadable"),
        ("", "xml.unreadable"),
        ("c4n4ry", "xml.unreadable"),
        ("<a>" * 100_000, "xml.unreadable"),
        ('<?xml version="1.0" encoding="utf-99"?><feed/>', "xml.unreadable"),
        ("<feed/>", "answer.shape"),
    ],
)
def test_hostile_xml(body: str, code: str) -> None:
    """Entities, files, other addresses, and what is no XML: refused, and nothing of it shown."""
    error = error_of("arxiv", Answer(200, body.encode(), open_sources.ATOM))
    assert (type(error), error.code) == (ConnectorParseError, code)
    assert CANARY not in repr(error.__context__)


def test_arxiv_errors() -> None:
    """They are a feed with a single entry, with status 400 or 200."""
    for status in (200, 400):
        error = error_of("arxiv", open_sources.feed(open_sources.ARXIV_ERROR, status=status))
        assert isinstance(error, ConnectorValidationError)


# Wikipedia


@pytest.mark.parametrize(
    ("answer", "kind", "after"),
    [
        (open_sources.wiki_error("maxlag", {"Retry-After": "5"}), ConnectorRateLimitError, 5.0),
        (open_sources.wiki_error("ratelimited"), ConnectorRateLimitError, 5.0),
        (open_sources.wiki_error("badvalue"), ConnectorValidationError, None),
        (open_sources.wiki_error("internal_api_error_DBQueryError"), ConnectorAPIError, None),
        (as_json(200, {"error": {"code": "readonly"}}), ConnectorAPIError, None),
    ],
)
def test_wikipedia_errors(answer: Answer, kind: type[ConnectorError], after: float | None) -> None:
    """They come with status 200; a server that lags is asked again later."""
    error = error_of("wikipedia", answer)
    assert (type(error), error.retry_after) == (kind, after)
    assert CANARY not in str(error)


def test_wikipedia_pages() -> None:
    """Titles work as ids, snippets lose their tags, and the address is that of the wiki."""
    with Server(open_sources.wikipedia) as server:
        connector = BY_NAME["wikipedia"].connector(server)
        found = run(connector.search("tea", limit=1))[0]
        page = run(connector.fetch("Page 6/ä"))
        assert run(connector.fetch("No such page")) is None
    assert (found.content, found.metadata) == ("tea & cake", {"words": 7})
    assert (page.id, page.content) == ("7", "All of it.")
    assert page.url == f"{server.url}/wiki/Page_6/%C3%A4"
    assert "osiris-lsp" in server.requests[0].headers["User-Agent"]
    assert server.requests[0].query["maxlag"] == "5"


# NewsAPI, Reddit, X, SEC


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "apiKeyInvalid", ConnectorAuthError),
        (401, "apiKeyDisabled", ConnectorAuthError),
        (429, "rateLimited", ConnectorRateLimitError),
        (429, "apiKeyExhausted", ConnectorQuotaError),
        (400, "parameterInvalid", ConnectorValidationError),
        (426, "maximumResultsReached", ConnectorAPIError),
    ],
)
def test_newsapi_errors(status: int, code: str, kind: type[ConnectorError]) -> None:
    """The code decides: a plan that is used up is no reason to try again."""
    error = error_of("newsapi", keyed_sources.news_error(status, code))
    assert (type(error), CANARY in str(error)) == (kind, False)


def test_reddit_asks_for_one_token() -> None:
    """It is kept for its day; a subreddit can be searched alone; a limit names its end."""
    source, time = BY_NAME["reddit"], Time()
    with Server(source.double) as server:
        connector = source.connector(server, time)
        run(connector.search("tea", limit=25, subreddit="python"))
        run(connector.search("tea", limit=1))
        paths = [request.path for request in server.requests]
    assert paths == ["/api/v1/access_token", *["/r/python/search"] * 3, "/search"]
    assert server.requests[1].query["restrict_sr"] == "1"
    assert server.requests[0].form() == {"grant_type": "client_credentials"}
    headers = {"X-Ratelimit-Remaining": "0.0", "X-Ratelimit-Reset": "12"}
    assert error_of("reddit", as_json(429, {}, headers)).retry_after == 12.0


def test_reddit_says_when_nothing_is_left() -> None:
    """The last request of a window is answered; the next waits until the window ends."""
    source, time = BY_NAME["reddit"], Time()
    body = {"kind": "Listing", "data": {"after": None, "children": []}}
    headers = {"X-Ratelimit-Remaining": "0.0", "X-Ratelimit-Reset": "12"}
    with Server(source.double) as server:
        connector = source.connector(server, time)
        run(connector.search("tea", limit=1))
        server.next(as_json(200, body, headers))
        run(connector.search("last"))
        run(connector.search("next", limit=1))
    assert time.pauses == [12.0]


def test_x_particulars() -> None:
    """Ten posts are the fewest, no find is no error, authors have names, a limit has an end."""
    source = BY_NAME["twitter"]
    with Server(source.double) as server:
        connector = source.connector(server)
        found = run(connector.search("tea", limit=2))
        assert run(connector.search("nothing")) == []
    assert server.requests[0].query["max_results"] == "10"
    assert (len(found), found[0].author, found[0].url) == (
        2,
        "ada",
        "https://x.com/ada/status/1000",
    )
    limit = as_json(429, {"title": "Too Many Requests"}, {"x-rate-limit-reset": f"{NOW + 90:.0f}"})
    assert error_of("twitter", limit).retry_after == 90.0
    assert isinstance(error_of("twitter", as_json(402, {})), ConnectorQuotaError)


def test_sec_particulars() -> None:
    """Forms can be chosen; who asks too often is told from whom the SEC does not know."""
    source = BY_NAME["sec"]
    with Server(source.double) as server:
        connector = source.connector(server)
        found = run(connector.search("risk", limit=1, forms=("10-K", "8-K")))[0]
        whole = run(connector.fetch(found.id))
    assert server.requests[0].query == {"q": "risk", "forms": "10-K,8-K", "from": "0"}
    assert found.url == f"{server.url}/edgar/data/320193/000032019323000000/aapl-0.htm"
    assert (whole.title, whole.content, whole.url) == ("10-K", "Going concern", found.url)
    assert server.requests[1].headers["User-Agent"] == "Example a@example.com"
    limited = error_of("sec", open_sources.SEC_BLOCKED)
    assert (type(limited), limited.retry_after) == (ConnectorRateLimitError, 600.0)
    unknown = error_of("sec", open_sources.SEC_UNDECLARED)
    assert (type(unknown), unknown.field) == (ConnectorPermissionError, "user_agent")


# Whisper


def whisper(server: Server, root: Path, **options: Any) -> WhisperConnector:
    """A connector to a server, for the files in a folder."""
    given = {"api_key": KEY, "base_url": server.url, **in_time(Time()), **options}
    return WhisperConnector(root=root, **given)


@pytest.mark.inventory("S3-TYPE-04", "S3-BASE-06", "S3-BASE-07")
def test_whisper(tmp_path: Path) -> None:
    """A file is transcribed once; what was transcribed can be searched."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / 'ta"lk\nü.mp3').write_bytes(b"\0\r\n--x" * 100)
    (tmp_path / "other.wav").write_bytes(b"RIFF")
    with Server(keyed_sources.whisper) as server:
        connector = whisper(server, tmp_path, language="en")
        assert run(connector.search("talk")) == []
        found = run(connector.fetch('a/ta"lk\nü.mp3'))
        assert run(connector.fetch('a/ta"lk\nü.mp3')) == found
        run(connector.fetch("other.wav"))
        assert len(server.requests) == 2
        hits = run(connector.search("RIFF bytes")), run(connector.search("600 BYTES"))
    assert found.content.endswith("600 bytes")
    assert found.metadata == {"model": "whisper-1", "language": "english", "seconds": 8.5}
    assert [len(hit) for hit in hits] == [0, 1]
    sent = server.requests[0]
    assert sent.bearer == KEY
    assert b'name="language"\r\n\r\nen\r\n' in sent.body
    assert sent.body.count(b"\r\n--") >= 4


@pytest.mark.parametrize(
    "id",
    ["", "..", "../secret.mp3", "/etc/passwd", "/etc/x.mp3", "link.mp3", "notes.txt", "no.mp3"],
)
def test_files_that_whisper_does_not_send(tmp_path: Path, id: str) -> None:
    """Nothing outside of the folder leaves this machine, and nothing that is no audio file."""
    root = tmp_path / "audio"
    root.mkdir()
    (tmp_path / "secret.mp3").write_bytes(CANARY.encode())
    (root / "notes.txt").write_text(CANARY)
    (root / "link.mp3").symlink_to(tmp_path / "secret.mp3")
    with Server(keyed_sources.whisper) as server:
        assert run(whisper(server, root).fetch(id)) is None
    assert server.requests == []


def test_whisper_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A paid call is only sent again where the server has not begun; sizes are checked before."""
    (tmp_path / "a.mp3").write_bytes(b"abc")
    (tmp_path / "empty.mp3").touch()
    calls = []
    for answer in (faults.status(500), faults.status(503), as_json(429, {}), as_json(401, {})):
        with Server(keyed_sources.whisper) as server:
            server.always(answer)
            with pytest.raises(ConnectorError):
                run(whisper(server, tmp_path).fetch("a.mp3"))
            calls.append(len(server.requests))
    assert calls == [1, 4, 4, 1]
    quota = as_json(429, {"error": {"code": "insufficient_quota", "message": CANARY}})
    with Server(keyed_sources.whisper) as server:
        server.always(quota)
        with pytest.raises(ConnectorQuotaError):
            run(whisper(server, tmp_path).fetch("a.mp3"))
        monkeypatch.setattr("osiris_lsp.connectors.evidence.whisper.MAX_AUDIO", 2)
        for id, code in (("a.mp3", "file.too_large"), ("empty.mp3", "file.empty")):
            with pytest.raises(ConnectorValidationError) as caught:
                run(whisper(server, tmp_path).fetch(id))
            assert caught.value.code == code
        assert len(server.requests) == 1
        with pytest.raises(ConnectorConfigError):
            run(WhisperConnector(api_key=KEY).fetch("a.mp3"))


# From the connections file


@pytest.mark.inventory("S3-TYPE-04", "R-60")
def test_every_family_has_its_connector(tmp_path: Path) -> None:
    """Twelve of them, each made from a resolved connection."""
    made = {}
    with Server(open_sources.sec) as server:
        for source in SOURCES:
            made[source.family] = type(evidence_connector(source.connection(server))).__name__
    more = {
        "local_docs": {"root": "."},
        "whisper": {"root": ".", "api_key": KEY},
        "sql": {"dsn": "sqlite:///x.sqlite"},
    }
    for family, fields in more.items():
        connection = ResolvedConnection(family, "main", fields, base=str(tmp_path))
        made[family] = type(evidence_connector(connection)).__name__
    assert made == {
        "arxiv": "ArXivConnector",
        "github": "GitHubConnector",
        "hackernews": "HackerNewsConnector",
        "local_docs": "LocalDocsConnector",
        "newsapi": "NewsAPIConnector",
        "reddit": "RedditConnector",
        "sec": "SECConnector",
        "sql": "SQLConnector",
        "twitter": "TwitterConnector",
        "web": "WebConnector",
        "whisper": "WhisperConnector",
        "wikipedia": "WikipediaConnector",
    }
    with pytest.raises(ConnectorConfigError, match="no source of evidence"):
        evidence_connector(ResolvedConnection("mysql", "main", {}))


def test_tls_of_a_connection(certificates: Certificates) -> None:
    """`ssl_ca` and `verify` count; without them the server of the tests is not trusted."""
    source = BY_NAME["hackernews"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.pair("good"))
    with Server(source.double, tls=context) as server:
        trusted = {"ssl_ca": str(certificates.ca)}
        for changes in (trusted, {"verify": False}):
            connector = evidence_connector(source.connection(server, **changes), **in_time(Time()))
            assert len(run(connector.search("tea", limit=1))) == 1
        options = {**in_time(Time()), "max_retries": 0}
        with pytest.raises(ConnectorError) as caught:
            run(evidence_connector(source.connection(server), **options).search("tea"))
    assert caught.value.code == "tls.untrusted"


def test_the_timeout_of_a_connection() -> None:
    """A service that never answers is left after `timeout`, as often as it is tried."""
    source = BY_NAME["hackernews"]
    with Server(source.double) as server:
        server.always(faults.SILENT)
        connection = source.connection(server, timeout=0.05)
        connector = evidence_connector(connection, **in_time(Time()), max_retries=1)
        with pytest.raises(RetryExhaustedError) as caught:
            run(connector.search("tea"))
    assert (caught.value.category, len(server.requests)) == ("timeout", 2)
