"""DocuSign: a token is fetched for signed claims, and the account is asked for with it."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import quote, urlencode, urlsplit

from osiris_lsp.connectors import jwt, keyfile
from osiris_lsp.connectors.answers import Response, expect
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorParseError,
    ConnectorPermissionError,
)
from osiris_lsp.connectors.exchange import join_url, request, split_url
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.tls import tls_of
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES: Final = "signature impersonation"

LIFE: Final = 600
"""Seconds for which signed claims are good; DocuSign takes an hour at most."""

# https://developers.docusign.com/platform/auth/reference/error-messages/
_REFUSED: Final[Mapping[str, tuple[str, str, str]]] = {
    "issuer_not_found": (
        "integration_key",
        "there is no app with this integration key here",
        "check `integration_key`, and that app and `base_url` are of the same environment",
    ),
    "no_valid_keys_or_signatures": (
        "private_key",
        "the key is not one of the app",
        "take the private key that belongs to a public key on the page Apps and Keys",
    ),
    "user_not_found": (
        "user_id",
        "there is no such user here",
        "take the user id from the page Apps and Keys",
    ),
}


class DocusignConnector(Connector):
    """One DocuSign account, for one user."""

    family: ClassVar[str] = "docusign"

    def probe(self, check: Check) -> None:
        """Get a token and ask for the account."""
        connection = check.connection
        has_file = bool(connection.get("private_key_file"))
        key_field = "private_key_file" if has_file else "private_key"
        for name in ("integration_key", "user_id", "account_id", key_field):
            if not connection.text(name):
                raise ConnectorConfigError(
                    f"{connection.ref} lacks `{name}`",
                    code="config.missing_field",
                    field=name,
                    remedy=f"add `{name}`; the page Apps and Keys has it",
                )
        token = _token(check, keyfile.rsa_key(check, key_field, ""), key_field)
        account = quote(connection.text("account_id"), safe="")
        response = request(
            check,
            "GET",
            join_url(connection.text("base_url"), f"/restapi/v2.1/accounts/{account}", "base_url"),
            headers={"Authorization": f"Bearer {token.reveal()}"},
            tls=tls_of(connection, "verify"),
            field="base_url",
        )
        if response.status == 401 and _named(response, "errorCode") == "USER_LACKS_MEMBERSHIP":
            raise ConnectorPermissionError(
                "the user is no member of this account",
                code="docusign.account",
                stage="auth",
                field="account_id",
                remedy="take the API account id from the page Apps and Keys",
            )
        expect(response, key_field="base_url", url_field="base_url")
        answer = response.json("base_url")
        if not isinstance(answer, Mapping) or "accountName" not in answer:
            raise ConnectorParseError(
                "what came back is JSON, but no account of DocuSign",
                code="docusign.answer",
                stage="query",
                field="base_url",
                remedy="check `base_url`: another kind of server answers there",
            )
        check.facts["account"] = answer["accountName"]


def _token(check: Check, key: "RSAPrivateKey", key_field: str) -> Secret:
    connection = check.connection
    own = connection.text("oauth_url")
    base, field = own or oauth_url(connection.text("base_url")), "oauth_url" if own else "base_url"
    host = split_url(base, field).netloc
    who = (connection.text("integration_key"), connection.text("user_id"))
    signed = assertion(*who, host, key, time.time())
    response = request(
        check,
        "POST",
        join_url(base, "/oauth/token", field),
        form={"grant_type": JWT_BEARER, "assertion": signed.reveal()},
        tls=tls_of(connection, "verify"),
        field=field,
    )
    if response.status in (400, 401):
        _refuse(response, base, who[0], key_field)
    expect(response, key_field=key_field, url_field=field)
    token = _named(response, "access_token")
    if not token:
        raise ConnectorParseError(
            "the answer of the server holds no access token",
            code="oauth.no_token",
            stage="query",
            field=field,
            remedy=f"check `{field}`: another kind of server answers there",
        )
    return Secret(token)


def _refuse(response: Response, base: str, app: str, key_field: str) -> None:
    """Raise for a refusal of the token server that says why."""
    error, why = _named(response, "error"), _named(response, "error_description")
    if error == "consent_required":
        query = urlencode({"response_type": "code", "scope": SCOPES, "client_id": app})
        raise ConnectorPermissionError(
            "the user has not given the app consent",
            code="docusign.consent",
            stage="auth",
            field="user_id",
            remedy=f"let the user open {base.rstrip('/')}/oauth/auth?{query}&redirect_uri=… once",
        )
    if why in _REFUSED:
        field, cause, remedy = _REFUSED[why]
        raise ConnectorAuthError(
            cause,
            code=f"docusign.{why}",
            stage="auth",
            field=key_field if field == "private_key" else field,
            remedy=remedy,
        )
    if error:
        raise ConnectorAuthError(
            "the server gives no token for these claims",
            code="oauth.refused",
            stage="auth",
            field=key_field,
            remedy="check `integration_key`, `user_id`, the key, and the clock of this machine",
        )


def _named(response: Response, name: str) -> str:
    """Return a text of an answer; empty where it has none."""
    try:
        answer = response.json()
    except ConnectorParseError:
        return ""
    found = answer.get(name) if isinstance(answer, Mapping) else None
    return found if isinstance(found, str) else ""


def assertion(app: str, user: str, audience: str, key: "RSAPrivateKey", now: float) -> Secret:
    """Return the claims that DocuSign gives a token for, signed; the audience is a bare host."""
    claims = {
        "iss": app,
        "sub": user,
        "aud": audience,
        "iat": int(now),
        "exp": int(now) + LIFE,
        "scope": SCOPES,
    }
    return jwt.signed(claims, key)


def oauth_url(base_url: str) -> str:
    """Return the address that gives tokens for an address of the API."""
    try:
        demo = (urlsplit(base_url).hostname or "").startswith("demo")
    except ValueError:
        demo = False
    return "https://account-d.docusign.com" if demo else "https://account.docusign.com"


CONNECTOR: Final = DocusignConnector()
