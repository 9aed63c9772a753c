"""Access tokens of Google, for the credentials of a connection or of this machine.

google-auth does the work, through sockets of ours.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from osiris_lsp.connectors import keyfile
from osiris_lsp.connectors.answers import expect
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    MissingDependencyError,
)
from osiris_lsp.connectors.exchange import request, split_url
from osiris_lsp.connectors.health import Check, Deadline
from osiris_lsp.secret import Secret

_METADATA: Final = "/computeMetadata/v1/instance/service-accounts/default/token"

# Kinds of credentials that google-auth reads: module, constructor. A connections file may name the
# first two only: what the others say is where to send tokens, and which programs to run.
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "service_account": ("google.oauth2.service_account", "from_service_account_info"),
    "authorized_user": ("google.oauth2.credentials", "from_authorized_user_info"),
    "external_account": ("google.auth.identity_pool", "from_info"),
    "impersonated_service_account": (
        "google.auth.impersonated_credentials",
        "from_impersonated_service_account_info",
    ),
}
DECLARED: Final = ("service_account", "authorized_user")

_TOKEN_HOSTS: Final = ("oauth2.googleapis.com", "www.googleapis.com", "accounts.google.com")
"""Not all of Google: anyone may run a script at script.google.com."""


def access_token(check: Check, field: str, scopes: Sequence[str]) -> Secret | None:
    """Return an access token; None for a server of one's own, unless credentials are written."""
    connection = check.connection
    if field:
        info = connection.reveal().get("credentials_json")
        info = keyfile.read(check, field) if field == "credentials_file" else info
        check.at("config", field)
        return _granted(check, read(info, field), field, scopes, DECLARED)
    if connection.text("api_endpoint"):
        return None
    path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") or _well_known()
    if not os.path.isfile(path):
        return _metadata_token(check)
    with open(path, "rb") as file:
        return _granted(check, read(file.read(keyfile.MAX_BYTES), ""), "", scopes, tuple(_KINDS))


def _well_known() -> str:
    """Return the path of the credentials that `gcloud auth application-default login` writes."""
    folder = os.environ.get("CLOUDSDK_CONFIG")
    if not folder and os.name == "nt":
        folder = os.path.join(os.environ.get("APPDATA", ""), "gcloud")
    folder = folder or os.path.join(os.path.expanduser("~"), ".config", "gcloud")
    return os.path.join(folder, "application_default_credentials.json")


def read(content: Any, field: str) -> Mapping[str, Any]:
    """Return credentials as a mapping."""
    if isinstance(content, str | bytes):
        try:
            content = json.loads(content)
        except ValueError:
            content = None
    if isinstance(content, Mapping):
        return content
    raise unusable("it holds no JSON object", field)


def unusable(why: str, field: str) -> ConnectorConfigError:
    """Return the error for credentials that no token can be had for."""
    shown = f"`{field}`" if field else "the application default credentials"
    return ConnectorConfigError(
        f"{shown} cannot be used: {why}",
        code="google.credentials",
        field=field,
        remedy="make a JSON key of a service account under IAM & Admin, Service Accounts",
    )


@dataclass(frozen=True)
class _Answer:
    """A response as google-auth reads it."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def _granted(
    check: Check, info: Mapping[str, Any], field: str, scopes: Sequence[str], kinds: Sequence[str]
) -> Secret:
    """Return the access token that Google grants for credentials."""
    kind = str(info.get("type"))
    if kind not in kinds:
        raise unusable("its `type` is none of " + ", ".join(f"`{name}`" for name in kinds), field)
    if field:
        refuse_stranger(check.connection, info, field)
    try:
        exceptions = import_module("google.auth.exceptions")
        module = import_module(_KINDS[kind][0])
    except ImportError as error:
        raise MissingDependencyError("google-auth", "bigquery") from error

    def send(
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> _Answer:
        data = body.encode() if isinstance(body, str) else body
        response = request(check, method, url, headers=headers, body=data, field=field)
        if response.status == 429 or response.status >= 500:
            expect(response, url_field=field)  # else google-auth would try again
        return _Answer(response.status, response.headers, response.body)

    try:
        # Those of a person have the scopes that they were granted with, and no others.
        asked = None if kind == "authorized_user" else list(scopes)
        credentials = getattr(module.Credentials, _KINDS[kind][1])(info, scopes=asked)
    except (ValueError, exceptions.GoogleAuthError) as error:
        raise unusable("a part of it is missing or damaged", field) from error
    try:
        credentials.refresh(send)
    except exceptions.RefreshError as error:
        raise _refused(error, field) from error
    return Secret(str(credentials.token))


def refuse_stranger(connection: ResolvedConnection, info: Mapping[str, Any], field: str) -> None:
    """Raise where a key would be sent to another server than Google's."""
    if info.get("type") == "authorized_user" or "token_uri" not in info:
        return  # google-auth goes to Google, whatever is written
    parts = split_url(str(info["token_uri"]), field)
    host = parts.hostname or ""
    trusted = parts.scheme == "https" and host in _TOKEN_HOSTS
    endpoint = urlsplit(connection.text("api_endpoint")).hostname
    if trusted or (endpoint and host in (endpoint, "localhost", "127.0.0.1", "::1")):
        return
    raise ConnectorConfigError(
        f"the key names {host} as the server for its tokens, which is not Google's",
        code="google.token_uri",
        field=field,
        remedy="download the key again; `token_uri` has to be https://oauth2.googleapis.com/token",
    )


def _refused(error: Exception, field: str) -> ConnectorError:
    said = error.args[1] if len(error.args) > 1 else None
    name = str(said.get("error")) if isinstance(said, Mapping) else ""
    if name == "invalid_grant":
        return ConnectorAuthError(
            "Google does not accept the key (`invalid_grant`)",
            code="oauth.invalid_grant",
            stage="auth",
            field=field,
            remedy="the key or its account may be deleted or disabled; check the clock as well",
        )
    return ConnectorAuthError(
        "Google gives no token for these credentials",
        code="google.token",
        stage="auth",
        field=field,
        remedy="check the account under IAM & Admin, Service Accounts",
    )


def _metadata_token(check: Check) -> Secret:
    """Return the token of the machine, if it is one of Google's."""
    limit = min(0.5, check.deadline.remaining() / 2)
    brief = Check(check.connection, Deadline(limit))
    check.on_close(brief.close)
    host = os.environ.get("GCE_METADATA_HOST") or "169.254.169.254"
    try:
        response = request(
            brief, "GET", f"http://{host}{_METADATA}", headers={"Metadata-Flavor": "Google"}
        )
        return Secret(str(expect(response).json()["access_token"]))
    except (OSError, ConnectorError, LookupError, TypeError) as error:
        raise ConnectorConfigError(
            "the connection names no credentials, and this machine has none either",
            code="google.no_credentials",
            field="credentials_file",
            remedy="set `credentials_file`, or run `gcloud auth application-default login`",
        ) from error
