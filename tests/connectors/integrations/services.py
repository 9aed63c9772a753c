"""The four services: their connectors, and local servers that follow their documentation."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from osiris_lsp.connectors import RetryConfig
from osiris_lsp.connectors.integrations.connector import IntegrationConnector
from osiris_lsp.connectors.integrations.docusign import DocuSignConnector, DocuSignCredentials
from osiris_lsp.connectors.integrations.hubspot import HubSpotConnector, HubSpotCredentials
from osiris_lsp.connectors.integrations.pagerduty import PagerDutyConnector, PagerDutyCredentials
from osiris_lsp.connectors.integrations.stripe import StripeConnector, StripeCredentials
from tests.doubles import docusign, hubspot, pagerduty, stripe
from tests.doubles.messages import Answer, Double

Result = TypeVar("Result")
Api = TypeVar("Api", bound=IntegrationConnector[Any])

WEBHOOK_SECRET = "whsec_c4n4ryWebhook"


@dataclass(frozen=True)
class Service:
    """A service: how to make its double, its credentials for an address, and one typed call."""

    name: str
    connector: type[IntegrationConnector[Any]]
    double: Callable[[], Double]
    credentials: Callable[[str], Any]
    first_call: Callable[[Any], Awaitable[Any]]
    limited: Answer
    secret: str
    header: Mapping[str, str]


def docusign_credentials(url: str, **more: Any) -> DocuSignCredentials:
    """Credentials whose token server is the same one."""
    fields: dict[str, Any] = {
        "private_key": docusign.private_pem(),
        "integration_key": docusign.INTEGRATION_KEY,
        "user_id": docusign.USER_ID,
        "account_id": docusign.ACCOUNT_ID,
        "webhook_secret": WEBHOOK_SECRET,
    }
    return DocuSignCredentials(**{**fields, "base_url": url, "oauth_url": url, **more})


SERVICES = (
    Service(
        "stripe",
        StripeConnector,
        stripe.Stripe,
        lambda url: StripeCredentials(stripe.SECRET_KEY, WEBHOOK_SECRET, url),
        lambda api: api.get_customer("nobody"),
        stripe.RATE_LIMITED,
        stripe.SECRET_KEY,
        {"Authorization": f"Bearer {stripe.SECRET_KEY}"},
    ),
    Service(
        "hubspot",
        HubSpotConnector,
        hubspot.HubSpot,
        lambda url: HubSpotCredentials(hubspot.TOKEN, WEBHOOK_SECRET, url),
        lambda api: api.get_contact("nobody"),
        hubspot.RATE_LIMITED,
        hubspot.TOKEN,
        {"Authorization": f"Bearer {hubspot.TOKEN}"},
    ),
    Service(
        "docusign",
        DocuSignConnector,
        docusign.DocuSign,
        docusign_credentials,
        lambda api: api.get_envelope("nobody"),
        docusign.RATE_LIMITED,
        docusign.private_pem(),
        {},
    ),
    Service(
        "pagerduty",
        PagerDutyConnector,
        pagerduty.PagerDuty,
        lambda url: PagerDutyCredentials(
            pagerduty.API_KEY, pagerduty.EMAIL, WEBHOOK_SECRET, base_url=url
        ),
        lambda api: api.get_incident("nobody"),
        pagerduty.RATE_LIMITED,
        pagerduty.API_KEY,
        {"Authorization": f"Token token={pagerduty.API_KEY}", "From": pagerduty.EMAIL},
    ),
)

FAST = RetryConfig(max_retries=2, initial_delay=0.01, jitter=False)


def within(api: Api, work: Callable[[Api], Awaitable[Result]]) -> Result:
    """Use a connector in its context and return what came of it."""

    async def main() -> Result:
        async with api:
            return await work(api)

    return asyncio.run(main())
