"""The configuration of an HTTP client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osiris_lsp.connectors.auth.config import AuthConfig
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.resilience.circuit_breaker import CircuitBreakerConfig
from osiris_lsp.connectors.resilience.rate_limit import RateLimitConfig
from osiris_lsp.connectors.resilience.retry import RetryConfig
from osiris_lsp.connectors.wire import check_url
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True)
class APIClientConfig:
    """What a client talks to, and how; `timeout` is for one attempt as a whole (R-52).

    `log_response_body` shows whatever a service answers. `follow_redirects` goes no further than
    the same scheme, host and port (R-54). Without `ssl_context`, certificates of the system count;
    without `proxy`, an address that may hold a password, what the environment says. An answer of
    more than `max_body` bytes is left and refused.
    """

    name: str
    base_url: str
    auth: AuthConfig | None = None
    rate_limit: RateLimitConfig | None = None
    circuit_breaker: CircuitBreakerConfig | None = None
    retry: RetryConfig | None = None
    timeout: float = 30.0
    connect_timeout: float = 10.0
    default_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    log_requests: bool = True
    log_responses: bool = True
    log_response_body: bool = False
    max_connections: int = 100
    max_keepalive_connections: int = 20
    follow_redirects: bool = False
    ssl_context: "ssl.SSLContext | None" = field(default=None, repr=False)
    max_body: int | None = None
    proxy: Secret | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ConnectorConfigError("`name` is empty", field="name")
        check_url(self.base_url)
        for name in ("timeout", "connect_timeout"):
            if not getattr(self, name) > 0:
                raise ConnectorConfigError(f"`{name}` has to be above 0", field=name)
        for name in ("max_connections", "max_keepalive_connections"):
            if getattr(self, name) < (name == "max_connections"):
                raise ConnectorConfigError(f"`{name}` is too small", field=name)
