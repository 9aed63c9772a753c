"""One answer to which servers are trusted, for HTTP and for databases (S0-CTX-04)."""

import os
import ssl
from collections.abc import Mapping
from typing import Any, TypedDict

from osiris_lsp.connectors.environment.config import Environment, config
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.tls import Tls, plain_context


class SSLConfig(TypedDict):
    """`cert_path` is a PEM file of authorities, None for those of the system.

    Where `success` is False, `error` says why, and a call with it is refused.
    """

    success: bool
    verify: bool
    cert_path: str | None
    error: str | None


def setup_ssl(environment: Environment = config) -> SSLConfig:
    """Return what `SSL_VERIFY` and `SSL_CERT_PATH` say; never falls back to less (S0-CTX-06)."""
    try:
        verify = environment.ssl_verify
    except ConnectorConfigError as error:
        return SSLConfig(success=False, verify=True, cert_path=None, error=str(error))
    path = environment.ssl_cert_path if verify else ""
    if path:
        path = os.path.abspath(path)
    found = SSLConfig(success=True, verify=verify, cert_path=path or None, error=None)
    try:
        if path:
            ssl_context(found)
    except ConnectorConfigError as error:
        found["success"], found["error"] = False, f"`SSL_CERT_PATH`: {error.message}"
    return found


def tls_settings(ssl_config: Mapping[str, Any]) -> Tls:
    """Return the settings that a context holds, as all connectors take them.

    `verify` may also be the path of the authorities, as some libraries have it.
    """
    if ssl_config.get("success") is False:
        raise ConnectorConfigError(
            str(ssl_config.get("error") or "the TLS settings cannot be used"),
            code="tls.unusable_file",
            field="ssl_config",
            remedy="repair what `setup_ssl` complains about",
        )
    verify, path = ssl_config.get("verify", True), ssl_config.get("cert_path")
    authority = verify if isinstance(verify, str | os.PathLike) else path
    return Tls(
        ca=os.fspath(authority) if authority else "",
        verify=verify is not False,
        fields={"ca": "cert_path", "verify": "verify"},
    )


def ssl_context(ssl_config: Mapping[str, Any]) -> ssl.SSLContext:
    """Return what httpx2, PyMySQL and pg8000 all take; raises ConnectorConfigError."""
    settings = tls_settings(ssl_config)
    try:
        return plain_context(settings)
    except ConnectorConfigError as error:
        raise ConnectorConfigError(
            error.message,
            code=error.code,
            field="cert_path",
            remedy="give the path of a PEM file with the certificates of the authorities",
        ) from error
