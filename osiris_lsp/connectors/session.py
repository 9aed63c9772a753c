"""What calls share: circuit breakers by name."""

import threading
from typing import Final

from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.resilience.circuit_breaker import CircuitBreaker, CircuitBreakerConfig


class Session:
    """Registries of what is shared; programs that must not share make their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._breakers: dict[str, CircuitBreaker] = {}

    def circuit_breaker(
        self, name: str, config: CircuitBreakerConfig | None = None
    ) -> CircuitBreaker:
        """Return the breaker of a name; the first to ask for it says how it works."""
        with self._lock:
            breaker = self._breakers.get(name)
            if breaker is None:
                breaker = self._breakers[name] = CircuitBreaker(config, name=name)
        if config is not None and config != breaker.config:
            raise ConnectorConfigError(
                f"the circuit breaker `{name}` exists already and works differently",
                field="circuit_breaker",
                remedy="use another name, or ask for it without a configuration",
            )
        return breaker


DEFAULT: Final = Session()
"""The session of the process."""


def get_circuit_breaker(name: str, config: CircuitBreakerConfig | None = None) -> CircuitBreaker:
    """Return the breaker of a name in the session of the process (S3-CB-01)."""
    return DEFAULT.circuit_breaker(name, config)
