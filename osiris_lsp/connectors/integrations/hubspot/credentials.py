"""What shows HubSpot who asks: https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview."""

from dataclasses import dataclass
from typing import Final, Self

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.integrations.values import hide
from osiris_lsp.secret import Secret

BASE_URL: Final = "https://api.hubapi.com"


@dataclass(frozen=True)
class HubSpotCredentials:
    """The token of an app; `webhook_secret` is its client secret, which signs webhooks."""

    access_token: str | Secret
    webhook_secret: str | Secret | None = None
    base_url: str = BASE_URL

    def __post_init__(self) -> None:
        hide(self, "access_token", "webhook_secret")

    @classmethod
    def from_connection(cls, connection: ResolvedConnection) -> Self:
        """Return the credentials in a resolved connection."""
        return cls(
            access_token=connection.get("access_token", ""),
            webhook_secret=connection.get("webhook_secret"),
            base_url=connection.text("base_url") or BASE_URL,
        )
