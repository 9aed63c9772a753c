"""What shows MyService who asks."""

from dataclasses import dataclass
from typing import Self

from osiris_lsp.connectors import ResolvedConnection
from osiris_lsp.connectors.integrations.values import hide
from osiris_lsp.secret import Secret

BASE_URL = "https://api.myservice.com/v1"


@dataclass(frozen=True)
class MyServiceCredentials:
    """A key of the API; `webhook_secret` checks what the service sends."""

    api_key: str | Secret
    webhook_secret: str | Secret | None = None
    base_url: str = BASE_URL

    def __post_init__(self) -> None:
        hide(self, "api_key", "webhook_secret")

    @classmethod
    def from_connection(cls, connection: ResolvedConnection) -> Self:
        """Return the credentials in a resolved connection."""
        return cls(
            api_key=connection.get("api_key", ""),
            webhook_secret=connection.get("webhook_secret"),
            base_url=connection.text("base_url") or BASE_URL,
        )
