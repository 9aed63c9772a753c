"""Pages of strangers: what is read, and above all what is not."""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme

from osiris_lsp.connectors import (
    ConnectorAuthError,
    ConnectorCircuitOpenError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorRateLimitError,
    ConnectorTimeoutError,
    ConnectorValidationError,
    RetryExhaustedError,
    WebConnector,
)
from osiris_lsp.connectors.evidence import pages
from osiris_lsp.connectors.evidence.pages import Address, is_public
from tests.connectors.evidence.notes import Time, in_time
from tests.connectors.evidence.sources import BY_NAME
from tests.doubles import faults, keyed_sources
from tests.doubles.messages import CANARY, Answer, Request, as_json
from tests.doubles.server import Server

HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = (
    b"<!doctype html><html><head><title>On tea</title><style>p{}</style></head><body>"
    b"<script>var c4n4ry</script><h1>Tea</h1><p>Hot &amp; <b>good</b>.</p></body></html>"
)


def run(work: Any) -> Any:
    """Run one coroutine in an event loop of its own."""
    return asyncio.run(work)


class Site:
    """A site with pages by path; without `robots.txt` unless it is given one."""

    def __init__(self, **paths: Answer) -> None:
        self.paths = {f"/{name}": answer for name, answer in paths.items()}

    def __call__(self, request: Request) -> Answer:
        """Answer by path."""
        return self.paths.get(request.path, Answer(404, b"<h1>404</h1>", HTML))


def robots(text: str) -> dict[str, Answer]:
    """The page of that name."""
    return {"robots.txt": Answer(200, text.encode(), {"Content-Type": "text/plain"})}


def local(address: Address) -> bool:
    """What tests allow: this machine."""
    return address.is_loopback


def web(**options: Any) -> WebConnector:
    """A connector that may read from this machine, and tries once."""
    return WebConnector(**{"max_retries": 0, "allowed": local, **in_time(Time()), **options})


def error_of(url: str, **options: Any) -> ConnectorError:
    """What it comes to to read a page."""
    with pytest.raises(ConnectorError) as caught:
        run(web(**options).fetch(url))
    return caught.value


@pytest.mark.inventory("S3-TYPE-04", "S3-BASE-07")
def test_a_page() -> None:
    """Its title and its text, without what a reader does not see; kept in the cache."""
    with Server(Site(tea=Answer(200, PAGE, HTML))) as server:
        connector = web(api_key=keyed_sources.KEY)
        found = run(connector.fetch(f"{server.url}/tea"))
        again = run(connector.fetch(f"{server.url}/tea"))
    assert (found.title, found.content) == ("On tea", "Tea\nHot & good.")
    assert (found.url, again) == (f"{server.url}/tea", found)
    assert [request.path for request in server.requests] == ["/robots.txt", "/tea"]
    sent = [request.headers for request in server.requests]
    assert keyed_sources.KEY not in str([headers.items() for headers in sent])
    assert all(headers["User-Agent"].startswith("osiris-lsp/") for headers in sent)


PRIVATE = (
    *("127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1"),
    *("::", "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1"),
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo of 127.0.0.1
)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    """Networks of one's own, of the machine, of clouds, and IPv6 forms of them."""
    assert is_public(ipaddress.ip_address(address)) is False


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::"]
)
def test_public_addresses(address: str) -> None:
    """What is on the internet is allowed."""
    assert is_public(ipaddress.ip_address(address)) is True


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]",
     "[::ffff:127.0.0.1]", "169.254.169.254", "0", "10.1.2.3"],
)  # fmt: skip
def test_by_default_nothing_private_is_reached(host: str) -> None:
    """However the address is written: not one connection is made."""
    with Server(Site()) as server:
        error = error_of(f"http://{host}:{server.port}/", allowed=is_public)
    assert (type(error), error.code) == (ConnectorPermissionError, "web.private_address")
    assert server.connections == 0
    default = WebConnector()._pages._allowed
    assert default is is_public


def names(found: dict[str, Sequence[str]]) -> tuple[list[str], pages.LookUp]:
    """A name server, and what it was asked."""
    asked: list[str] = []

    async def look_up(host: str, port: int, timeout: float) -> Sequence[str]:
        asked.append(host)
        return found[host]

    return asked, look_up


def test_a_name_that_leads_inside() -> None:
    """Also where only one of its addresses does."""
    for addresses in (["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:127.0.0.1"]):
        _, look_up = names({"evil.example": addresses})
        error = error_of("http://evil.example/", allowed=is_public, look_up=look_up)
        assert error.code == "web.private_address"


def test_rebinding() -> None:
    """The connection goes to the address that was looked at; the name is not looked up again."""
    with Server(Site(tea=Answer(200, PAGE, HTML))) as server:
        asked, look_up = names({"tea.example": ["127.0.0.1"]})
        found = run(web(look_up=look_up).fetch(f"http://tea.example:{server.port}/tea"))
    assert found.title == "On tea"
    assert asked == ["tea.example"] * 2  # for robots.txt and for the page, once each
    hosts = {request.headers["Host"] for request in server.requests}
    assert hosts == {f"tea.example:{server.port}"}


def test_an_address_of_ipv6() -> None:
    """It is pinned, too; one that takes no connection gives way to the next."""
    both: dict[str, Sequence[str]] = {"tea.example": ["127.0.0.2", "::1"]}
    with Server(Site(tea=Answer(200, PAGE, HTML)), host="::1") as server:
        _, look_up = names(both)
        found = run(web(look_up=look_up).fetch(f"http://tea.example:{server.port}/tea"))
    assert found.title == "On tea"


def test_rebinding_between_two_requests() -> None:
    """What was public for robots.txt and is not for the page is refused."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    async def look_up(host: str, port: int, timeout: float) -> Sequence[str]:
        return next(answers)

    with Server(Site(tea=Answer(200, PAGE, HTML))) as server:
        error = error_of(f"http://tea.example:{server.port}/tea", look_up=look_up)
    assert error.code == "web.private_address"


def test_certificates_are_for_the_name(tmp_path: Path) -> None:
    """Though the connection goes to an address, the certificate has to be that of the host."""
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("tea.example").configure_cert(server_side)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    _, look_up = names({"tea.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]})
    options = {"look_up": look_up, "page_ssl_context": trusting}
    with Server(Site(tea=Answer(200, PAGE, HTML)), tls=server_side) as server:
        found = run(web(**options).fetch(f"https://tea.example:{server.port}/tea"))
        assert found.title == "On tea"
        wrong = error_of(f"https://other.example:{server.port}/tea", **options)
    assert (type(wrong), wrong.code) == (ConnectorNetworkError, "tls.hostname")
    assert [request.path for request in server.requests] == ["/robots.txt", "/tea"]


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:9/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/",
     "//10.0.0.1/x", "http://evil.example/"],
)  # fmt: skip
def test_redirects_inside(target: str) -> None:
    """Each redirect is a new question: none leads to where the first address could not."""
    asked, look_up = names(
        {
            "tea.example": ["127.0.0.1"],
            "evil.example": ["10.9.9.9"],
            **{host: [host] for host in ("169.254.169.254", "::1", "10.0.0.1")},
            "127.0.0.1": ["127.0.0.2"],
        }
    )
    only = ipaddress.ip_address("127.0.0.1")
    with Server(Site(tea=faults.redirect(target))) as server:
        error = error_of(
            f"http://tea.example:{server.port}/tea",
            look_up=look_up,
            allowed=lambda address: address == only,
        )
    assert (type(error), error.code) == (ConnectorPermissionError, "web.private_address")
    assert len(asked) == 3


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://x/", "gopher://x/", "http://u:p@x/", "http://[x"],
)
def test_redirects_elsewhere(target: str) -> None:
    """Only HTTP, only without credentials."""
    with Server(Site(tea=faults.redirect(target))) as server:
        error = error_of(f"{server.url}/tea")
    assert (type(error), error.code) == (ConnectorValidationError, "web.url")


def test_redirects_that_are_followed() -> None:
    """The page has the address of its end; its own site may say where it is."""
    site = Site(a=faults.redirect("/b"), b=faults.redirect("c?x=1", 308), c=Answer(200, PAGE, HTML))
    with Server(site) as server:
        found = run(web().fetch(f"{server.url}/a"))
    assert (found.id, found.url) == (f"{server.url}/a", f"{server.url}/c?x=1")


def test_redirects_in_a_circle() -> None:
    """They end after five, and it is not tried again."""
    with Server(Site(a=faults.redirect("/a"))) as server:
        error = error_of(f"{server.url}/a", max_retries=3)
    assert error.code == "http.redirect_loop"
    assert [request.path for request in server.requests].count("/a") == 6


@pytest.mark.parametrize(
    "url",
    ["", "x", "tea", "/etc/passwd", "file:///etc/passwd", "ftp://example.com", "http://",
     "http://a:b@127.0.0.1/", "javascript:alert(1)", "http://[", "http://a\0b/", "https://:80/",
     "http://0177.0.0.1/", "http://a b/"],
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    """It is refused before any name is looked up."""
    asked, look_up = names({})
    error = error_of(url, look_up=look_up)
    assert (type(error), error.code, asked) == (ConnectorValidationError, "web.url", [])


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer(200, b"x" * 10_001, HTML), ConnectorParseError, "http.too_large"),
        (Answer(200, b"x" * 2**20, HTML, chunked=True, repeat=500), ConnectorParseError,
         "http.too_large"),
        (Answer(200, b"%PDF", {"Content-Type": "application/pdf"}), ConnectorParseError,
         "web.type"),
        (faults.BROKEN_GZIP, ConnectorParseError, "http.bad_encoding"),
        (faults.status(401), ConnectorAuthError, "http.unauthorized"),
        (faults.status(403), ConnectorPermissionError, "http.forbidden"),
        (faults.status(429, 9), ConnectorRateLimitError, "http.rate_limited"),
        (faults.status(500), ConnectorError, "http.failed"),
        (faults.HANG_UP, ConnectorNetworkError, "http.broken"),
        (faults.SILENT, ConnectorTimeoutError, "timeout.read"),
        (faults.SLOW_BODY, ConnectorTimeoutError, "timeout.read"),
    ],
)  # fmt: skip
def test_pages_that_fail(answer: Answer, kind: type[ConnectorError], code: str) -> None:
    """Too large, no text, broken, or never there: each has its error, in time."""
    with Server(Site(tea=answer)) as server:
        error = error_of(f"{server.url}/tea", max_bytes=10_000, timeout=0.5)
    assert (isinstance(error, kind), error.code) == (True, code)


@pytest.mark.parametrize("status", [404, 410])
def test_pages_that_are_gone(status: int) -> None:
    """There is no such evidence."""
    with Server(Site(tea=faults.status(status))) as server:
        assert run(web().fetch(f"{server.url}/tea")) is None


def test_a_server_that_recovers() -> None:
    """A page is tried again like everything else, with the pause that it asks for."""
    time = Time()
    with Server(Site(tea=Answer(200, PAGE, HTML))) as server:
        server.next(faults.status(404), faults.status(503, 3))
        connector = WebConnector(allowed=local, **in_time(time))
        assert run(connector.fetch(f"{server.url}/tea")).title == "On tea"
    assert time.pauses == [3.0]


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow: /t", False),
        ("User-agent: *\nDisallow: /x", True),
        ("User-agent: *\nDisallow:", True),
        ("User-agent: osiris-lsp\nDisallow: /tea\n\nUser-agent: *\nAllow: /", False),
        ("User-agent: *\nDisallow: /\nUser-agent: osiris-lsp\nAllow: /tea", True),
        ("", True),
    ],
)
def test_robots(rules: str, allowed: bool) -> None:
    """What a site does not let programs read is not read, and its rules are asked for once."""
    with Server(Site(tea=Answer(200, PAGE, HTML), **robots(rules))) as server:
        connector = web()
        for _ in range(2):
            connector._cache.clear()
            if allowed:
                assert run(connector.fetch(f"{server.url}/tea")).title == "On tea"
                continue
            with pytest.raises(ConnectorPermissionError) as caught:
                run(connector.fetch(f"{server.url}/tea"))
            assert caught.value.code == "web.robots"
    assert [request.path for request in server.requests].count("/robots.txt") == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (faults.status(404), ""),
        (faults.status(403), ""),
        (faults.status(401), ""),
        (faults.redirect("/tea"), ""),
        (faults.redirect("/robots.txt"), ""),
        (Answer(200, b"\xff\xfe\0nonsense", {}), ""),
        (faults.status(500), "http.failed"),
        (faults.status(503), "http.failed"),
        (faults.status(429), "http.rate_limited"),
        (faults.HANG_UP, "http.broken"),
        (faults.BROKEN_GZIP, "http.bad_encoding"),
        (Answer(200, b"#" * 10_001, {}), "http.too_large"),
    ],
)
def test_robots_that_cannot_be_read(answer: Answer, code: str) -> None:
    """A site without rules lets all be read; one that fails, nothing (RFC 9309, 2.3.1)."""
    site = Site(tea=Answer(200, PAGE, HTML))
    site.paths["/robots.txt"] = answer
    with Server(site) as server:
        if not code:
            assert run(web().fetch(f"{server.url}/tea")) is not None
            return
        error = error_of(f"{server.url}/tea", max_bytes=10_000)
    assert error.code == code
    assert "/tea" not in [request.path for request in server.requests]


@pytest.mark.inventory("S3-BASE-09")
def test_each_site_has_its_circuit() -> None:
    """One that keeps failing is left alone, and the others are read all the same."""
    with Server(Site(tea=Answer(200, PAGE, HTML))) as server:
        _, look_up = names({"up.example": ["127.0.0.1"], "down.example": ["127.0.0.1"]})
        connector = web(look_up=look_up)
        server.always(faults.status(500))
        for _ in range(5):
            with pytest.raises(ConnectorError):
                run(connector.fetch(f"http://down.example:{server.port}/tea"))
        server.always(None)
        with pytest.raises(ConnectorCircuitOpenError):
            run(connector.fetch(f"http://down.example:{server.port}/tea"))
        assert run(connector.fetch(f"http://up.example:{server.port}/tea")) is not None


def test_each_redirect_asks_its_site() -> None:
    """A page that leads to a site that wants no programs ends there."""
    with Server(Site(x=Answer(200, PAGE, HTML), **robots("User-agent: *\nDisallow: /"))) as closed:
        with Server(Site(tea=faults.redirect(f"{closed.url}/x"))) as server:
            error = error_of(f"{server.url}/tea")
        assert error.code == "web.robots"
        assert [request.path for request in closed.requests] == ["/robots.txt"]


def test_pages_take_their_time() -> None:
    """No more than ten at once, and one a second from then on."""
    time = Time()
    with Server(Site(tea=Answer(200, PAGE, HTML))) as server:
        connector = web(**in_time(time))
        for number in range(11):
            run(connector.fetch(f"{server.url}/tea?{number}"))
    assert time.pauses == [1.0]


def test_a_name_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of the network."""
    import socket

    def unknown(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = error_of("http://nowhere.example/")
    assert (type(error), error.code) == (ConnectorNetworkError, "dns.nxdomain")


SEARCH_FAULTS: tuple[tuple[Answer, type[ConnectorError], float | None], ...] = (
    (keyed_sources.BRAVE_BAD_KEY, ConnectorAuthError, None),
    (as_json(422, {"error": {"code": "VALIDATION"}}), ConnectorValidationError, None),
    (
        as_json(429, {}, {"X-RateLimit-Remaining": "0, 900", "X-RateLimit-Reset": "1, 1419704"}),
        ConnectorRateLimitError,
        1.0,
    ),
    (
        as_json(429, {}, {"X-RateLimit-Remaining": "1, 0", "X-RateLimit-Reset": "1, 1419704"}),
        ConnectorRateLimitError,
        1419704.0,
    ),
    (as_json(429, {}), ConnectorRateLimitError, None),
)


@pytest.mark.parametrize(("answer", "kind", "after"), SEARCH_FAULTS)
def test_brave_search(answer: Answer, kind: type[ConnectorError], after: float | None) -> None:
    """A wrong key has status 422, and of two limits the one that is used up counts."""
    source = BY_NAME["web"]
    with Server(source.double) as server:
        server.always(answer)
        with pytest.raises(ConnectorError) as caught:
            run(source.connector(server, max_retries=0).search("tea"))
    error = caught.value
    assert not isinstance(error, RetryExhaustedError)
    assert (type(error), error.retry_after) == (kind, after)


def test_finds_of_brave_search() -> None:
    """Their marks are taken out; no find is an empty list."""
    source = BY_NAME["web"]
    with Server(source.double) as server:
        connector = source.connector(server)
        found = run(connector.search("tea", limit=1))[0]
        server.always(as_json(200, {"type": "search", "query": {"original": "x"}}))
        assert run(connector.search("nothing")) == []
    assert (found.title, found.content, found.author) == ("Page 0", "about tea", "Example")
    assert server.requests[0].headers["X-Subscription-Token"] == keyed_sources.KEY


Check = Callable[[str], bool]


def test_no_canary_in_errors() -> None:
    """What a page says stands in no error."""
    with Server(Site(tea=Answer(500, CANARY.encode(), HTML))) as server:
        error = error_of(f"{server.url}/tea?token={CANARY}")
    assert CANARY not in f"{error} {error!r} {error.__context__!r} {error.__cause__!r}"
