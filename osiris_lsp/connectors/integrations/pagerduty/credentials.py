"""What shows PagerDuty who asks: https://developer.pagerduty.com/docs/authentication."""

from dataclasses import dataclass
from typing import Final, Literal, Self

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.families import pagerduty
from osiris_lsp.connectors.integrations.values import hide
from osiris_lsp.secret import Secret

BASE_URL: Final = pagerduty.REGIONS["us"]


@dataclass(frozen=True)
class PagerDutyCredentials:
    """A key for the REST API, or a token of OAuth with `token_type="bearer"`.

    `from_email` is the user in whose name incidents are made and changed; keys of an account need
    it. `webhook_secret` is that of one subscription.
    """

    api_key: str | Secret
    from_email: str | None = None
    webhook_secret: str | Secret | None = None
    base_url: str = BASE_URL
    token_type: Literal["token", "bearer"] = "token"

    def __post_init__(self) -> None:
        hide(self, "api_key", "webhook_secret")

    @classmethod
    def from_connection(cls, connection: ResolvedConnection) -> Self:
        """Return the credentials in a resolved connection."""
        return cls(
            api_key=connection.get("api_key", ""),
            from_email=connection.get("from_email"),
            webhook_secret=connection.get("webhook_secret"),
            base_url=pagerduty.address_of(connection)[0],
            token_type=connection.value("token_type") or "token",
        )
