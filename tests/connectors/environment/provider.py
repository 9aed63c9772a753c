"""An OAuth server, and what the tests have in place of time, chance and variables."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from osiris_lsp.connectors import Authenticator, Environment, Session
from tests.connectors.clients.plain import Pauses
from tests.connectors.resilience.virtual import Clock
from tests.doubles.authorization import CLIENT_ID, CLIENT_SECRET, Authorization
from tests.doubles.server import Server


@dataclass
class Provider:
    """A running OAuth server and an `Authenticator` for it."""

    tokens: Authorization
    server: Server
    session: Session
    clock: Clock = field(default_factory=Clock)
    pauses: Pauses = field(default_factory=Pauses)

    def variables(self, **changes: str) -> dict[str, str]:
        """What a program has in its environment to use the server."""
        return {
            "AUTH_METHOD": "oauth",
            "OAUTH_ENDPOINT": f"{self.server.url.replace('127.0.0.1', 'localhost')}/token",
            "OAUTH_CLIENT_ID": CLIENT_ID,
            "OAUTH_CLIENT_SECRET": CLIENT_SECRET,
            **changes,
        }

    def authenticator(self, *, retry: Any = None, **changes: str) -> Authenticator:
        """What takes tokens from it; it never sleeps and has no chance in it."""
        return Authenticator(
            Environment(self.variables(**changes)),
            session=self.session,
            retry=retry,
            clock=self.clock,
            sleep=self.pauses,
            chance=lambda: 0.5,
        )


Provide = Callable[..., Provider]
