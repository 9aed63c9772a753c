"""Credentials from the environment, against an OAuth server of authlib."""

import asyncio
import logging
import ssl
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from osiris_lsp.connectors import (
    Authenticator,
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorParseError,
    Environment,
    RetryConfig,
    RetryExhaustedError,
    create_bearer_auth,
    create_context,
    create_oauth2_auth,
    get_oauth_token,
    oauth_connector,
    setup_authentication,
    setup_ssl,
)
from osiris_lsp.connectors.environment.context import Context
from osiris_lsp.secret import Secret
from tests.connectors.clients.plain import Plain, client, within
from tests.connectors.environment.provider import Provide, Provider
from tests.doubles import faults, oauth
from tests.doubles.authorization import CLIENT_ID, CLIENT_SECRET
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.rest import Rest, bearer
from tests.doubles.server import Server
from tests.services.certificates import Certificates, Kind


def newest(provider: Provider) -> Secret:
    """The token that the server gave last."""
    return Secret(provider.tokens.issued[-1])


@pytest.mark.inventory("S0-OAUTH-01", "S0-OAUTH-06", "S0-OAUTH-07", "S0-OAUTH-08", "S0-OAUTH-10")
@pytest.mark.inventory("S0-SEC-01", "S0-CFG-10", "S0-TEST-02")
@pytest.mark.parametrize("way", ["basic", "post"])
def test_a_token(provide: Provide, way: str) -> None:
    """By HTTP Basic the body is without the secret; a server that wants a form gets one."""
    provider = provide(methods=[f"client_secret_{way}"])
    authenticator = provider.authenticator(
        OAUTH_CLIENT_AUTH=way, OAUTH_SCOPE="orders:read unknown:scope"
    )
    found = authenticator.setup_authentication()
    assert list(found) == ["success", "method", "token", "header", "error"]
    assert dict(found) == {
        "success": True,
        "method": "oauth",
        "token": newest(provider),
        "header": {"Authorization": Secret(f"Bearer {provider.tokens.issued[-1]}")},
        "error": None,
    }
    assert CANARY not in f"{found} {dict(found)}"
    request = provider.server.requests[0]
    form = request.form()
    assert (form["grant_type"], form["scope"]) == (
        "client_credentials",
        "orders:read unknown:scope",
    )
    assert (b"client_secret" in request.body) == (way == "post")
    assert ("Authorization" in request.headers) == (way == "basic")
    assert provider.authenticator(OAUTH_CLIENT_AUTH=way).get_oauth_token() is not None


@pytest.mark.inventory("S0-OAUTH-08", "S0-OAUTH-11", "S0-TEST-02", "S0-OAUTH-06")
def test_a_key() -> None:
    """It has the same shape and the same header; without one the variable is named."""
    environment = Environment({"AUTH_METHOD": "API_KEY", "API_KEY": CANARY})
    found = Authenticator(environment).setup_authentication()
    assert dict(found) == {
        "success": True,
        "method": "api_key",
        "token": Secret(CANARY),
        "header": {"Authorization": Secret(f"Bearer {CANARY}")},
        "error": None,
    }
    assert CANARY not in repr(found)
    empty = Authenticator(Environment({"API_KEY": ""})).setup_authentication()
    assert (empty.success, empty.method, empty.token, empty.header) == (False, "api_key", None, {})
    assert str(empty.error).startswith("`API_KEY` is not set")
    assert isinstance(empty.failure, ConnectorConfigError)
    with pytest.raises(ConnectorConfigError, match="`API_KEY` is not set"):
        asyncio.run(empty.current())


@pytest.mark.inventory("S0-OAUTH-09", "S0-TEST-02")
@pytest.mark.parametrize("method", ["basic", "oauth2", "oauth,api_key"])
def test_another_method(method: str) -> None:
    """Its value is named, and nothing is guessed."""
    found = Authenticator(
        Environment({"AUTH_METHOD": method, "API_KEY": CANARY})
    ).setup_authentication()
    assert (found.success, found.token) == (False, None)
    assert str(found.error).startswith(f"`AUTH_METHOD` is `{method}`")


@pytest.mark.inventory("S0-OAUTH-05", "R-37")
@pytest.mark.parametrize("name", ["OAUTH_ENDPOINT", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"])
def test_without_configuration(provider: Provider, name: str) -> None:
    """No token, no request, never a made-up one; the set-up says what is not there."""
    authenticator = provider.authenticator(**{name: ""})
    assert authenticator.get_oauth_token() is None
    found = authenticator.setup_authentication()
    assert (found.success, found.token, found.header) == (False, None, {})
    assert str(found.error).startswith(f"`{name}` is not set")
    assert provider.server.requests == []


def test_the_variables_of_the_process(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions of the seed need no arguments."""
    for name, value in provider.variables().items():
        monkeypatch.setenv(name, value)
    token = get_oauth_token()
    found = oauth_connector.setup_authentication()
    assert (token, found["token"]) == (newest(provider), newest(provider))
    assert len(provider.tokens.issued) == 1
    assert setup_authentication().success


@pytest.mark.inventory("S0-OAUTH-02", "S0-ERR-01", "S0-TEST-01")
@pytest.mark.parametrize("pause", [1.0, 0.5])
def test_a_server_that_is_busy_is_asked_again(provider: Provider, pause: float) -> None:
    """After a pause that doubles, as the configuration says."""
    provider.server.next(faults.status(503), faults.status(503))
    authenticator = provider.authenticator(retry=RetryConfig(initial_delay=pause))
    assert authenticator.setup_authentication().success
    assert provider.pauses == [pause, 2 * pause]
    assert len(provider.server.requests) == 3


@pytest.mark.inventory("S0-OAUTH-02")
def test_a_pause_that_the_server_asks_for(provider: Provider) -> None:
    """It is kept; who wants more than the configuration allows is not asked again."""
    provider.server.next(faults.status(429, 7), faults.status(503, 900))
    found = provider.authenticator().setup_authentication()
    assert (found.success, provider.pauses) == (False, [7.0])
    assert len(provider.server.requests) == 2


@pytest.mark.inventory("S0-OAUTH-02", "S0-ERR-02", "R-37")
def test_a_server_that_stays_away(provider: Provider) -> None:
    """The end is an error in the result; a later call tries again and may succeed."""
    provider.server.always(faults.status(503))
    authenticator = provider.authenticator(retry=RetryConfig(max_retries=1))
    found = authenticator.setup_authentication()
    assert (found.success, found.token) == (False, None)
    assert isinstance(found.failure, RetryExhaustedError)
    assert str(found.error).startswith("still failing after 2 attempts: the token server answered")
    provider.server.always(None)
    assert provider.session.bridge.run(found.current()) == newest(provider)


@pytest.mark.inventory("S0-OAUTH-07", "S0-ERR-04")
@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (
            as_json(200, {"token_type": "Bearer", "expires_in": 3600}),
            ConnectorParseError,
            "the token server gave no access token; "
            "verify `token_url`, `client_id`, `client_secret` and `scopes`",
        ),
        (Answer(200, b"<html>"), ConnectorParseError, "the token server gave no access token"),
        (oauth.INVALID_CLIENT, ConnectorAuthError, "the token server refused with 401"),
        (oauth.INVALID_SCOPE, ConnectorAuthError, "the token server refused with 400"),
    ],
)
def test_what_is_final_is_not_tried_again(
    provider: Provider, answer: Answer, kind: type[Exception], message: str
) -> None:
    """One request, and the reason."""
    provider.server.always(answer)
    found = provider.authenticator().setup_authentication()
    assert not found.success
    assert isinstance(found.failure, kind)
    assert str(found.error).startswith(message)
    assert len(provider.server.requests) == 1


@pytest.mark.inventory("S0-OAUTH-04", "S0-SEC-05", "R-36")
@pytest.mark.parametrize(("life", "last"), [(3600, 3300.0), (60, 54.0), (300, 270.0)])
def test_a_token_is_kept_while_it_is_valid(provide: Provide, life: int, last: float) -> None:
    """It is given up five minutes before its end, a tenth of its life if that is less."""
    provider = provide(expires_in=life)
    authenticator = provider.authenticator()
    for now, requests in ((0.0, 1), (1.0, 1), (last - 0.1, 1), (last, 2), (last + 1, 2)):
        provider.clock.now = now
        assert authenticator.get_oauth_token() == newest(provider)
        assert len(provider.server.requests) == requests


@pytest.mark.inventory("S0-OAUTH-04", "S0-PERF-01")
def test_a_hundred_callers_make_one_request(provider: Provider) -> None:
    """Also when the first attempt fails, and over one connection."""
    provider.server.next(replace(faults.status(503), delay=0.2))
    gate = threading.Barrier(100)

    def ask(_: int) -> Secret | None:
        gate.wait(20)
        return provider.authenticator().get_oauth_token()

    with ThreadPoolExecutor(100) as threads:
        assert set(threads.map(ask, range(100))) == {newest(provider)}
    assert (len(provider.server.requests), len(provider.tokens.issued)) == (2, 1)


@pytest.mark.inventory("S4-AUTH-11", "S0-SEC-05")
def test_a_refresh_token(provide: Provide) -> None:
    """A real server takes each once and hands out the next; when it is gone, the client asks."""
    provider = provide(expires_in=60)
    first = f"refresh-{CANARY}-first"
    provider.tokens.refresh_tokens[first] = "orders:read"
    authenticator = provider.authenticator(OAUTH_REFRESH_TOKEN=first)
    for step in range(2):
        provider.clock.now = step * 60.0
        assert authenticator.get_oauth_token() == newest(provider)
    provider.tokens.refresh_tokens.clear()
    provider.clock.now = 120.0
    assert authenticator.get_oauth_token() == newest(provider)
    grants = [request.form()["grant_type"] for request in provider.server.requests]
    assert grants == ["refresh_token"] * 3 + ["client_credentials"]


@pytest.mark.inventory("S4-AUTH-05", "S4-AUTH-06", "S4-AUTH-10")
@pytest.mark.parametrize("way", ["basic", "post"])
def test_a_client_of_the_framework(provide: Provide, way: str) -> None:
    """It fetches a token of its own from a real server, once for all callers, and uses it."""
    provider = provide(methods=[f"client_secret_{way}"])
    auth = create_oauth2_auth(
        CLIENT_ID,
        CLIENT_SECRET,
        provider.variables()["OAUTH_ENDPOINT"],
        ["orders:read"],
        client_auth=way,
    )

    async def use(api: Plain) -> None:
        await asyncio.gather(*(api.get("/v1/health") for _ in range(20)))
        assert len(provider.tokens.issued) == 1
        assert api.auth_manager is not None
        assert await api.auth_manager.get_initial_token() == newest(provider)
        assert len(provider.tokens.issued) == 2

    with Server(Rest(bearer(provider.tokens.issued))) as service:
        within(client(service.url, auth=auth), use)
        assert {request.bearer for request in service.requests} == {provider.tokens.issued[0]}


@pytest.mark.inventory("S0-SEC-05", "S0-CTX-03")
def test_one_authentication_for_several_services(provider: Provider) -> None:
    """A client of the framework takes the same token, and a service sees the same header."""
    found = provider.authenticator().setup_authentication()
    with Server(Rest(bearer(provider.tokens.valid))) as service:
        api = client(service.url, auth=create_bearer_auth(found["token"]))
        within(api, lambda api: api.get("/v1/health"))
        assert service.requests[0].bearer == provider.tokens.issued[-1]


@pytest.fixture(params=["good", "untrusted", "expired", "wrong_host"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """A kind of certificate."""
    found: Kind = request.param
    return found


@pytest.mark.inventory("S0-OAUTH-03", "S0-OAUTH-12", "S0-SEC-02", "S0-TEST-05")
def test_tls(provide: Provide, certificates: Certificates, kind: Kind) -> None:
    """A private authority works; all else is refused at once, unless TLS is not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.pair(kind))
    provider = provide(tls=context)
    trusting = provider.authenticator(SSL_CERT_PATH=str(certificates.ca))
    found = trusting.setup_authentication()
    codes = {
        "good": "",
        "untrusted": "tls.untrusted",
        "expired": "tls.expired",
        "wrong_host": "tls.hostname",
    }
    assert (found.failure.code if found.failure else "") == codes[kind]
    assert found.success == (kind == "good")
    assert provider.pauses == []
    by_default = provider.authenticator().setup_authentication()
    assert not by_default.success
    assert provider.authenticator(SSL_VERIFY="false").setup_authentication().success
    chosen = setup_ssl(Environment({"SSL_VERIFY": "false"}))
    assert provider.authenticator().setup_authentication(chosen).success


@pytest.mark.inventory("S0-OAUTH-12", "S0-CTX-06")
def test_tls_settings_that_cannot_be_used(provider: Provider) -> None:
    """Nothing is sent with less than was asked for."""
    found = provider.authenticator(SSL_CERT_PATH="/no/such/file").setup_authentication()
    assert (found.success, provider.server.requests) == (False, [])
    assert "/no/such/file" in str(found.error)


@pytest.mark.inventory("S0-CTX-01", "S0-CTX-02", "S0-CTX-05", "S0-ERR-03", "S0-SEC-03")
def test_a_context_and_its_log(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """Each record carries the execution, and no record the secrets."""
    caplog.set_level(logging.DEBUG)
    environment = Environment(provider.variables())
    context = create_context(environment, provider.authenticator())
    assert list(context) == ["execution_id", "auth_config", "ssl_config"]
    assert uuid.UUID(context["execution_id"]).version == 4
    provider.server.always(oauth.INVALID_CLIENT)
    failed = create_context(environment, provider.authenticator(OAUTH_SCOPE="other"))
    failure = failed["auth_config"].failure
    assert failure.execution_id == failed["execution_id"] != context["execution_id"]
    ours = [record for record in caplog.records if record.name.startswith("osiris_lsp")]
    assert [(record.execution_id, record.success) for record in ours] == [  # type: ignore[attr-defined]
        (context["execution_id"], True),
        (failed["execution_id"], False),
    ]
    shown = [record for record in caplog.records if not record.name.startswith("authlib")]
    texts = [f"{record.getMessage()} {vars(record)}" for record in shown]
    assert CANARY not in "\n".join([*texts, repr(context), repr(failed)])


@pytest.mark.inventory("S0-LLM-11", "S0-CTX-01")
@pytest.mark.parametrize("name", ["execution_id", "auth_config", "ssl_config"])
def test_a_context_that_is_not_complete(name: str) -> None:
    """The key is named."""
    context: dict[str, Any] = {
        "execution_id": str(uuid.uuid4()),
        "auth_config": {"method": "api_key", "token": CANARY},
        "ssl_config": {"verify": True},
    }
    assert Context.of(context).auth.token == Secret(CANARY)
    for wrong in ({}, {name: None}):
        given = {key: value for key, value in context.items() if key != name} | wrong
        with pytest.raises(ConnectorConfigError, match=f"has no `{name}`") as caught:
            Context.of(given)
        assert caught.value.field == name
    with pytest.raises(ConnectorConfigError, match=f"`{name}`"):
        Context.of({**context, name: "c4n4ry"})
