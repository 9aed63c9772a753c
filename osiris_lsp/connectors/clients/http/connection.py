"""The configuration of a client from a connection of a connections file."""

import ssl
from collections.abc import Mapping
from typing import Any

from osiris_lsp.connectors.auth.config import AuthConfig
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.resilience.rate_limit import RateLimitConfig
from osiris_lsp.connectors.tls import plain_context, tls_of
from osiris_lsp.secret import Secret


def connection_of(family: str, config: Mapping[str, Any]) -> ResolvedConnection:
    """Return a resolved connection, made from a plain mapping of its fields where it is one."""
    if isinstance(config, ResolvedConnection):
        return config
    alias = str(config.get("alias") or "default")
    return ResolvedConnection(family, alias, config)


def client_config(
    connection: ResolvedConnection, base_url: str, auth: AuthConfig | None = None, **options: Any
) -> APIClientConfig:
    """Return the configuration for a connection: its time limits, its TLS files, its proxy.

    `options` are other fields of `APIClientConfig`.
    """
    name = connection.ref.lstrip("@")
    return APIClientConfig(name, base_url, auth, **client_options(connection), **options)


def client_options(connection: ResolvedConnection) -> dict[str, Any]:
    """Return the fields of `APIClientConfig` that say how a connection is reached."""
    proxy = connection.text("proxy")
    return {
        "timeout": seconds(connection, "timeout", 30.0),
        "connect_timeout": seconds(connection, "connect_timeout", 10.0),
        "ssl_context": _context(connection),
        "proxy": Secret(proxy) if proxy else None,
    }


def seconds(connection: ResolvedConnection, name: str, default: float) -> float:
    """Return a number of a connection, mostly of seconds; raises ConnectorConfigError otherwise."""
    value = connection.value(name)
    try:
        return default if value is None else float(value)
    except (TypeError, ValueError):
        raise ConnectorConfigError(f"`{name}` is no number", field=name) from None


def limit_of(connection: ResolvedConnection) -> RateLimitConfig | None:
    """Return the `rate_limit` of a connection: a mapping, or a number of requests in a second."""
    given = connection.get("rate_limit")
    if isinstance(given, Mapping):
        return RateLimitConfig(**given)
    if given is None:
        return None
    each_second = seconds(connection, "rate_limit", 1.0)
    if not each_second > 0:
        raise ConnectorConfigError("`rate_limit` has to be above 0", field="rate_limit")
    requests = max(int(each_second), 1)
    return RateLimitConfig(max_requests=requests, window_seconds=requests / each_second)


def _context(connection: ResolvedConnection) -> ssl.SSLContext | None:
    """Return a context where the connection has TLS settings of its own."""
    fields = connection.spec.fields if connection.spec is not None else {}
    verify = next((name for name in ("verify", "validate_ssl") if name in fields), "ssl_verify")
    tls = tls_of(connection, verify)
    if not (tls.ca or tls.cert or tls.key) and tls.verify:
        return None
    return plain_context(tls)
