"""TLS of a connection: its settings, and sockets that keep the deadline of a check."""

import errno
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.health import Check, Deadline
from osiris_lsp.connectors.network import DeadlineReads, end

CA_BUNDLE: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian and its kin keep the certificates that the system trusts."""


class _DeadlineTls(DeadlineReads, ssl.SSLSocket):
    @property
    def deadline(self) -> Deadline:  # type: ignore[override]  # the one of its context
        context = self.context
        assert isinstance(context, CheckContext)
        return context.check.deadline

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError as error:
            # Of a connection that was reset `ssl` would lose the file number, or go on without TLS.
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, "reset") from error

    def do_handshake(self, block: bool = False) -> None:
        self._arm()
        super().do_handshake(block)

    def read(self, *args: Any) -> Any:
        self._arm()
        return super().read(*args)

    def send(self, *args: Any) -> int:
        self._arm()
        return super().send(*args)


class CheckContext(ssl.SSLContext):
    """A TLS context whose sockets keep the deadline of a check, and which notes the stage.

    Drivers take it in place of an ordinary context and call `wrap_socket`.
    """

    sslsocket_class = _DeadlineTls
    check: Check
    then: Literal["auth", "query"] = "auth"

    def wrap_socket(self, sock: socket.socket, *args: Any, **options: Any) -> ssl.SSLSocket:
        """Do the handshake in stage `tls`; a bad certificate raises ssl.SSLError."""
        self.check.at("tls", self.check.field)
        options["do_handshake_on_connect"] = False
        secure = super().wrap_socket(sock, *args, **options)
        self.check.on_close(partial(end, secure))
        secure.do_handshake()
        self.check.facts["tls"] = secure.version()
        self.check.at(self.then)
        return secure


@dataclass(frozen=True)
class Tls:
    """How a connection is secured; paths are absolute, empty ones are not set (R-23).

    `fields` maps `ca`, `cert`, `key` and `verify` to the YAML fields that they come from.
    """

    ca: str = ""
    cert: str = ""
    key: str = ""
    cipher: str = ""
    verify: bool = True
    check_hostname: bool = True
    fields: Mapping[str, str] = field(default_factory=dict)

    def field_of(self, name: str) -> str:
        """Return the YAML field of a setting."""
        return self.fields.get(name, f"ssl_{name}")


def tls_of(connection: ResolvedConnection, verify_field: str = "ssl_verify") -> Tls:
    """Return the TLS settings of a connection; `ssl` itself may be a mapping with the details."""
    nested = connection.get("ssl")
    inner = nested if isinstance(nested, Mapping) else {}
    fields = {"verify": verify_field}
    paths = {}
    for name in ("ca", "cert", "key"):
        own = connection.path(f"ssl_{name}")
        below = str(inner.get(name) or "")
        fields[name] = f"ssl_{name}" if own or not below else "ssl"
        paths[name] = own or (os.path.join(connection.base, below) if below else "")
    verify = connection.get(verify_field) is not False
    named = inner.get("check_hostname", True) is not False
    named = named and inner.get("verify_identity", True) is not False
    return Tls(
        **paths,
        cipher=str(inner.get("cipher") or ""),
        verify=verify and inner.get("verify_cert", True) is not False,
        check_hostname=verify and named,
        fields=fields,
    )


def wants_tls(connection: ResolvedConnection) -> bool:
    """Tell whether a connection uses TLS: also where only the files for it are given."""
    ssl = connection.get("ssl")
    if ssl is None:
        return any(connection.text(f"ssl_{name}") for name in ("ca", "cert", "key"))
    return ssl is not False


def configure_ssl(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy in which `ssl` says how, where `require_ssl` is set (seed 002).

    Certificate and host are verified against `ssl_ca`, or what the system trusts.
    """
    configured = dict(config)
    if configured.get("require_ssl", False):
        configured["ssl"] = {
            "ca": configured.get("ssl_ca") or (CA_BUNDLE if os.path.isfile(CA_BUNDLE) else ""),
            "verify_cert": True,
            "verify_identity": True,
        }
    return configured


def tls_context(check: Check, tls: Tls) -> CheckContext:
    """Return the context for the TLS settings; raises ConnectorConfigError for unusable files."""
    context = CheckContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check = check
    _configure(context, tls)
    return context


def plain_context(tls: Tls) -> ssl.SSLContext:
    """Return the same for sockets that know no check."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _configure(context, tls)
    return context


def _configure(context: ssl.SSLContext, tls: Tls) -> None:
    """Give a context of a client the TLS settings; raises ConnectorConfigError as above."""
    context.check_hostname = tls.verify and tls.check_hostname
    context.verify_mode = ssl.CERT_REQUIRED if tls.verify else ssl.CERT_NONE
    if tls.verify and not tls.ca:
        context.load_default_certs()
    for name in ("ca", "cert", "key"):
        path = getattr(tls, name)
        if path and not os.path.isfile(path):
            raise ConnectorConfigError(
                f"the file {path} does not exist",
                code="tls.missing_file",
                field=tls.field_of(name),
                remedy="a relative path counts from the folder of the connections file",
            )
    if bool(tls.cert) != bool(tls.key):
        present, missing = ("cert", "key") if tls.cert else ("key", "cert")
        raise ConnectorConfigError(
            f"`ssl_{present}` needs `ssl_{missing}`",
            code="tls.incomplete",
            field=tls.field_of(present),
            remedy=f"add `ssl_{missing}`",
        )
    name = "ca"
    try:
        if tls.ca:
            context.load_verify_locations(tls.ca)
        name = "cert"
        if tls.cert:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(tls.cert, tls.key, password=lambda: "")
        name = "verify"
        if tls.cipher:
            context.set_ciphers(tls.cipher)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConnectorConfigError(
            f"`{tls.field_of(name)}` cannot be used: {_reason(error)}",
            code="tls.unusable_file",
            field=tls.field_of(name),
            remedy="it has to be a PEM file; a private key must not need a passphrase",
        ) from error


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return str(reason or type(error).__name__).replace("_", " ").lower()


def secure(check: Check, sock: socket.socket, tls: Tls, host: str) -> ssl.SSLSocket:
    """Return a TLS connection over a socket; the handshake is stage `tls`."""
    return tls_context(check, tls).wrap_socket(sock, server_hostname=host)
