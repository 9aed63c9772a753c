"""The HTTP client framework against a server."""

import asyncio
import gc
import gzip
import logging
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import osiris_lsp
from osiris_lsp.connectors import (
    APIClientConfig,
    APIResponse,
    AuthConfig,
    AuthLocation,
    AuthType,
    BaseAPIClient,
    CircuitBreakerConfig,
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorCircuitOpenError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorNotFoundError,
    ConnectorParseError,
    ConnectorRateLimitError,
    RateLimitConfig,
    RetryConfig,
    RetryExhaustedError,
    create_api_key_auth,
    create_bearer_auth,
)
from tests.connectors.clients.plain import Pauses, Plain, client, within
from tests.services import faults

CANARY = "s3cr3t-c4nary"


@pytest.mark.inventory("S4-CLI-01", "S4-CLI-06", "S4-CFG-01", "S4-CFG-02", "S4-CFG-03", "S4-CFG-07")
def test_what_a_client_needs() -> None:
    """A base URL of its own and a configuration that makes sense."""
    config = APIClientConfig(name="a", base_url="https://api.example.com")
    with pytest.raises(TypeError, match="_build_base_url"):
        BaseAPIClient(config)  # type: ignore[abstract]
    assert (config.auth, config.rate_limit, config.circuit_breaker, config.retry) == (None,) * 4
    assert (config.timeout, config.connect_timeout) == (30.0, 10.0)
    assert (config.max_connections, config.max_keepalive_connections) == (100, 20)
    assert (config.default_headers, config.log_response_body) == ({}, False)
    assert config.log_requests
    assert config.log_responses
    with pytest.raises(TypeError):
        APIClientConfig(name="a")  # type: ignore[call-arg]
    for field, value in {
        "name": "",
        "base_url": "ftp://x",
        "timeout": 0,
        "connect_timeout": float("nan"),
        "max_connections": 0,
    }.items():
        options: dict[str, Any] = {"name": "a", "base_url": "https://x", field: value}
        with pytest.raises(ConnectorConfigError) as caught:
            APIClientConfig(**options)
        assert caught.value.field == field
    with pytest.raises(ConnectorConfigError) as caught:
        APIClientConfig("a", f"https://user:{CANARY}@x")
    assert CANARY not in str(caught.value)


@pytest.mark.inventory("S4-CFG-07", "S4-CFG-03", "S4-CLI-15", "R-61")
def test_the_pool_is_one_of_httpx2(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the limits and timeouts of the configuration; nothing imports its predecessor."""
    given: list[dict[str, Any]] = []

    class Noted(httpx2.AsyncClient):
        def __init__(self, **options: Any) -> None:
            given.append(options)
            super().__init__(**options)

    monkeypatch.setattr(httpx2, "AsyncClient", Noted)
    with faults.refused() as server:
        api = client(
            f"http://127.0.0.1:{server.port}",
            max_connections=7,
            max_keepalive_connections=3,
            timeout=20.0,
            connect_timeout=5.0,
        )
        with pytest.raises(ConnectorNetworkError):
            within(api, lambda api: api.get("/x"))
    (options,) = given
    assert options["limits"] == httpx2.Limits(max_connections=7, max_keepalive_connections=3)
    assert options["timeout"] == httpx2.Timeout(20.0, connect=5.0)
    package = Path(osiris_lsp.__file__).parent
    imports = re.compile(r"^\s*(?:import|from) httpx\b", re.MULTILINE)
    assert [path for path in package.rglob("*.py") if imports.search(path.read_text("utf-8"))] == []


@pytest.mark.inventory("S0-PERF-01")
def test_requests_share_a_connection() -> None:
    """Ten requests one after the other, and the server accepts one connection."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")

    async def use(api: Plain) -> None:
        for _ in range(10):
            assert (await api.get("/x")).body == "fine"

    with faults.serve(behave) as server:
        within(client(f"http://127.0.0.1:{server.port}"), use)
        assert server.accepted == 1


@pytest.mark.inventory("S4-CLI-13")
def test_parts_that_are_not_configured_are_none() -> None:
    """And those that are, are there."""
    bare = client("http://127.0.0.1")
    parts = ("auth_manager", "rate_limiter", "circuit_breaker", "retry_handler")
    assert [getattr(bare, name) for name in parts] == [None] * 4
    full = client(
        "http://127.0.0.1",
        auth=create_bearer_auth("x"),
        rate_limit=RateLimitConfig(),
        circuit_breaker=CircuitBreakerConfig(),
        retry=RetryConfig(),
    )
    assert None not in [getattr(full, name) for name in parts]


@pytest.mark.inventory(
    "S4-CLI-02", "S4-CLI-03", "S4-CLI-04", "S4-CLI-12", "S4-CFG-04", "S0-TEST-01"
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_each_method_arrives_with_its_parts(httpserver: HTTPServer, method: str) -> None:
    """Query, headers, JSON, forms and credentials."""
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        request.get_data()
        return Response('{"ok": [1]}', content_type="application/json; charset=utf-8")

    httpserver.expect_request("/v1/orders").respond_with_handler(answer)
    api = client(
        httpserver.url_for("/v1/"),
        auth=create_api_key_auth(CANARY),
        default_headers={"Accept": "application/json", "X-Mine": "no"},
    )

    async def use(api: Plain) -> APIResponse:
        call = getattr(api, method)
        await call("/orders", data={"d": "e&f"})
        answer: APIResponse = await call(
            "/orders", params={"a": "ä&b"}, json={"c": 1}, headers={"X-Mine": "yes"}
        )
        return answer

    response = within(api, use)
    assert (response.status_code, response.body) == (200, {"ok": [1]})
    assert response.response_time_ms > 0
    form, request = seen
    assert (form.method, form.form.to_dict()) == (method.upper(), {"d": "e&f"})
    assert (request.method, request.args["a"]) == (method.upper(), "ä&b")
    assert request.get_json() == {"c": 1}
    assert request.headers["X-Mine"] == "yes"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["X-API-Key"] == CANARY


@pytest.mark.inventory("S4-CLI-04", "S3-ERR-10", "S3-RETRY-02")
def test_what_an_answer_says(httpserver: HTTPServer) -> None:
    """By its content type; broken JSON is an error, and no reason to ask again."""
    httpserver.expect_request("/text").respond_with_data("[1]", content_type="text/plain")
    httpserver.expect_request("/empty").respond_with_data("", 204)
    httpserver.expect_request("/problem").respond_with_data(
        '{"a": 1}', content_type="application/vnd.api+json"
    )
    for path, body in {"bad": "{" + CANARY, "deep": "[" * 100_000}.items():
        httpserver.expect_request(f"/{path}").respond_with_data(
            body, content_type="application/json"
        )
    httpserver.expect_request("/zip").respond_with_data(
        "no gzip", headers={"Content-Encoding": "gzip"}
    )

    async def use(api: Plain) -> None:
        assert (await api.get("text")).body == "[1]"
        assert (await api.get("empty")).body is None
        assert (await api.get("problem")).body == {"a": 1}
        for path in ("bad", "deep", "zip"):
            with pytest.raises(ConnectorParseError) as caught:
                await api.get(path)
            assert CANARY not in str(caught.value)

    within(client(httpserver.url_for(""), retry=RetryConfig()), use)
    assert len(httpserver.log) == 6


@pytest.mark.inventory(
    "S3-RETRY-01", "S3-RETRY-02", "S4-RET-07", "S4-MET-02", "S3-ERR-02", "S3-ERR-06", "S3-ERR-07",
    "S3-ERR-08", "S3-ERR-09", "R-18", "R-51",
)  # fmt: skip
@pytest.mark.parametrize(
    ("status", "kind", "get", "post"),
    [
        (302, "ConnectorAPIError", 1, 1),
        (400, "ConnectorValidationError", 1, 1),
        (401, "ConnectorAuthError", 1, 1),
        (402, "ConnectorQuotaError", 1, 1),
        (403, "ConnectorPermissionError", 1, 1),
        (404, "ConnectorNotFoundError", 1, 1),
        (408, "ConnectorAPIError", 3, 1),
        (409, "ConnectorAPIError", 1, 1),
        (422, "ConnectorValidationError", 1, 1),
        (429, "ConnectorRateLimitError", 3, 3),
        (500, "ConnectorAPIError", 3, 1),
        (501, "ConnectorAPIError", 1, 1),
        (502, "ConnectorAPIError", 3, 1),
        (503, "ConnectorAPIError", 3, 3),
        (504, "ConnectorAPIError", 3, 1),
    ],
)
def test_what_each_status_means_and_how_often_it_is_tried(
    httpserver: HTTPServer, status: int, kind: str, get: int, post: int
) -> None:
    """A request that changes things is repeated only where nothing can have happened."""
    httpserver.expect_request("/x").respond_with_data(
        CANARY, status, headers={"Location": "https://elsewhere.example.com/"}
    )

    async def use(api: Plain) -> list[ConnectorError]:
        errors = []
        for method in ("GET", "POST"):
            with pytest.raises(ConnectorError) as caught:
                await api.request(method, "/x")
            errors.append(caught.value)
        return errors

    api = client(httpserver.url_for(""), retry=RetryConfig(max_retries=2))
    for error, count in zip(within(api, use), (get, post), strict=True):
        last = error.last_error if isinstance(error, RetryExhaustedError) else error
        assert type(last).__name__ == kind
        assert isinstance(error, RetryExhaustedError) is (count == 3)
        assert CANARY not in str(error)
    assert len(httpserver.log) == get + post
    metrics = api.get_metrics()
    assert (metrics.total_requests, metrics.failed_requests) == (2, 2)
    assert metrics.total_retries == get + post - 2
    assert metrics.rate_limit_hits == (6 if status == 429 else 0)


@pytest.mark.inventory("S3-ERR-09")
def test_a_quota_that_is_used_up_is_not_asked_for_again(httpserver: HTTPServer) -> None:
    """Some services say it with 429 and a word in the body."""
    httpserver.expect_request("/x").respond_with_json(
        {"error": {"code": "insufficient_quota"}}, status=429
    )
    with pytest.raises(ConnectorAPIError) as caught:
        within(client(httpserver.url_for(""), retry=RetryConfig()), lambda api: api.get("/x"))
    assert caught.value.code == "http.quota"
    assert len(httpserver.log) == 1


@pytest.mark.inventory("S3-RETRY-03", "S4-RL-08")
def test_it_waits_as_long_as_the_server_says(httpserver: HTTPServer) -> None:
    """Then it asks again."""
    httpserver.expect_ordered_request("/x").respond_with_data("", 429, headers={"Retry-After": "7"})
    httpserver.expect_ordered_request("/x").respond_with_data("fine")
    pauses = Pauses()
    api = client(httpserver.url_for(""), retry=RetryConfig(), sleep=pauses)
    assert within(api, lambda api: api.get("/x")).body == "fine"
    assert pauses == [7.0]


@pytest.mark.inventory("S4-CLI-14", "R-19")
def test_the_order_of_things(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepare, limiter, breaker, retry, request; a token for each attempt, one outcome."""
    httpserver.expect_ordered_request("/x").respond_with_data("", 500)
    httpserver.expect_ordered_request("/x").respond_with_data("fine")
    api = client(
        httpserver.url_for(""),
        rate_limit=RateLimitConfig(),
        circuit_breaker=CircuitBreakerConfig(),
        retry=RetryConfig(),
    )
    trace: list[str] = []
    for owner, name in (
        (api, "_prepare_request"),
        (api.rate_limiter, "acquire"),
        (api.circuit_breaker, "call"),
        (api.retry_handler, "attempt"),
        (api, "_attempt"),
        (api, "_handle_response"),
    ):
        _traced(monkeypatch, owner, name, trace)
    assert within(api, lambda api: api.get("/x")).body == "fine"
    assert trace == [
        *("_prepare_request", "acquire", "call", "attempt", "_attempt", "_handle_response"),
        *("acquire", "_attempt", "_handle_response"),
    ]


def _traced(patch: pytest.MonkeyPatch, owner: Any, name: str, trace: list[str]) -> None:
    original = getattr(owner, name)

    async def traced(*args: Any, **kwargs: Any) -> Any:
        trace.append(name)
        return await original(*args, **kwargs)

    patch.setattr(owner, name, traced)


@pytest.mark.inventory("S4-CLI-09", "S3-CB-05", "S4-CB-07", "S4-MET-02")
def test_an_open_circuit_lets_no_request_through(httpserver: HTTPServer) -> None:
    """And the client is not healthy for that time; the limiter is not asked either."""
    httpserver.expect_request("/x").respond_with_data("", 500)

    async def use(api: Plain) -> None:
        assert await api.health_check()
        for _ in range(2):
            with pytest.raises(ConnectorAPIError):
                await api.get("/x")
        assert not await api.health_check()
        with pytest.raises(ConnectorCircuitOpenError):
            await api.get("/x")

    api = client(
        httpserver.url_for(""),
        circuit_breaker=CircuitBreakerConfig(failure_threshold=2),
        rate_limit=RateLimitConfig(2, 60.0),
    )
    within(api, use)
    assert len(httpserver.log) == 2
    metrics = api.get_metrics()
    assert (metrics.circuit_breaker_opens, metrics.failed_requests) == (1, 3)
    api.reset_metrics()
    assert api.get_metrics().circuit_breaker_opens == 0


@pytest.mark.inventory("S4-CLI-05", "S4-MET-01", "S4-MET-03", "S4-MET-04", "S4-MET-05")
def test_metrics(httpserver: HTTPServer) -> None:
    """A snapshot stays as it is; nothing is divided by zero."""
    httpserver.expect_request("/x").respond_with_data("fine")
    httpserver.expect_request("/y").respond_with_data("", 404)
    api = client(httpserver.url_for(""))
    before = api.get_metrics()
    assert (before.success_rate, before.average_response_time_ms) == (0, 0)

    async def use(api: Plain) -> None:
        for path in ("/x", "/x", "/y"):
            try:
                await api.get(path)
            except ConnectorError:
                assert path == "/y"

    within(api, use)
    metrics = api.get_metrics()
    assert (metrics.total_requests, metrics.successful_requests) == (3, 2)
    assert (metrics.failed_requests, before.total_requests) == (1, 0)
    assert metrics.success_rate == pytest.approx(2 / 3)
    low, high = metrics.min_response_time_ms, metrics.max_response_time_ms
    assert 0 < low <= metrics.average_response_time_ms <= high
    api.reset_metrics()
    assert api.get_metrics() == before


@pytest.mark.inventory("S4-CLI-07", "S4-CLI-08")
def test_hooks_add_to_requests_and_answers(httpserver: HTTPServer) -> None:
    """As the seed's advanced samples do."""

    class Custom(Plain):
        async def _prepare_request(
            self, method: str, path: str, **kwargs: Any
        ) -> tuple[str, dict[str, str], dict[str, Any], Any, Any]:
            url, headers, params, json, data = await super()._prepare_request(
                method, path, **kwargs
            )
            headers["X-Request-ID"] = "r1"
            params["version"] = "v2"
            return url, headers, params, json, data

        async def _handle_response(self, response: Any, start_time: float) -> APIResponse:
            answer = await super()._handle_response(response, start_time)
            answer.metadata = {"request_id": response.headers["X-Request-ID"]}
            return answer

    httpserver.expect_request(
        "/x", headers={"X-Request-ID": "r1"}, query_string={"version": "v2"}
    ).respond_with_data("fine", headers={"X-Request-ID": "r1"})
    api = Custom(APIClientConfig("test", httpserver.url_for("")))
    assert within(api, lambda api: api.get("/x")).metadata == {"request_id": "r1"}


@pytest.mark.inventory("S4-CLI-10", "S4-CLI-11", "S4-BP-01", "S4-OVR-02", "R-48")
def test_a_session_closes_its_client(httpserver: HTTPServer) -> None:
    """Closing again is no error, use after it is, and forgetting it is a warning."""
    httpserver.expect_request("/x").respond_with_data("fine")

    async def main() -> None:
        async with client(httpserver.url_for("")).session() as api:
            assert (await api.get("/x")).body == "fine"
            http = api._http
        assert http is not None
        assert http.is_closed
        await api.close()
        assert not await api.health_check()
        with pytest.raises(ConnectorConfigError, match="is closed"):
            await api.get("/x")

    asyncio.run(main())

    async def forget() -> None:
        api = client(httpserver.url_for(""))
        await api.get("/x")
        http = api._http
        with pytest.warns(ResourceWarning, match="`test` was not closed"):
            del api
            gc.collect()
        assert http is not None
        await http.aclose()

    asyncio.run(forget())


@pytest.mark.inventory("R-54")
def test_redirects_stay_where_they_are(httpserver: HTTPServer) -> None:
    """Off by default; with them on, credentials never go to another port."""
    httpserver.expect_request("/old").respond_with_data("", 307, headers={"Location": "/new"})
    httpserver.expect_request("/new").respond_with_data("fine")
    other = HTTPServer()
    other.start()
    try:
        httpserver.expect_request("/away").respond_with_data(
            "", 302, headers={"Location": other.url_for("/x")}
        )

        async def use(api: Plain) -> None:
            assert (await api.get("/old")).body == "fine"
            with pytest.raises(ConnectorAPIError) as caught:
                await api.get("/away")
            assert caught.value.code == "http.redirect"

        within(client(httpserver.url_for(""), follow_redirects=True), use)
        with pytest.raises(ConnectorAPIError):
            within(client(httpserver.url_for("")), lambda api: api.get("/old"))
        assert other.log == []
    finally:
        other.stop()


@pytest.mark.inventory("S4-CFG-05", "S4-CFG-06", "R-53")
@pytest.mark.parametrize("body", [False, True])
def test_logs_say_what_happened_without_secrets(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture, body: bool
) -> None:
    """Neither ours nor httpx2's, whatever the service repeats of what it was sent."""
    caplog.set_level(logging.ERROR, "werkzeug")  # the server, which may know
    caplog.set_level(logging.DEBUG)
    httpserver.expect_request("/x").respond_with_data(f"echo {CANARY}\x1b[2J")
    auth = AuthConfig(
        AuthType.API_KEY, CANARY, token_location=AuthLocation.QUERY, token_key="api_key"
    )
    api = client(httpserver.url_for(""), auth=auth, log_response_body=body)
    within(api, lambda api: api.get("/x?also=1"))
    assert httpserver.log[0][0].args.to_dict() == {"also": "1", "api_key": CANARY}
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("osiris_lsp")]
    assert ours[0] == "test: GET localhost/x"
    assert ours[1].startswith("test: GET localhost/x: 200 in ")
    assert ours[2:] == (["test: echo ***\\u001b[2J"] if body else [])
    assert CANARY not in caplog.text + repr(api.config) + repr(auth)
    caplog.clear()
    quiet = client(httpserver.url_for(""), auth=auth, log_requests=False, log_responses=False)
    within(quiet, lambda api: api.get("/x"))
    assert not [r for r in caplog.records if r.name.startswith("osiris_lsp")]
    assert CANARY not in caplog.text


@pytest.mark.inventory("S0-ERR-03")
def test_failures_are_logged_with_what_failed(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Client, method, host, path and the code; as a warning, once for each attempt."""
    with pytest.raises(ConnectorNotFoundError):
        httpserver.expect_request("/x").respond_with_data("", 404)
        within(client(httpserver.url_for("")), lambda api: api.get("/x"))
    (record,) = [r for r in caplog.records if r.name.startswith("osiris_lsp")]
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("test: GET localhost/x: 404 in ")
    caplog.clear()
    caplog.set_level(logging.INFO, "osiris_lsp")
    with faults.refused() as server:
        api = client(f"http://127.0.0.1:{server.port}", retry=RetryConfig(max_retries=1))
        with pytest.raises(RetryExhaustedError):
            within(api, lambda api: api.get("/orders", params={"key": CANARY}))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "test: GET 127.0.0.1/orders"),
        ("WARNING", "test: GET 127.0.0.1/orders: tcp.refused"),
    ] * 2


def test_requests_that_cannot_be_sent_say_so_without_secrets(httpserver: HTTPServer) -> None:
    """A line break in a header, options that nobody knows, and what is no JSON."""

    async def use(api: Plain) -> None:
        wrong: tuple[dict[str, Any], ...] = (
            {"headers": {"X-Key": f"{CANARY}\n"}},
            {"jsn": {}},
            {"json": object()},
        )
        for options in wrong:
            with pytest.raises(ConnectorConfigError) as caught:
                await api.get("/x", **options)
            assert CANARY not in str(caught.value)

    within(client(httpserver.url_for(""), retry=RetryConfig()), use)
    assert httpserver.log == []


@pytest.mark.inventory("S4-RL-09")
def test_the_limiter_holds_requests_back(httpserver: HTTPServer) -> None:
    """And hears what the server says of its own limit."""
    httpserver.expect_request("/x").respond_with_data("", 429, headers={"Retry-After": "9"})
    api = client(httpserver.url_for(""), rate_limit=RateLimitConfig())
    with pytest.raises(ConnectorRateLimitError) as caught:
        within(api, lambda api: api.get("/x"))
    assert caught.value.retry_after == 9
    assert api.rate_limiter is not None
    assert not api.rate_limiter.try_acquire()


def test_credentials_are_not_asked_for_twice_without_oauth(httpserver: HTTPServer) -> None:
    """A key that was refused stays refused."""
    httpserver.expect_request("/x").respond_with_data("", 401)
    with pytest.raises(ConnectorAuthError):
        within(
            client(httpserver.url_for(""), auth=create_bearer_auth("x")), lambda api: api.get("/x")
        )
    assert len(httpserver.log) == 1


LOGIN = "check the credentials"
REQUEST = "check what the request sends"
SAID = {
    301: ("http.redirect", "set `base_url` to where the service is, or allow `follow_redirects`"),
    400: ("http.invalid", REQUEST),
    401: ("http.unauthorized", LOGIN),
    402: ("http.quota", "raise the quota, or pay the bill"),
    403: ("http.forbidden", "check what these credentials may do"),
    404: ("http.not_found", "check the path and `base_url`"),
    407: ("http.proxy", "give the proxy its user and password"),
    422: ("http.invalid", REQUEST),
    429: (
        "http.rate_limited",
        "lower `max_requests` or raise `window_seconds` of `rate_limit`",
    ),
    500: ("http.failed", "try again later, and look at the status page of the service"),
    503: ("http.failed", "try again later, and look at the status page of the service"),
}


@pytest.mark.inventory("S0-ERR-04", "S4-TRB-02")
@pytest.mark.parametrize("status", SAID)
def test_errors_say_what_was_asked_and_what_to_do(httpserver: HTTPServer, status: int) -> None:
    """The client, the method, the path, the status; then the remedy for the code."""
    httpserver.expect_request("/x").respond_with_data("", status)
    with pytest.raises(ConnectorError) as caught:
        within(client(httpserver.url_for("")), lambda api: api.get("/x?also=1"))
    code, remedy = SAID[status]
    assert caught.value.code == code
    assert str(caught.value) == f"`test`: GET /x was answered with {status}; {remedy}"


def test_a_body_of_bytes_is_sent_as_it_is(httpserver: HTTPServer) -> None:
    """Files and forms with files are built elsewhere."""
    httpserver.expect_request("/x", method="POST", data=b"\0raw").respond_with_json({"ok": 1})
    headers = {"Content-Type": "application/octet-stream"}
    answer = within(
        client(httpserver.url_for("/")), lambda api: api.post("x", data=b"\0raw", headers=headers)
    )
    assert answer.body == {"ok": 1}


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large(httpserver: HTTPServer, packed: bool) -> None:
    """It is left at the limit, which counts what is unpacked; one below it is whole."""
    for size, code in ((1000, ""), (1001, "http.too_large")):
        body, headers = b"x" * size, {"Content-Type": "text/plain"}
        if packed:
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        httpserver.expect_request(f"/{size}").respond_with_data(body, headers=headers)
        api = client(httpserver.url_for("/"), max_body=1000)
        if code:
            with pytest.raises(ConnectorParseError) as caught:
                within(api, lambda api, path=f"/{size}": api.get(path))  # type: ignore[misc]
            assert caught.value.code == code
        else:
            answer = within(api, lambda api, path=f"/{size}": api.get(path))  # type: ignore[misc]
            assert answer.body == "x" * size


def test_connections_that_are_released_come_back(httpserver: HTTPServer) -> None:
    """A client can be used again after `release`, in another event loop, too; not after `close`."""
    httpserver.expect_request("/x").respond_with_json({"ok": 1})
    api = client(httpserver.url_for("/"))

    async def once() -> Any:
        answer = await api.get("x")
        await api.release()
        return answer.body

    assert [asyncio.run(once()), asyncio.run(once())] == [{"ok": 1}] * 2
    asyncio.run(api.close())
    with pytest.raises(ConnectorConfigError):
        asyncio.run(once())
