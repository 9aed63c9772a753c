"""The credentials of vendors as typed values that do not show."""

from dataclasses import dataclass, field
from typing import Self

from osiris_lsp.connectors.credentials.provider import CredentialProvider
from osiris_lsp.connectors.errors import CredentialError


@dataclass(frozen=True)
class StripeCredentials:
    """What Stripe's API and its webhooks need (S3-CRED-08)."""

    secret_key: str = field(repr=False)
    webhook_secret: str | None = field(default=None, repr=False)

    @classmethod
    def from_provider(cls, provider: CredentialProvider) -> Self:
        """Ask for `STRIPE_API_KEY` and `STRIPE_WEBHOOK_SECRET`; the latter may be missing."""
        return cls(_required(provider, "STRIPE_API_KEY"), provider.get("STRIPE_WEBHOOK_SECRET"))


@dataclass(frozen=True)
class HubSpotCredentials:
    """What HubSpot's API needs (S3-CRED-09)."""

    access_token: str = field(repr=False)
    base_url: str = "https://api.hubapi.com"

    @classmethod
    def from_provider(cls, provider: CredentialProvider) -> Self:
        """Ask for `HUBSPOT_ACCESS_TOKEN`."""
        return cls(_required(provider, "HUBSPOT_ACCESS_TOKEN"))


def _required(provider: CredentialProvider, name: str) -> str:
    value = provider.get(name)
    if value is None:
        raise CredentialError(
            f"there is no credential `{name}`",
            code="credential.missing",
            remedy="set it where the credential provider looks",
        )
    return value
