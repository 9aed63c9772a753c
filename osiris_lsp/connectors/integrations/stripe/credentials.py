"""What shows Stripe who asks: https://docs.stripe.com/keys."""

from dataclasses import dataclass
from typing import Final, Self

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.integrations.values import hide
from osiris_lsp.secret import Secret

BASE_URL: Final = "https://api.stripe.com"


@dataclass(frozen=True)
class StripeCredentials:
    """A secret or restricted key; `webhook_secret` (`whsec_…`) is that of one endpoint.

    Without `api_version` the one counts that the account is set to.
    """

    secret_key: str | Secret
    webhook_secret: str | Secret | None = None
    base_url: str = BASE_URL
    api_version: str | None = None
    account: str | None = None

    def __post_init__(self) -> None:
        hide(self, "secret_key", "webhook_secret")

    @classmethod
    def from_connection(cls, connection: ResolvedConnection) -> Self:
        """Return the credentials in a resolved connection."""
        return cls(
            secret_key=connection.get("secret_key", ""),
            webhook_secret=connection.get("webhook_secret"),
            base_url=connection.text("base_url") or BASE_URL,
            api_version=connection.get("api_version"),
            account=connection.get("account"),
        )
