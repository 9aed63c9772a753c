"""What all evidence connectors share: options, retries, the circuit, the cache, the records."""

import asyncio
import inspect
import json
from typing import Any

import httpx2
import pytest

from osiris_lsp import connectors
from osiris_lsp.connectors import (
    ConnectorAuthError,
    ConnectorCircuitOpenError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorNotFoundError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
    RetryExhaustedError,
)
from osiris_lsp.connectors.evidence.base import BaseConnector, checked
from osiris_lsp.connectors.evidence.provenance import ProvenanceManager
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from tests.connectors.evidence.notes import Notes, quiet
from tests.connectors.resilience.virtual import Clock
from tests.doubles.messages import CANARY


@pytest.mark.inventory("S3-BASE-01", "S3-TYPE-01")
def test_it_is_abstract() -> None:
    """It cannot be made, and says what is missing."""
    with pytest.raises(TypeError, match="abstract"):
        BaseConnector()  # type: ignore[abstract]
    assert BaseConnector.__abstractmethods__ == {"name", "source_type", "search", "fetch"}


@pytest.mark.inventory("S3-TYPE-01", "S3-TYPE-04")
def test_the_two_kinds_of_connectors() -> None:
    """Twelve are sources of evidence; those of integrations are another kind, with a context."""
    evidence = ("ArXiv", "GitHub", "HackerNews", "LocalDocs", "NewsAPI", "Reddit", "SEC", "SQL",
                "Twitter", "Web", "Whisper", "Wikipedia")  # fmt: skip
    for name in evidence:
        kind = getattr(connectors, f"{name}Connector")
        assert issubclass(kind, BaseConnector)
        assert not inspect.isabstract(kind)
    for name in ("Stripe", "HubSpot", "DocuSign", "PagerDuty"):
        kind = getattr(connectors, f"{name}Connector")
        assert not issubclass(kind, BaseConnector)
        assert inspect.iscoroutinefunction(kind.__aenter__)


@pytest.mark.inventory("S3-BASE-02", "S3-BASE-03", "S3-BASE-05")
def test_properties() -> None:
    """Name, kind of source, and whether there is a key."""
    made = [Notes(), Notes(api_key="k")]
    assert [(item.name, item.source_type) for item in made] == [
        ("Notes", SourceType.WEB_SEARCH)
    ] * 2
    assert [item.is_configured for item in made] == [False, True]


@pytest.mark.inventory("S3-BASE-04")
@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        ((), True),
        (("json", "asyncio"), True),
        (("no_such_module",), False),
        (("no_such_module.below",), False),
        (("json", "no_such_module"), False),
    ],
)
def test_is_available(requires: tuple[str, ...], expected: bool) -> None:
    """A package that is missing makes it False and raises nothing."""

    class Needy(Notes):
        """Needs packages."""

    Needy.requires = requires
    assert Needy().is_available is expected


@pytest.mark.inventory("S3-BASE-09", "S3-BASE-10", "S3-BASE-11")
def test_options_and_their_defaults() -> None:
    """The constructor has the options of the seed, and heeds them."""
    parameters = inspect.signature(BaseConnector.__init__).parameters
    expected = {
        "max_retries": 3,
        "base_delay": 1.0,
        "max_delay": 30.0,
        "enable_circuit_breaker": True,
        "max_cache_entries": 500,
        "cache_ttl_seconds": 3600.0,
    }
    assert {name: parameters[name].default for name in expected} == expected
    chain = ProvenanceManager()
    made = Notes(max_retries=5, base_delay=0.5, max_delay=9, provenance=chain)
    retry = made.retry
    assert (retry.max_retries, retry.initial_delay, retry.max_delay) == (5, 0.5, 9)
    assert made.provenance is chain
    assert made.circuit_breaker is not None
    assert Notes(enable_circuit_breaker=False).circuit_breaker is None


@pytest.mark.inventory("S3-BASE-06", "S3-BASE-07", "S3-TYPE-02")
def test_search_and_fetch() -> None:
    """Both are coroutines; one gives a list, the other a piece of evidence or None."""
    signature = inspect.signature(BaseConnector.search)
    assert list(signature.parameters) == ["self", "query", "limit", "options"]
    assert signature.parameters["limit"].default == 10

    async def main() -> tuple[list[Evidence], Evidence | None]:
        async with Notes() as notes:
            return await notes.search("tea", limit=2), await notes.fetch("tea-1")

    found, fetched = asyncio.run(main())
    assert [item.id for item in found] == ["tea-0", "tea-1"]
    assert fetched == found[1]


@pytest.mark.inventory("S3-BASE-08", "S3-BASE-11", "S3-TYPE-02")
def test_search_and_record() -> None:
    """Each find has its record, for the claim; without a chain there is none."""
    chain = ProvenanceManager()
    found = asyncio.run(Notes(provenance=chain).search_and_record("tea", "claim_123", limit=2))
    assert [record for _, record in found] == list(chain.records)
    assert [record.claim_id for record in chain.records] == ["claim_123"] * 2
    assert all(record is not None and record.matches(item) for item, record in found)
    bare = asyncio.run(Notes().search_and_record(query="tea", limit=3))
    assert [record for _, record in bare] == [None] * 3


def answer(status: int, **headers: str) -> httpx2.HTTPStatusError:
    """What `raise_for_status` raises, with a token in the address."""
    request = httpx2.Request("GET", f"https://example.com/?token={CANARY}")
    response = httpx2.Response(status, headers=headers, request=request)
    try:
        response.raise_for_status()
    except httpx2.HTTPStatusError as error:
        return error
    raise AssertionError("a success")


FAULTS: tuple[tuple[str, Any, type[ConnectorError], int], ...] = (
    ("timeout", TimeoutError, ConnectorTimeoutError, 4),
    ("httpx2 timeout", lambda: httpx2.ReadTimeout(CANARY), ConnectorTimeoutError, 4),
    ("connect", lambda: httpx2.ConnectError(CANARY), ConnectorNetworkError, 4),
    ("reset", lambda: ConnectionResetError(104, "reset"), ConnectorNetworkError, 4),
    ("429", lambda: answer(429), ConnectorError, 4),
    ("500", lambda: answer(500), ConnectorError, 4),
    ("599", lambda: answer(599), ConnectorError, 4),
    ("400", lambda: answer(400), ConnectorError, 1),
    ("401", lambda: answer(401), ConnectorAuthError, 1),
    ("403", lambda: answer(403), ConnectorPermissionError, 1),
    ("404", lambda: answer(404), ConnectorNotFoundError, 1),
    ("422", lambda: answer(422), ConnectorError, 1),
    ("parse", lambda: json.JSONDecodeError("no", CANARY, 0), ConnectorParseError, 1),
    ("ours", lambda: ConnectorAuthError("no"), ConnectorAuthError, 1),
    ("a bug", lambda: RuntimeError(CANARY), ConnectorError, 1),
)


@pytest.mark.inventory("S3-BASE-12", "S3-RETRY-01", "S3-RETRY-02")
@pytest.mark.parametrize(("fault", "kind", "calls"), [f[1:] for f in FAULTS],
                         ids=[f[0] for f in FAULTS])  # fmt: skip
def test_what_is_tried_again(fault: Any, kind: type[ConnectorError], calls: int) -> None:
    """Time-outs, the network, 429 and 5xx; nothing else. No text of the error is shown."""
    made = Notes(**quiet())
    tried = []

    async def fail() -> None:
        tried.append(1)
        raise fault()

    with pytest.raises(ConnectorError) as caught:
        asyncio.run(made._request_with_retry(fail, "search"))
    last = caught.value
    if calls > 1:
        assert isinstance(last, RetryExhaustedError)
        last = last.last_error  # type: ignore[assignment]
    assert (isinstance(last, kind), len(tried)) == (True, calls)
    assert CANARY not in f"{caught.value} {caught.value!r} {last} {last!r}"
    assert not any(isinstance(error, httpx2.HTTPStatusError) for error in behind(caught.value))


def behind(error: BaseException | None) -> list[BaseException]:
    """An error, its causes and its contexts."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is not None and current not in found:
            found.append(current)
            waiting += [current.__cause__, current.__context__]
    return found


@pytest.mark.inventory("S3-BASE-12", "S3-RETRY-03", "S3-RETRY-05")
def test_pauses() -> None:
    """They double up to the limit; what the server asks for is heeded; one too long ends it."""
    plans = {"": [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0], "7": [7.0] * 7, "31": []}
    for said, expected in plans.items():
        options = quiet(max_retries=7)

        async def fail(said: str = said) -> None:
            raise answer(429, **({"Retry-After": said} if said else {}))

        with pytest.raises(ConnectorError):
            asyncio.run(Notes(**options)._request_with_retry(fail, "search"))
        assert options["sleep"] == expected


@pytest.mark.inventory("S3-BASE-12")
def test_it_succeeds_in_the_end() -> None:
    """After failures the result counts; functions without `async` do, too."""
    results = iter([answer(503), answer(429), None])

    def work() -> str:
        failed = next(results)
        if failed is not None:
            raise failed
        return "done"

    assert asyncio.run(Notes(**quiet())._request_with_retry(work, "search")) == "done"


@pytest.mark.inventory("S3-BASE-09", "S3-BASE-12", "R-19", "R-51")
def test_the_circuit() -> None:
    """Five calls that fail open it, whatever their attempts; then nothing is called."""
    clock = Clock()
    made = Notes(**quiet(clock=clock))
    tried = []

    async def fail() -> None:
        tried.append(1)
        raise TimeoutError

    async def call() -> None:
        await made._request_with_retry(fail, "search")

    for _ in range(5):
        with pytest.raises(RetryExhaustedError):
            asyncio.run(call())
    with pytest.raises(ConnectorCircuitOpenError, match=r"Circuit open, 60\.0s remaining"):
        asyncio.run(call())
    assert len(tried) == 20
    clock.now = 60.0
    with pytest.raises(RetryExhaustedError):
        asyncio.run(call())


@pytest.mark.inventory("S3-BASE-10", "S3-BASE-13", "S3-BASE-14")
def test_the_cache() -> None:
    """Values end with their time, the one not used for longest goes first, copies come out."""
    clock = Clock()
    made = Notes(clock=clock)
    for number in range(500):
        made._cache_put(f"k{number}", made.note(str(number)))
    made._cache_put("k0", made.note("newer"))
    made._cache_put("k500", made.note("500"))
    assert (made._cache_get("k1"), made._cache_get("missing")) == (None, None)
    kept = made._cache_get("k0")
    assert kept is not None
    assert kept.title == "newer"
    kept.metadata["spoilt"] = True
    assert made._cache_get("k0") == made.note("newer")
    clock.now = 3599.0
    assert made._cache_get("k2") is not None
    clock.now = 3600.0
    assert made._cache_get("k2") is None


@pytest.mark.inventory("S3-BASE-14", "S3-BASE-10")
def test_cache_stats() -> None:
    """All, those that count, those that have ended; asking changes nothing."""
    clock = Clock()
    made = Notes(clock=clock, cache_ttl_seconds=10, max_cache_entries=7)
    made._cache_put("a", made.note("a"))
    made._cache_put("b", made.note("b"))
    clock.now = 6.0
    made._cache_put("c", made.note("c"))
    clock.now = 12.0
    expected = {"total": 3, "active": 1, "expired": 2, "max_entries": 7, "ttl_seconds": 10.0}
    assert made.get_cache_stats() == made._cache_stats() == expected


@pytest.mark.parametrize(("query", "limit"), [("", 1), (" \n", 1), ("a\0", 1), ("a", 0), ("a", -1)])
def test_queries_that_are_none(query: str, limit: int) -> None:
    """They are refused before anything is sent."""
    with pytest.raises(ConnectorError):
        checked(query, limit)
