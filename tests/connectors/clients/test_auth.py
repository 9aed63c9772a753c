"""Credentials in requests, and tokens of OAuth 2.0 against a token server."""

import asyncio
import base64
import json
import logging
import pickle
import threading
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from osiris_lsp.connectors import (
    AuthConfig,
    AuthLocation,
    AuthType,
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorParseError,
    RetryConfig,
    create_api_key_auth,
    create_basic_auth,
    create_bearer_auth,
    create_oauth2_auth,
)
from osiris_lsp.secret import Secret
from tests.connectors.clients.plain import Plain, client, within
from tests.connectors.resilience.virtual import Clock

CANARY = "s3cr3t-c4nary"


class Tokens:
    """A token server, and a service that takes its newest token only."""

    def __init__(self, server: HTTPServer) -> None:
        self.forms: list[dict[str, str]] = []
        self.credentials: list[str | None] = []
        self.answer: dict[str, Any] = {"expires_in": 3600, "token_type": "Bearer"}
        self.status = 200
        self.refuse_refresh = False
        self.newest = ""
        self.lock = threading.Lock()
        self.url = server.url_for("/token")
        server.expect_request("/token", method="POST").respond_with_handler(self.give)
        server.expect_request("/x").respond_with_handler(self.serve)

    def give(self, request: Request) -> Response:
        """Answer a request for a token."""
        with self.lock:
            self.forms.append(request.form.to_dict())
            self.credentials.append(request.headers.get("Authorization"))
            if self.refuse_refresh and request.form["grant_type"] == "refresh_token":
                return Response('{"error": "invalid_grant"}', 400)
            self.newest = f"token-{len(self.forms)}-{CANARY}"
            body = {"access_token": self.newest} | self.answer
            return Response(json.dumps(body), self.status, content_type="application/json")

    def serve(self, request: Request) -> Response:
        """Answer a call."""
        known = request.headers.get("Authorization") == f"Bearer {self.newest}"
        return Response("fine" if known else "", 200 if known else 401)

    def auth(self, **options: Any) -> AuthConfig:
        """Return what a client of this server has."""
        return create_oauth2_auth("id", CANARY, self.url, ["read", "write"], **options)


@pytest.fixture
def tokens(httpserver: HTTPServer) -> Tokens:
    """A token server."""
    return Tokens(httpserver)


def sent(httpserver: HTTPServer, auth: AuthConfig, **options: Any) -> Request:
    """Return what a request with these credentials looks like when it arrives."""
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        request.get_data()
        seen.append(request)
        return Response("fine")

    httpserver.clear()
    httpserver.expect_request("/seen").respond_with_handler(answer)
    api = client(httpserver.url_for(""), auth=auth)
    within(api, lambda api: api.post("/seen", **options))
    return seen[0]


@pytest.mark.inventory("S4-AUTH-01", "S4-AUTH-08", "R-46")
def test_names_and_defaults_are_those_of_the_seed() -> None:
    """Enumerations by their values, the configuration by its fields."""
    assert [str(kind) for kind in AuthType] == [
        *("none", "api_key", "bearer", "basic", "oauth2", "custom")
    ]
    assert [str(place) for place in AuthLocation] == ["header", "query", "body"]
    config = AuthConfig()
    assert (config.type, config.token_key) == (AuthType.NONE, "Authorization")
    assert create_api_key_auth("x").token_key == "X-API-Key"
    assert AuthConfig(type="bearer", token="x").type is AuthType.BEARER  # type: ignore[arg-type]


@pytest.mark.inventory("S4-AUTH-08")
@pytest.mark.parametrize(
    ("kind", "fields", "missing"),
    [
        ("api_key", {}, "token"),
        ("bearer", {"token": ""}, "token"),
        ("basic", {"username": "u"}, "password"),
        ("oauth2", {"client_id": "i", "token_url": "https://x"}, "client_secret"),
        ("oauth2", {"client_id": "i", "client_secret": "s"}, "token_url"),
    ],
)
def test_what_is_missing_is_named(kind: str, fields: dict[str, Any], missing: str) -> None:
    """A variable that is not set shows at once, not with the first request."""
    with pytest.raises(ConnectorConfigError, match=f"`{missing}` is missing") as caught:
        AuthConfig(type=AuthType(kind), **fields)
    assert caught.value.field == missing


def test_no_secret_shows() -> None:
    """Neither in a repr nor by pickling, wherever it was given."""
    config = AuthConfig(
        token=CANARY,
        password=CANARY,
        client_secret=CANARY,
        refresh_token=Secret(CANARY),
        custom_headers={"A": CANARY},
        custom_params={"a": CANARY},
    )
    assert CANARY not in repr(config)
    assert len(list(config.secrets())) == 6
    with pytest.raises(TypeError):
        pickle.dumps(config)


@pytest.mark.inventory("S4-AUTH-02", "S4-AUTH-03", "S4-AUTH-04", "S4-CLI-03", "S0-TEST-02")
@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (create_api_key_auth("k"), "X-API-Key", "k"),
        (create_api_key_auth("k", "X-Key", "ApiKey"), "X-Key", "ApiKey k"),
        (create_bearer_auth("t"), "Authorization", "Bearer t"),
        (create_basic_auth("jürgen", "a:ß"), "Authorization", "Basic jürgen:a:ß"),
        (create_basic_auth("u", ""), "Authorization", "Basic u:"),
    ],
)
def test_headers(httpserver: HTTPServer, auth: AuthConfig, header: str, value: str) -> None:
    """As the samples of the seed say."""
    kind, _, rest = value.partition(" ")
    if kind == "Basic":
        value = f"Basic {base64.b64encode(rest.encode()).decode()}"
    assert sent(httpserver, auth).headers[header] == value


@pytest.mark.inventory("S4-AUTH-07", "S4-AUTH-09")
def test_other_places(httpserver: HTTPServer) -> None:
    """The query, a JSON object, a form, no body at all; and whatever a project wants."""
    query = AuthConfig(AuthType.API_KEY, "k", AuthLocation.QUERY, "key")
    assert sent(httpserver, query, params={"a": 1}).args.to_dict() == {"a": "1", "key": "k"}
    body = AuthConfig(AuthType.API_KEY, "k", AuthLocation.BODY, "key")
    payload = {"a": 1}
    assert sent(httpserver, body, json=payload).get_json() == {"a": 1, "key": "k"}
    assert payload == {"a": 1}
    assert sent(httpserver, body, data={"a": "1"}).form.to_dict() == {"a": "1", "key": "k"}
    assert sent(httpserver, body).form.to_dict() == {"key": "k"}
    with pytest.raises(ConnectorConfigError) as caught:
        sent(httpserver, body, json=[1])
    assert caught.value.field == "token_location"
    custom = AuthConfig(AuthType.CUSTOM, custom_headers={"X-T": "t"}, custom_params={"p": "q"})
    request = sent(httpserver, custom)
    assert (request.headers["X-T"], request.args["p"]) == ("t", "q")


def test_a_token_that_no_header_can_hold_is_refused_without_showing_it(
    httpserver: HTTPServer,
) -> None:
    """The line break at the end of a file is the usual one."""
    with pytest.raises(ConnectorConfigError, match="line break") as caught:
        sent(httpserver, create_bearer_auth(f"{CANARY}\n"))
    assert CANARY not in str(caught.value)


@pytest.mark.inventory("S4-AUTH-05", "S4-AUTH-06", "S0-OAUTH-04", "S0-SEC-01", "S0-SEC-05", "R-36")
def test_a_token_is_fetched_once_and_again_before_it_ends(
    httpserver: HTTPServer, tokens: Tokens
) -> None:
    """A tenth of a short life is left unused, five minutes of a long one."""
    for life, last in ((60, 54.0), (3600, 3300.0)):
        tokens.forms.clear()
        tokens.answer["expires_in"] = life
        clock = Clock()
        auth = tokens.auth()

        async def main(clock: Clock = clock, auth: AuthConfig = auth, last: float = last) -> None:
            api = client(httpserver.url_for(""), auth=auth)
            assert api.auth_manager is not None
            assert api.auth_manager._tokens is not None
            api.auth_manager._tokens._clock = clock
            async with api.session():
                for now, fetched in ((0.0, 1), (last - 0.1, 1), (last, 2)):
                    clock.now = now
                    assert (await api.get("/x")).body == "fine"
                    assert len(tokens.forms) == fetched

        asyncio.run(main())
    assert tokens.forms[0] == {"grant_type": "client_credentials", "scope": "read write"}
    assert tokens.credentials[0] == f"Basic {base64.b64encode(f'id:{CANARY}'.encode()).decode()}"


@pytest.mark.inventory("S4-AUTH-06")
def test_a_hundred_callers_share_one_fetch(httpserver: HTTPServer, tokens: Tokens) -> None:
    """Though the first of them gives up."""

    async def use(api: Plain) -> None:
        first = asyncio.ensure_future(api.get("/x"))
        others = [asyncio.ensure_future(api.get("/x")) for _ in range(99)]
        await asyncio.sleep(0)
        first.cancel()
        answers = await asyncio.gather(*others)
        assert {answer.body for answer in answers} == {"fine"}

    within(client(httpserver.url_for(""), auth=tokens.auth()), use)
    assert len(tokens.forms) == 1


@pytest.mark.inventory("S4-AUTH-10", "S4-TRB-04")
def test_a_token_can_be_fetched_by_hand(httpserver: HTTPServer, tokens: Tokens) -> None:
    """As the seed's troubleshooting says; it shows as little as any secret."""

    async def use(api: Plain) -> None:
        assert api.auth_manager is not None
        token = await api.auth_manager.get_initial_token()
        assert str(token) == "***"
        assert (await api.get("/x")).body == "fine"

    within(client(httpserver.url_for(""), auth=tokens.auth(client_auth="post")), use)
    assert tokens.forms == [
        {
            "grant_type": "client_credentials",
            "scope": "read write",
            "client_id": "id",
            "client_secret": CANARY,
        }
    ]
    assert tokens.credentials == [None]
    bare = client(httpserver.url_for(""), auth=create_bearer_auth("x"))
    assert bare.auth_manager is not None
    assert asyncio.run(bare.auth_manager.get_initial_token()) is None


@pytest.mark.inventory("S4-AUTH-11")
def test_a_refresh_token_is_used_until_it_is_refused(
    httpserver: HTTPServer, tokens: Tokens
) -> None:
    """A new one takes the place of the old; without one the client asks for itself."""
    tokens.answer["refresh_token"] = "second"

    async def use(api: Plain) -> None:
        assert api.auth_manager is not None
        for _ in range(2):
            await api.auth_manager.get_initial_token()
        tokens.refuse_refresh = True
        await api.auth_manager.get_initial_token()
        assert (await api.get("/x")).body == "fine"

    within(client(httpserver.url_for(""), auth=tokens.auth(refresh_token="first")), use)
    assert [(form["grant_type"], form.get("refresh_token")) for form in tokens.forms] == [
        ("refresh_token", "first"),
        ("refresh_token", "second"),
        ("refresh_token", "second"),
        ("client_credentials", None),
    ]


@pytest.mark.inventory("S0-SEC-05")
def test_a_token_that_is_refused_is_fetched_again_once(
    httpserver: HTTPServer, tokens: Tokens
) -> None:
    """A service may take tokens back; one that refuses all is not asked for ever."""

    async def use(api: Plain) -> None:
        assert (await api.get("/x")).body == "fine"
        tokens.newest = "another"
        assert (await api.get("/x")).body == "fine"
        assert len(tokens.forms) == 2
        httpserver.expect_request("/never").respond_with_data("", 401)
        with pytest.raises(ConnectorAuthError):
            await api.get("/never")
        assert len(tokens.forms) == 3

    within(client(httpserver.url_for(""), auth=tokens.auth(), retry=RetryConfig()), use)


@pytest.mark.inventory("S4-TRB-04")
@pytest.mark.parametrize(
    ("status", "answer", "kind", "code"),
    [
        (401, {}, ConnectorAuthError, "oauth.refused"),
        (400, {}, ConnectorAuthError, "oauth.refused"),
        (404, {}, ConnectorAPIError, "oauth.failed"),
        (500, {}, ConnectorAPIError, "oauth.failed"),
        (200, {"access_token": None}, ConnectorParseError, "oauth.no_token"),
    ],
)
def test_a_token_server_that_gives_none(
    httpserver: HTTPServer,
    tokens: Tokens,
    caplog: pytest.LogCaptureFixture,
    status: int,
    answer: dict[str, Any],
    kind: type[ConnectorError],
    code: str,
) -> None:
    """The error says what to check, and neither it nor a log shows a secret."""
    caplog.set_level(logging.DEBUG)
    tokens.status = status
    tokens.answer |= answer
    with pytest.raises(kind) as caught:
        within(client(httpserver.url_for(""), auth=tokens.auth()), lambda api: api.get("/x"))
    assert caught.value.code == code
    assert "verify `token_url`" in caught.value.remedy
    assert CANARY not in str(caught.value) + caplog.text
