"""What holds for every source that speaks HTTP, against a server that follows its documentation."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from osiris_lsp.connectors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNotFoundError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorRateLimitError,
    ProvenanceManager,
    RetryExhaustedError,
    SourceType,
)
from osiris_lsp.connectors.errors import ConnectorAPIError
from osiris_lsp.connectors.evidence.service import MAX_BODY, ServiceConnector
from tests.connectors.evidence.notes import Time
from tests.connectors.evidence.sources import BY_NAME, SOURCES, Source
from tests.connectors.evidence.test_base import behind
from tests.doubles import faults, keyed_sources, open_sources
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.server import Server

each = pytest.mark.parametrize("source", SOURCES, ids=str)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run one coroutine in an event loop of its own."""
    return asyncio.run(work)


@pytest.mark.inventory("S3-TYPE-02", "S3-TYPE-04", "S3-BASE-02", "S3-BASE-03", "S3-BASE-06")
@each
def test_search(source: Source) -> None:
    """The best finds come first, with who said it, when and where."""
    with Server(source.double) as server:
        connector = source.connector(server)
        found = run(connector.search("tea cake", limit=3))
    assert [len(found), found[2].id] == [3, source.third]
    assert {item.source_type for item in found} == {connector.source_type}
    assert isinstance(connector.source_type, SourceType)
    assert (connector.is_available, connector.is_configured) == (True, True)
    for item in found:
        assert item.title
        assert item.content
        assert item.created_at
        assert item.url
        assert item.url.startswith("http")
        assert item.source_id.startswith("http")
        assert item.author or source.family == "wikipedia"
        assert 0 < item.reliability_score < 1
        assert 0 < item.freshness < 1


@pytest.mark.inventory("S3-BASE-06", "S3-TYPE-04")
@each
def test_pages(source: Source) -> None:
    """Pages are turned until there is enough, or until nothing is left."""
    with Server(source.double) as server:
        enough = run(source.connector(server).search("tea", limit=25))
        asked = [request for request in server.requests if "token" not in request.path]
        everything = run(source.connector(server).search("tea", limit=90))
    assert len({item.id for item in enough}) == 25
    assert len(asked) == -(-25 // source.size)
    assert len({item.id for item in everything}) == len(everything) == source.found


@pytest.mark.inventory("S3-BASE-07", "S3-BASE-13", "S3-TYPE-02")
@each
def test_fetch(source: Source) -> None:
    """One piece as a whole, asked for once; then it is in the cache."""
    with Server(source.double) as server:
        connector = source.connector(server)
        if not source.whole:
            run(connector.search("tea", limit=3))
        if source.family == "web":
            return  # what `fetch` does there is tested with pages
        found = run(connector.fetch(source.third))
        asked = len(server.requests)
        again = run(connector.fetch(source.third))
    assert (found.id.removesuffix("v1"), again) == (source.third.removesuffix("v1"), found)
    assert found.content == (source.whole or "Short.\n\nLong… [+100 chars]")
    assert len(server.requests) == asked


HOSTILE = (
    *("", " ", "..", "../x", "a/../../b", "/etc/passwd", "x\0", "%2e%2e/", "a#1", "o/..#1"),
    *("://", "?x=1", "1 OR 1=1", "１２", "t3_../x", "1:0000320193-23-000002:../x", "2" * 500),
)


@pytest.mark.inventory("S3-BASE-07")
@each
def test_ids_that_are_none(source: Source) -> None:
    """What is not there is None; what cannot be an id never leaves the path that it belongs to."""
    if source.family == "web":
        return  # its ids are addresses of pages, tested there
    with Server(source.double) as server:
        connector = source.connector(server)
        assert run(connector.fetch(source.unknown)) is None
        server.requests.clear()
        for id in HOSTILE:
            found = run(connector.fetch(id))
            assert found is None or source.family == "wikipedia"
    paths = {request.path for request in server.requests} - {"/api/v1/access_token"}
    assert paths <= {"/w/api.php"}


@pytest.mark.inventory("S3-BASE-08", "S3-TYPE-02")
@each
def test_search_and_record(source: Source) -> None:
    """Every find is in the chain, which verifies."""
    chain = ProvenanceManager()
    with Server(source.double) as server:
        connector = source.connector(server, provenance=chain)
        found = run(connector.search_and_record("tea", "claim_1", limit=4))
    chain.verify()
    assert [record.evidence_id for record in chain.for_claim("claim_1")] == [
        item.id for item, _ in found
    ]
    assert len(found) == 4


JSON = {"Content-Type": "application/json"}
FAULTS: tuple[tuple[str, Answer, type[ConnectorError], str, int], ...] = (
    ("401", as_json(401, {"x": CANARY}), ConnectorAuthError, "", 1),
    ("403", as_json(403, {"x": CANARY}), ConnectorPermissionError, "http.forbidden", 1),
    ("404", as_json(404, {"x": CANARY}), ConnectorNotFoundError, "http.not_found", 1),
    ("400", as_json(400, {"x": CANARY}), ConnectorAPIError, "http.invalid", 1),
    ("402", as_json(402, {"x": CANARY}), ConnectorAPIError, "http.quota", 1),
    ("429", as_json(429, {}, {"Retry-After": "7"}), ConnectorRateLimitError,
     "http.rate_limited", 4),
    ("429 tomorrow", as_json(429, {}, {"Retry-After": "86400"}), ConnectorRateLimitError,
     "http.rate_limited", 1),
    ("500", faults.status(500), ConnectorAPIError, "http.failed", 4),
    ("503", faults.status(503, 2), ConnectorAPIError, "http.failed", 4),
    ("redirect", faults.redirect("http://169.254.169.254/latest/"), ConnectorAPIError,
     "http.redirect", 1),
    ("bad JSON", Answer(200, b'{"a": "c4n4ry', JSON), ConnectorParseError, "", 1),
    ("deep JSON", Answer(200, b"[" * 200_000, JSON), ConnectorParseError, "", 1),
    ("other JSON", as_json(200, {"status": CANARY}), ConnectorParseError, "", 1),
    ("a list", as_json(200, [CANARY]), ConnectorParseError, "", 1),
    ("login page", faults.LOGIN_PAGE, ConnectorParseError, "", 1),
    ("empty", Answer(200, b"", JSON), ConnectorParseError, "", 1),
    ("bad gzip", faults.BROKEN_GZIP, ConnectorParseError, "http.bad_encoding", 1),
    ("huge", Answer(200, b" " * 2**20, JSON, chunked=True, repeat=9), ConnectorParseError,
     "http.too_large", 1),
)  # fmt: skip


@pytest.mark.inventory("S3-BASE-12", "S3-RETRY-01", "S3-RETRY-02", "S3-RETRY-03", "R-18", "R-54")
@pytest.mark.parametrize(("answer", "kind", "code", "calls"), [f[1:] for f in FAULTS],
                         ids=[f[0] for f in FAULTS])  # fmt: skip
@each
def test_faults(
    source: Source, answer: Answer, kind: type[ConnectorError], code: str, calls: int
) -> None:
    """Each has its error, is tried again only where that helps, and shows nothing of the answer."""
    time = Time()
    with Server(source.double) as server:
        connector = source.connector(server, time)
        if source.family == "reddit":
            run(connector.search("tea", limit=1))  # the token is there
            server.requests.clear()
            time.pauses.clear()
        if source.family == "reddit" and answer.status == 401:
            calls = 4  # one token is fetched anew, and both tries of it are refused
        server.always(answer)
        with pytest.raises(ConnectorError) as caught:
            run(connector.search("tea"))
    error = caught.value
    last = error.last_error if isinstance(error, RetryExhaustedError) else error
    assert isinstance(last, kind)
    if code and not (source.family == "sec" and answer.status == 403):
        assert (last.code or "").startswith(code)
    if source.family != "reddit":
        assert len(server.requests) == calls
    if "Retry-After" in answer.headers and calls == 4:
        assert float(answer.headers["Retry-After"]) in time.pauses
    for item in behind(error):
        assert CANARY not in f"{item} {item!r}" or isinstance(item, json.JSONDecodeError)


@pytest.mark.inventory("S3-BASE-05")
@pytest.mark.parametrize("family", ["newsapi", "reddit", "sec", "twitter", "web"])
def test_without_its_key(family: str) -> None:
    """Nothing is sent, and the field is named."""
    source = BY_NAME[family]
    with Server(source.double) as server:
        kind: Callable[..., ServiceConnector] = type(source.connector(server))
        bare = kind(base_url=server.url)
        assert bare.is_configured is False
        with pytest.raises(ConnectorConfigError) as caught:
            run(bare.search("tea"))
    assert server.requests == []
    assert caught.value.field in source.fields


@pytest.mark.inventory("S3-TYPE-04")
@pytest.mark.parametrize("source", [item for item in SOURCES if item.secret], ids=str)
def test_secrets_do_not_show(source: Source, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in a repr, nor in a log, nor in an error; the key is sent all the same."""
    caplog.set_level(logging.DEBUG)
    with Server(source.double) as server:
        connector = source.connector(server)
        run(connector.search("tea", limit=2))
        server.always(faults.status(500))
        with pytest.raises(ConnectorError) as caught:
            run(connector.search("tea"))
        sent = str([(item.headers.items(), item.body) for item in server.requests])
    shown = [repr(connector), repr(vars(connector)), caplog.text, *map(repr, behind(caught.value))]
    assert [text for text in shown if CANARY in text] == []
    assert CANARY in sent or source.family == "reddit"


@pytest.mark.inventory("S3-BASE-09")
@each
def test_the_wrong_key(source: Source) -> None:
    """A key that the service does not know is an error of who asks, at the first try."""
    if not source.secret:
        return
    with Server(source.double) as server:
        options = {"base_url": server.url, source.secret: "wrong"}
        if source.family == "reddit":
            options |= {"client_id": "x", "token_url": f"{server.url}/api/v1/access_token",
                        "user_agent": "osiris"}  # fmt: skip
        kind: Callable[..., ServiceConnector] = type(source.connector(server))
        with pytest.raises(ConnectorAuthError):
            run(kind(**options).search("tea"))
    assert len(server.requests) == 1


@each
def test_connections_are_closed(source: Source) -> None:
    """After each call, or at the end of `async with`; a connector outlives its event loop."""
    with Server(source.double) as server:
        connector = source.connector(server)
        run(connector.search("tea", limit=1))
        run(connector.search("cake", limit=1))
        assert server.connections >= 2
        before = server.connections

        async def together() -> None:
            async with connector:
                await connector.search("tea", limit=1)
                await connector.search("cake", limit=1)

        run(together())
    assert server.connections == before + 1


def test_searches_beside_each_other() -> None:
    """The first that ends does not take the connections of the other away."""
    source = BY_NAME["wikipedia"]
    with Server(source.double) as server:
        connector = source.connector(server)

        async def both() -> list[int]:
            found = await asyncio.gather(
                connector.search("tea", limit=1), connector.search("cake", limit=45)
            )
            return [len(item) for item in found]

        assert run(both()) == [1, 45]


@pytest.mark.parametrize(
    ("family", "most", "seconds"),
    [("arxiv", 1, 3.0), ("sec", 10, 1.0), ("github", 30, 60.0), ("twitter", 450, 900.0),
     ("reddit", 100, 60.0), ("web", 1, 1.0)],
)  # fmt: skip
def test_limits(family: str, most: int, seconds: float) -> None:
    """A source is asked no more often than it allows."""
    source, time = BY_NAME[family], Time()
    with Server(source.double) as server:
        connector = source.connector(server, time)
        limiter = connector._client.rate_limiter
        assert limiter is not None
        for _ in range(most - 1):
            assert limiter.try_acquire()
        run(connector.search("tea", limit=1))
        assert time.pauses == []
        run(connector.search("cake", limit=1))
    assert time.pauses == [pytest.approx(seconds / most)]


@pytest.mark.inventory("R-19", "S3-BASE-12")
def test_each_attempt_takes_a_token() -> None:
    """The pause before another attempt counts towards what the limit asks for, and no more."""
    source, time = BY_NAME["arxiv"], Time()
    with Server(source.double) as server:
        server.next(faults.status(500))
        assert len(run(source.connector(server, time).search("tea", limit=1))) == 1
    assert time.pauses == [1.0, 2.0]


def test_an_endless_service_ends() -> None:
    """Pages that bring nothing new are not turned for ever."""
    body = open_sources.wikipedia  # the same page again and again
    with Server(body) as server:
        hits = [{"title": "Page", "pageid": 1, "snippet": "x", "timestamp": "2026-01-01"}]
        answer = {"continue": {"sroffset": 1}, "query": {"search": hits}}
        server.always(as_json(200, answer))
        found = run(BY_NAME["wikipedia"].connector(server).search("tea", limit=50))
    assert (len(found), len(server.requests)) == (1, 2)


def test_the_body_is_limited_unpacked() -> None:
    """A small answer that unpacks to a large one is refused, too."""
    import gzip

    packed = gzip.compress(b" " * (MAX_BODY + 2**20))
    with Server(keyed_sources.newsapi) as server:
        server.always(Answer(200, packed, {**JSON, "Content-Encoding": "gzip"}))
        with pytest.raises(ConnectorParseError) as caught:
            run(BY_NAME["newsapi"].connector(server).search("tea"))
    assert caught.value.code == "http.too_large"
