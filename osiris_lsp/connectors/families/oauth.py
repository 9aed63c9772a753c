"""OAuth 2.0: a token is asked for (RFC 6749), and thrown away."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import quote_plus

from osiris_lsp.connectors.answers import Response, expect
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorValidationError,
)
from osiris_lsp.connectors.exchange import basic, request
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.meanings import Meaning
from osiris_lsp.connectors.tls import tls_of
from osiris_lsp.secret import Secret

_ERROR: Final = re.compile(r"[a-z][a-z_]{2,40}", re.ASCII)

# RFC 6749 section 5.2, RFC 8707 section 2, and what well-known servers send besides.
_ERRORS: Final[Mapping[str, Meaning]] = {
    "invalid_client": Meaning(
        ConnectorAuthError,
        "oauth.invalid_client",
        "auth",
        "client_secret",
        "the server does not know this client, or its secret is another one",
        "check `client_id`, `client_secret` and `auth_method`; the secret may have expired",
    ),
    "unauthorized_client": Meaning(
        ConnectorPermissionError,
        "oauth.unauthorized_client",
        "auth",
        "client_id",
        "the client may not ask for tokens in this way",
        "allow the grant for the client where it is registered",
    ),
    "access_denied": Meaning(
        ConnectorPermissionError,
        "oauth.access_denied",
        "auth",
        "client_id",
        "the client may not have a token for this service",
        "allow the client to use the service where it is registered",
    ),
    "invalid_scope": Meaning(
        ConnectorValidationError,
        "oauth.invalid_scope",
        "auth",
        "scope",
        "the server does not know one of the scopes, or does not give it to this client",
        "check `scope`, and what the client is allowed where it is registered",
    ),
    "unsupported_grant_type": Meaning(
        ConnectorValidationError,
        "oauth.unsupported_grant_type",
        "auth",
        "grant_type",
        "the server does not offer this way to get a token",
        "choose another `grant_type`, or check `token_url`",
    ),
    "invalid_target": Meaning(
        ConnectorValidationError,
        "oauth.invalid_target",
        "auth",
        "audience",
        "the server does not know the service that the token is to be for",
        "check `audience`",
    ),
    "invalid_request": Meaning(
        ConnectorValidationError,
        "oauth.invalid_request",
        "auth",
        "token_url",
        "the server misses something in the request, or reads it in another way",
        "check `auth_method`, `audience` and `scope` with the documentation of the server",
    ),
}
_REFRESH_REFUSED: Final = Meaning(
    ConnectorAuthError,
    "oauth.invalid_grant",
    "auth",
    "refresh_token",
    "the refresh token is expired, revoked, or of another client",
    "get a new refresh token",
)
_GRANT_REFUSED: Final = Meaning(
    ConnectorAuthError,
    "oauth.invalid_grant",
    "auth",
    "client_secret",
    "the server does not accept the credentials of the client",
    "check `client_id` and `client_secret`",
)


class Token(NamedTuple):
    """An access token, and what its server says about it: `token_type`, `expires_in`, `scope`."""

    access_token: Secret
    facts: Mapping[str, Any]


class OAuthConnector(Connector):
    """An OAuth 2.0 server that hands out tokens to programs."""

    family: ClassVar[str] = "oauth"

    def probe(self, check: Check) -> None:
        """Get a token."""
        check.facts.update(fetch_token(check, check.connection.reveal()).facts)


def fetch_token(check: Check, values: Mapping[str, Any], prefix: str = "") -> Token:
    """Get an access token with plain `values`, named as the fields of the family.

    `prefix` is where the fields stand in the YAML (`auth.`). Raises `oauth.<error>` of RFC 6749.
    """
    grant = values.get("grant_type")
    if grant is None:  # `auth` has no such field: there the refresh token decides
        refreshes = bool(prefix and values.get("refresh_token"))
        grant = "refresh_token" if refreshes else "client_credentials"
    form = {"grant_type": str(grant)}
    if grant == "refresh_token":
        form["refresh_token"] = str(values.get("refresh_token") or "")
    scope = values.get("scope") or ""
    scope = " ".join(map(str, scope)) if isinstance(scope, list) else str(scope)
    form.update({"scope": scope} if scope else {})
    form.update({"audience": str(values["audience"])} if values.get("audience") else {})
    headers = {} if prefix else {str(k): str(v) for k, v in (values.get("headers") or {}).items()}
    client, secret = str(values.get("client_id") or ""), str(values.get("client_secret") or "")
    if values.get("auth_method") == "client_secret_post":
        form.update(client_id=client, client_secret=secret)
    else:
        # Section 2.3.1: both are form-encoded before they become user and password.
        headers["Authorization"] = basic(quote_plus(client), quote_plus(secret))
    response = request(
        check,
        "POST",
        str(values.get("token_url") or ""),
        headers=headers,
        form=form,
        tls=tls_of(check.connection, "verify"),
        field=f"{prefix}token_url",
    )
    return _token(response, str(grant), prefix)


def _token(response: Response, grant: str, prefix: str) -> Token:
    url_field = f"{prefix}token_url"
    _refuse_error(response, grant, prefix)
    expect(response, key_field=f"{prefix}client_secret", url_field=url_field)
    answer = response.json(url_field)
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise ConnectorParseError(
            "the answer of the server holds no access token",
            code="oauth.no_token",
            stage="query",
            field=url_field,
            remedy=f"check that `{url_field}` is the token endpoint of the server",
        )
    facts = {name: answer[name] for name in ("token_type", "expires_in", "scope") if name in answer}
    return Token(Secret(token), facts)


def _refuse_error(response: Response, grant: str, prefix: str) -> None:
    """Raise for an `error` in the answer; some servers send one with status 200."""
    if response.status == 429 or response.status >= 500 or 300 <= response.status < 400:
        return
    try:
        answer = response.json()
    except ConnectorParseError:
        return
    name = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(name, str) or not _ERROR.fullmatch(name):
        return
    if name == "invalid_grant":
        meaning = _REFRESH_REFUSED if grant == "refresh_token" else _GRANT_REFUSED
    else:
        meaning = _ERRORS.get(name) or Meaning(
            ConnectorAPIError,
            f"oauth.{name}",
            "auth",
            "token_url",
            f"the server gives no token: {name.replace('_', ' ')}",
            "look the error up in the documentation of the server",
        )
    raise meaning._replace(field=prefix + meaning.field).as_error()


CONNECTOR: Final = OAuthConnector()
