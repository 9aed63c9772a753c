"""OAuth, the proxy, Google and Snowflake, against independent clients where there are any."""

import base64
import http.client
import time
from typing import Any
from urllib.parse import quote, quote_plus

import google.auth.transport.requests as google_transport
import pytest
import requests
import trustme
from google.auth.exceptions import RefreshError
from google.oauth2.service_account import Credentials

from tests.doubles import (
    google,
    mongodb,
    oauth,
    openai,
    posthog,
    proxy,
    rest,
    shopify,
    snowflake,
    supabase,
    tokens,
)
from tests.doubles.clients import Serve, bearer, client_context, get, post, server_context
from tests.doubles.messages import CANARY
from tests.doubles.server import Server


def test_oauth_grants(serve: Serve) -> None:
    """Both client authentications and both grants work; the errors are those of RFC 6749 §5.2."""
    double = oauth.TokenServer()
    server = serve(double)
    # requests does not encode what RFC 6749 §2.3.1 wants encoded.
    basic = (oauth.CLIENT_ID, quote_plus(oauth.CLIENT_SECRET))
    in_body: dict[str, Any] = {"client_id": oauth.CLIENT_ID, "client_secret": oauth.CLIENT_SECRET}

    def ask(*, auth: tuple[str, str] | None = basic, **form: str) -> tuple[int, str | None]:
        form = {"grant_type": "client_credentials", **form}
        answer = requests.post(f"{server.url}/oauth/token", form, auth=auth, timeout=5)
        return answer.status_code, answer.json().get("error")

    assert ask() == (200, None)
    assert ask(auth=None, **in_body) == (200, None)
    assert ask(grant_type="refresh_token", refresh_token=oauth.REFRESH_TOKEN) == (200, None)
    assert len(set(double.issued)) == 3
    assert ask(auth=(oauth.CLIENT_ID, "wrong")) == (401, "invalid_client")
    assert ask(**in_body) == (400, "invalid_request")
    assert ask(scope="orders:delete") == (400, "invalid_scope")
    assert ask(grant_type="password") == (400, "unsupported_grant_type")
    assert ask(grant_type="refresh_token", refresh_token="old") == (400, "invalid_grant")
    assert ask(auth=(oauth.UNAUTHORIZED_CLIENT_ID, basic[1])) == (400, "unauthorized_client")


def test_oauth_server_that_does_not_decode(serve: Serve) -> None:
    """Such a server wants id and secret as they stand."""
    url = f"{serve(oauth.TokenServer(encoded=False)).url}/oauth/token"
    form = {"grant_type": "client_credentials"}
    for secret, status in ((oauth.CLIENT_SECRET, 200), (quote_plus(oauth.CLIENT_SECRET), 401)):
        answer = requests.post(url, form, auth=(oauth.CLIENT_ID, secret), timeout=5)
        assert answer.status_code == status


def test_proxy_tunnels_and_forwards(authority: trustme.CA, serve: Serve) -> None:
    """A name without DNS is reached over HTTP and HTTPS, with the password of the proxy only."""
    double = proxy.Proxy((proxy.USERNAME, proxy.PASSWORD))
    server, plain = serve(double), serve(rest.Rest())
    right = f"http://{proxy.USERNAME}:{quote(proxy.PASSWORD, safe='')}@{server.authority}"
    wrong = f"http://{proxy.USERNAME}:wrong@{server.authority}"
    session = requests.Session()
    session.trust_env = False
    with session, Server(rest.Rest(), tls=server_context(authority)) as encrypted:
        double.target = (plain.host, plain.port)
        url = "http://api.example.com/v1"
        assert session.get(url, proxies={"http": right}, timeout=5).json() == {"status": "ok"}
        assert session.get(url, proxies={"http": wrong}, timeout=5).status_code == 407
        assert plain.requests[0].headers["Host"] == "api.example.com"
        client = http.client.HTTPSConnection(
            server.host, server.port, timeout=5, context=client_context(authority)
        )
        token = base64.b64encode(f"{proxy.USERNAME}:{proxy.PASSWORD}".encode()).decode()
        double.target = None
        client.set_tunnel(encrypted.host, encrypted.port, {"Proxy-Authorization": f"Basic {token}"})
        client.request("GET", "/v1")
        assert client.getresponse().read() == b'{"status": "ok"}'
        client.close()
    assert (double.forwards, double.tunnels) == (["api.example.com"], [encrypted.authority])


def test_google_tokens_and_bigquery(serve: Serve) -> None:
    """google-auth gets a token for the right key, and BigQuery answers to it alone."""
    server = serve(google.Google())
    scopes = ["https://www.googleapis.com/auth/bigquery"]
    info = google.service_account(server.url)
    credentials = Credentials.from_service_account_info(info, scopes=scopes)  # type: ignore[no-untyped-call]
    session = requests.Session()
    with session:
        credentials.refresh(google_transport.Request(session))
        stranger = google.service_account(server.url, key="stranger")
        wrong = Credentials.from_service_account_info(stranger, scopes=scopes)  # type: ignore[no-untyped-call]
        with pytest.raises(RefreshError, match="Invalid JWT Signature"):
            wrong.refresh(google_transport.Request(session))
    url = f"{server.url}/bigquery/v2/projects/{google.PROJECT_ID}"
    token = bearer(credentials.token)
    assert get(f"{url}/datasets", token)[1]["datasets"][0]["location"] == "EU"
    assert get(f"{url}/datasets/{google.DATASET}", token)[0] == 200
    assert get(f"{url}/datasets/nothing", token)[1]["error"]["errors"][0]["reason"] == "notFound"
    assert get(f"{url}/datasets", bearer("ya29.wrong"))[1]["error"]["status"] == "UNAUTHENTICATED"
    assert post(f"{url}/queries", {"query": "SELECT 1", "dryRun": True}, token)[1]["rows"] == []
    assert post(f"{url}/queries", {"query": "SELEC 1"}, token)[0] == 400


def snowflake_jwt(**changes: object) -> str:
    """A key-pair token as the documentation builds it, with some claims changed."""
    key, now = tokens.private_key("snowflake"), int(time.time())
    subject = f"{snowflake.ACCOUNT}.{snowflake.USER}"
    claims = {"iss": f"{subject}.{tokens.fingerprint(key)}", "sub": subject, "iat": now}
    return tokens.sign({**claims, "exp": now + 3600, **changes}, key)


def test_snowflake_sql_api(serve: Serve) -> None:
    """Each kind of token is let in and refused with its own code."""
    url = f"{serve(snowflake.Snowflake()).url}/api/v2/statements"
    right = {
        "KEYPAIR_JWT": snowflake_jwt(),
        "OAUTH": snowflake.OAUTH_TOKEN,
        "PROGRAMMATIC_ACCESS_TOKEN": snowflake.PROGRAMMATIC_TOKEN,
    }
    statement = {"statement": "select current_version()"}
    for kind, token in right.items():
        header = {"X-Snowflake-Authorization-Token-Type": kind}
        assert post(url, statement, {**bearer(token), **header})[1]["data"] == [["9.38.1"]]
        assert post(url, statement, bearer(token))[0] == 200
        status, content = post(url, statement, {**bearer("wrong"), **header})
        assert (status, content["code"]) == (401, snowflake.REFUSALS[kind][0])
    assert post(url, statement, bearer(snowflake_jwt(sub="ACME.OTHER")))[1]["code"] == "390144"
    status, content = post(url, {"statement": "select 1 from nothing"}, bearer(right["OAUTH"]))
    assert (status, content["code"], content["sqlState"]) == (422, "002003", "42S02")


def test_snowflake_driver_endpoints(serve: Serve) -> None:
    """Login, query and logout answer 200, with `success` to tell."""
    url = serve(snowflake.Snowflake()).url

    def login(**data: str) -> tuple[bool, str | None]:
        query = "roleName=NOBODY" if data.pop("role", None) else "request_id=1"
        _, content = post(f"{url}/session/v1/login-request?{query}", {"data": data})
        return content["success"], content["code"]

    right = {"LOGIN_NAME": "reporting", "PASSWORD": snowflake.PASSWORD}
    assert login(**right) == (True, None)
    assert login(**{**right, "PASSWORD": "wrong"}) == (False, "390100")
    assert login(**right, role="NOBODY") == (False, "390189")
    assert login(AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=snowflake_jwt()) == (True, None)
    assert login(AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=snowflake_jwt(exp=1)) == (False, "390144")
    assert login(AUTHENTICATOR="OAUTH", TOKEN="wrong") == (False, "390303")
    session = {"Authorization": f'Snowflake Token="{snowflake.SESSION_TOKEN}"'}
    sql = {"sqlText": "select current_version()"}
    _, content = post(f"{url}/queries/v1/query-request?requestId=1", sql, session)
    assert content["data"]["rowset"] == [["9.38.1"]]
    assert post(f"{url}/session?delete=true", {}, session)[1]["success"]
    assert not post(f"{url}/session?delete=true", {})[1]["success"]


@pytest.mark.parametrize(
    "secret",
    [
        mongodb.PASSWORD,
        oauth.CLIENT_SECRET,
        oauth.REFRESH_TOKEN,
        openai.API_KEY,
        posthog.PERSONAL_KEY,
        proxy.PASSWORD,
        rest.API_KEY,
        rest.PASSWORD,
        rest.TOKEN,
        shopify.ACCESS_TOKEN,
        snowflake.OAUTH_TOKEN,
        snowflake.PASSWORD,
        snowflake.PROGRAMMATIC_TOKEN,
        supabase.ANON_KEY,
        supabase.PUBLISHABLE_KEY,
        supabase.SECRET_KEY,
        supabase.SERVICE_ROLE_KEY,
    ],
)
def test_secrets_carry_the_canary(secret: str) -> None:
    """A text without the canary holds none of the valid secrets."""
    assert CANARY in secret
