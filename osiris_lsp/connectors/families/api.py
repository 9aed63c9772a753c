"""REST APIs: one GET of the health path, with the credentials of the connection."""

import contextlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import urlsplit

from osiris_lsp.connectors.answers import Response, expect
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorAuthError, ConnectorError
from osiris_lsp.connectors.exchange import basic, join_url, request
from osiris_lsp.connectors.families.oauth import fetch_token
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.tls import tls_of
from osiris_lsp.secrets.names import is_secret_name

UNPROVEN: Final = "the server answers without credentials too, so that they are not proven"
"""What the fact `hint` says after a check that a wrong key would pass as well."""


class Sent(NamedTuple):
    """What a request carries beside its URL; `field` holds the credentials, if there are any."""

    headers: Mapping[str, str]
    params: Mapping[str, str]
    body: bytes | None
    field: str


_NOTHING: Final = Sent({}, {}, None, "")


class ApiConnector(Connector):
    """Any HTTP interface that speaks REST."""

    family: ClassVar[str] = "api"

    def probe(self, check: Check) -> None:
        """Ask for the health path; any 2xx that is no web page is fine."""
        connection = check.connection
        path = connection.get("health_path")
        url = join_url(connection.text("base_url"), str(path)) if path else ""
        sent = _sent(check)
        response = _get(check, url, sent)
        if response.status == 401 and not sent.field:
            raise missing_credentials("auth", "`auth` or `api_key`")
        expect(
            response,
            key_field=sent.field or "auth",
            url_field="health_path" if path else "base_url",
        )
        if response.is_html and b"<" in response.body:
            response.json("health_path" if path else "base_url")  # raises `http.html`
        check.facts["status"] = response.status
        if "server" in response.headers:
            check.facts["server"] = response.headers["server"]
        # Nobody said that the default path needs the credentials: see whether it does.
        if sent.field and not path and _answers_anyone(check, url):
            check.facts["hint"] = f"{UNPROVEN}: set `health_path` to a path that needs them"


def holds_credential(value: Any) -> bool:
    """Tell whether `headers` or `params` hold a credential, by their names."""
    names = map(str, value if isinstance(value, Mapping) else ())
    return any(is_secret_name(name) or name.lower() == "key" for name in names)


def missing_credentials(field: str, fields: str) -> ConnectorAuthError:
    """Return the error for a 401 where the connection has nothing to log in with."""
    return ConnectorAuthError(
        "the server wants credentials, and the connection has none (HTTP 401)",
        code="http.401",
        stage="auth",
        field=field,
        remedy=f"add {fields}",
    )


def _get(check: Check, url: str, sent: Sent) -> Response:
    connection = check.connection
    return request(
        check,
        "GET",
        url or connection.text("base_url"),
        headers=sent.headers,
        params=sent.params,
        body=sent.body,
        tls=tls_of(connection, "verify"),
        follow=connection.get("follow_redirects") is True,
    )


def _answers_anyone(check: Check, url: str) -> bool:
    if "@" in urlsplit(check.connection.text("base_url")).netloc:
        return False  # the credentials in the URL would be sent again
    with contextlib.suppress(ConnectorError, OSError):  # the answer that counts is in already
        return 200 <= _get(check, url, _NOTHING).status < 300
    return False


def _sent(check: Check) -> Sent:
    """Return what goes along: `headers` and `params`, then the credentials."""
    connection = check.connection
    plain = connection.reveal()
    headers, params = _texts(plain.get("headers")), _texts(plain.get("params"))
    field = next((name for name in ("headers", "params") if holds_credential(plain.get(name))), "")
    if "@" in urlsplit(connection.text("base_url")).netloc:
        field = "base_url"
    if plain.get("api_key"):
        headers[connection.text("api_key_header")] = connection.text("api_key")
        field = "api_key"
    auth = plain.get("auth") or {}
    kind = auth.get("type")
    if kind in ("api_key", "bearer"):
        prefix = auth.get("token_prefix") or ("Bearer" if kind == "bearer" else "")
        return _with_token(Sent(headers, params, None, "auth.token"), auth, prefix)
    if kind == "basic":
        user, password = str(auth.get("username") or ""), str(auth.get("password") or "")
        headers["Authorization"] = basic(user, password)
        field = "auth.password"
    elif kind == "oauth2":
        token = fetch_token(check, auth, "auth.").access_token
        headers["Authorization"] = f"Bearer {token.reveal()}"
        # The token is fresh: what it is for must be wrong.
        field = "auth.scope" if auth.get("scope") else "auth.client_id"
    elif kind == "custom":
        headers.update(_texts(auth.get("custom_headers")))
        params.update(_texts(auth.get("custom_params")))
        given = ("custom_headers", "custom_params")
        field = next((f"auth.{name}" for name in given if auth.get(name)), field)
    return Sent(headers, params, None, field)


def _with_token(sent: Sent, auth: Mapping[str, Any], prefix: str) -> Sent:
    """Return what is sent with the token where `auth` wants it."""
    token = f"{prefix} {auth.get('token', '')}".lstrip()
    carried = {str(auth.get("token_key") or "Authorization"): token}
    location = auth.get("token_location") or "header"
    if location == "query":
        return sent._replace(params={**sent.params, **carried})
    if location == "body":
        headers = {**sent.headers, "Content-Type": "application/json"}
        return sent._replace(headers=headers, body=json.dumps(carried).encode())
    return sent._replace(headers={**sent.headers, **carried})


def _texts(value: Any) -> dict[str, str]:
    """Return a mapping of the YAML as HTTP sends it."""
    items = value.items() if isinstance(value, Mapping) else ()
    return {
        str(name): str(item).lower() if isinstance(item, bool) else str(item)
        for name, item in items
    }


CONNECTOR: Final = ApiConnector()
