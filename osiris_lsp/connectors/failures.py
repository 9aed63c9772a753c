"""What errors of the socket, the name lookup and TLS mean, by their codes."""

import errno
import socket
import ssl
from collections.abc import Mapping
from typing import Final

from osiris_lsp.connectors.errors import ConnectorError, ConnectorNetworkError, Stage

_RESET: Final = (
    "tcp.reset",
    "the other side broke the connection off",
    "check that the port belongs to this kind of server and that no proxy is in between",
)

_ERRNO: Final[Mapping[int, tuple[str, str, str]]] = {
    errno.ECONNREFUSED: (
        "tcp.refused",
        "nothing listens on this port",
        "check `{field}`, and that the server is running",
    ),
    errno.ECONNRESET: _RESET,
    errno.EPIPE: _RESET,
    errno.ENOTCONN: _RESET,
    errno.EHOSTUNREACH: (
        "tcp.unreachable",
        "no way leads to this host",
        "check the network, the VPN and the firewall",
    ),
    errno.ENETUNREACH: (
        "tcp.unreachable",
        "no way leads to the network of this host",
        "check the network, the VPN and the firewall",
    ),
    errno.ETIMEDOUT: (
        "tcp.timeout",
        "nothing answers there",
        "check host and port, the VPN, and the allow-list of the server",
    ),
    errno.EADDRNOTAVAIL: (
        "tcp.unreachable",
        "this is no address of a host",
        "check `{field}`",
    ),
}

# X509_V_ERR_* of OpenSSL.
_CERTIFICATE: Final[Mapping[int, tuple[str, str, str]]] = {
    9: ("tls.not_yet_valid", "its certificate is not valid yet", "check the clock"),
    10: (
        "tls.expired",
        "its certificate has expired",
        "have the certificate of the server renewed",
    ),
    62: (
        "tls.hostname",
        "its certificate is for another host",
        "use the host name that the certificate names",
    ),
    64: (
        "tls.hostname",
        "its certificate is not for this IP address",
        "use the host name that the certificate names",
    ),
}
_UNTRUSTED: Final = (
    "tls.untrusted",
    "no authority that is known here has signed its certificate",
    "name the file of the authority in `ssl_ca`, or for all families in the variable "
    "`SSL_CERT_FILE`",
)


def network_failure(error: BaseException, stage: Stage, field: str) -> ConnectorError | None:
    """Say what an error of the socket, the name lookup or TLS means; None for others."""
    kind = type(error).__name__
    if isinstance(error, socket.gaierror):
        return _dns(error, field)
    if isinstance(error, UnicodeError) and stage == "dns":
        return ConnectorNetworkError(
            "this is no host name", code="dns.invalid", remedy="check `host`", retryable=False
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        code, cause, remedy = _CERTIFICATE.get(getattr(error, "verify_code", 0), _UNTRUSTED)
        marked = "ssl_ca" if code == "tls.untrusted" else field
        return ConnectorNetworkError(
            f"the server cannot be trusted: {cause}",
            code=code,
            stage="tls",
            field=marked,
            remedy=remedy,
            retryable=False,
            kind=kind,
        )
    if isinstance(error, ssl.SSLError):
        return _tls(error)
    if isinstance(error, OSError) and error.errno is not None and error.errno in _ERRNO:
        code, cause, remedy = _ERRNO[error.errno]
        return ConnectorNetworkError(
            cause,
            code=code,
            remedy=remedy.format(field=field or "port"),
            kind=type(OSError(error.errno, "")).__name__,
        )
    if isinstance(error, ConnectionError | EOFError):
        return ConnectorNetworkError(
            "the other side closed the connection",
            code="tcp.closed",
            remedy="check that host and port belong to this kind of server",
            kind=kind,
        )
    return None


def _dns(error: socket.gaierror, field: str) -> ConnectorNetworkError:
    unknown = error.errno in _NO_NAME
    return ConnectorNetworkError(
        "no host has this name" if unknown else "the name could not be looked up",
        code="dns.nxdomain" if unknown else "dns.failed",
        stage="dns",
        remedy=f"check the spelling of `{field or 'host'}`; internal names may need a VPN"
        if unknown
        else "check the name servers of this machine, then try again",
        retryable=not unknown,
        kind="gaierror",
    )


_NO_NAME: Final = frozenset(
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)
)

# What a peer says that does not speak TLS, by OpenSSL's reason codes.
_NOT_TLS: Final = frozenset(
    (
        "WRONG_VERSION_NUMBER",
        "RECORD_LAYER_FAILURE",
        "PACKET_LENGTH_TOO_LONG",
        "HTTP_REQUEST",
        "UNEXPECTED_MESSAGE",
        "UNKNOWN_PROTOCOL",
    )
)


def _tls(error: ssl.SSLError) -> ConnectorNetworkError:
    reason = error.reason or ""
    if reason in _NOT_TLS:
        code, cause = "tls.not_spoken", "the server does not speak TLS on this port"
        remedy = "check the port, or whether TLS is wanted there at all"
    elif "CERTIFICATE" in reason or reason.endswith(("HANDSHAKE_FAILURE", "UNKNOWN_CA")):
        code, cause = "tls.client_certificate", "the server refused the TLS handshake"
        remedy = "it may want a client certificate: set `ssl_cert` and `ssl_key`"
    elif isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        code, cause = "tls.closed", "the server closed the connection in the TLS handshake"
        remedy = "check that the port is the one for TLS"
    else:
        code, cause = "tls.failed", "the TLS handshake failed"
        remedy = "server and client may have no TLS version or cipher in common"
    said = f" ({reason.replace('_', ' ').lower()})" if reason else ""
    return ConnectorNetworkError(
        cause + said,
        code=code,
        stage="tls",
        remedy=remedy,
        retryable=False,
        kind=type(error).__name__,
    )
