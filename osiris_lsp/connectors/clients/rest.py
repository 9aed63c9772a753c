"""REST interfaces: the HTTP client of a connection of the family `api`."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Self, TypeVar

from osiris_lsp.connectors.auth.config import AuthConfig, create_api_key_auth
from osiris_lsp.connectors.clients.http.client import BaseAPIClient, Prepared
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.clients.http.connection import client_config, connection_of, limit_of
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.resilience.circuit_breaker import CircuitBreakerConfig
from osiris_lsp.connectors.resilience.retry import RetryConfig

Config = TypeVar("Config")


class RestClient(BaseAPIClient):
    """A client with everything that a connection says: credentials, limits, retries, TLS, proxy."""

    def __init__(
        self, config: APIClientConfig, params: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        super().__init__(config, **options)
        self._params = dict(params or {})

    @classmethod
    def from_connection(cls, connection: Mapping[str, Any], **options: Any) -> Self:
        """Return the client of a resolved connection; `options` are those of `BaseAPIClient`."""
        resolved = connection_of("api", connection)
        plain = resolved.reveal()
        headers = {str(name): str(value) for name, value in (plain.get("headers") or {}).items()}
        config = client_config(
            resolved,
            resolved.text("base_url"),
            _auth(resolved),
            default_headers=headers,
            rate_limit=limit_of(resolved),
            retry=_part(RetryConfig, resolved.get("retry")),
            circuit_breaker=_part(CircuitBreakerConfig, resolved.get("circuit_breaker")),
            follow_redirects=resolved.get("follow_redirects") is True,
        )
        return cls(config, plain.get("params"), **options)

    async def _build_base_url(self) -> str:
        return self.config.base_url

    async def _prepare_request(self, method: str, path: str, **options: Any) -> Prepared:
        """Add the parameters of the connection; those of a call win."""
        params = {**self._params, **(options.pop("params", None) or {})}
        return await super()._prepare_request(method, path, params=params, **options)


def _auth(connection: ResolvedConnection) -> AuthConfig | None:
    given = connection.get("auth")
    if isinstance(given, Mapping):
        known = {field.name for field in fields(AuthConfig)} - {"assertion"}
        auth = {name: value for name, value in given.items() if name in known}
        scope = given.get("scope")
        if scope is not None and "scopes" not in auth:
            auth["scopes"] = scope.split() if isinstance(scope, str) else tuple(scope)
        return AuthConfig(**auth)
    key = connection.get("api_key")
    return create_api_key_auth(key, connection.text("api_key_header")) if key else None


def _part(kind: type[Config], given: Any) -> Config | None:
    return kind(**given) if isinstance(given, Mapping) else None
