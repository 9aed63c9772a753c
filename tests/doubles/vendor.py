"""A double that is reached under the name of the real service: through a proxy, by TLS."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import trustme

from tests.doubles.messages import Double
from tests.doubles.proxy import Proxy
from tests.doubles.server import Server

_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True)
class Vendor:
    """The double and the proxy in front of it; `ca` is the file of the authority to trust."""

    server: Server
    proxy: Proxy
    ca: Path


@contextmanager
def vendor(
    double: Double, host: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Vendor]:
    """Let `https://host` lead to the double, by `HTTPS_PROXY` and `SSL_CERT_FILE`."""
    ca = folder / "vendor-ca.pem"
    _authority().cert_pem.write_to_path(str(ca))
    with Server(double, tls=server_context(host)) as server:
        proxy = Proxy(target=(server.host, server.port))
        with Server(proxy) as front:
            for name in _VARIABLES:
                monkeypatch.delenv(name, raising=False)
                monkeypatch.delenv(name.upper(), raising=False)
            monkeypatch.setenv("HTTPS_PROXY", front.url)
            monkeypatch.setenv("SSL_CERT_FILE", str(ca))
            yield Vendor(server, proxy, ca)


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@cache
def server_context(host: str) -> ssl.SSLContext:
    """The TLS context of a server with this name, signed by the authority of all vendors."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert(host).configure_cert(context)
    return context
