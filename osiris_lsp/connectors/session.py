"""What calls share: circuit breakers by name, pools and clients by configuration."""

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from osiris_lsp.connectors.bridge import Bridge
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.resilience.circuit_breaker import CircuitBreaker, CircuitBreakerConfig
from osiris_lsp.secret import Secret


class Closable(Protocol):
    """What a session holds and closes at its end."""

    def close(self) -> None:
        """Give back what is held; closing twice does nothing."""


Held = TypeVar("Held", bound=Closable)


_SESSIONS: Final["weakref.WeakSet[Session]"] = weakref.WeakSet()


class Session:
    """Registries of what is shared; programs that must not share make their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._breakers: dict[str, CircuitBreaker] = {}
        self._held: dict[tuple[str, str, int], Closable] = {}
        self.bridge = Bridge()
        _SESSIONS.add(self)

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

    def shared(self, kind: str, config: Mapping[str, Any], make: Callable[[], Held]) -> Held:
        """Return the pool or client of a configuration; made once, however many threads ask.

        A process that was forked makes its own: connections cannot be shared with the other.
        """
        key = (kind, config_key(config), os.getpid())
        with self._lock:
            held = self._held.get(key)
            if held is None:
                held = self._held[key] = make()
        return held  # type: ignore[return-value]  # what `make` of this kind returned

    def close_all(self, kind: str | None = None) -> None:
        """Close what is held, of one kind or of all, and forget it (S2-POOL-05).

        What fails to close keeps nothing else from it.
        """
        with self._lock:
            own = [key for key in self._held if key[2] == os.getpid()]
            closing = [self._held.pop(key) for key in own if kind in (None, key[0])]
        for held in closing:
            with contextlib.suppress(Exception):
                held.close()
        if kind is None:
            self.bridge.close()


_PROCESS_KEY: Final = secrets.token_bytes(32)


def config_key(config: Mapping[str, Any]) -> str:
    """Return what stands for a configuration: equal for equal ones, of no use elsewhere (R-25)."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), default=_plain)
    return hmac.new(_PROCESS_KEY, text.encode(), hashlib.sha256).hexdigest()


def _plain(value: object) -> Any:
    if isinstance(value, Secret):
        return ["secret", value.reveal()]
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"a configuration cannot hold {type(value).__name__}")


DEFAULT: Final = Session()
"""The session of the process."""


def cleanup_session() -> None:
    """Close what all sessions of the process hold (S1-CONN014-03)."""
    for session in list(_SESSIONS):
        session.close_all()


def get_circuit_breaker(name: str, config: CircuitBreakerConfig | None = None) -> CircuitBreaker:
    """Return the breaker of a name in the session of the process (S3-CB-01)."""
    return DEFAULT.circuit_breaker(name, config)
