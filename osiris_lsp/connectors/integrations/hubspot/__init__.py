"""HubSpot: contacts, companies and deals; signatures of its webhooks."""

from osiris_lsp.connectors.integrations.hubspot.connector import HubSpotConnector, HubSpotError
from osiris_lsp.connectors.integrations.hubspot.credentials import HubSpotCredentials
from osiris_lsp.connectors.integrations.hubspot.models import Company, Contact, Deal, Event
from osiris_lsp.connectors.integrations.hubspot.webhook import webhook_events

__all__ = [
    "Company",
    "Contact",
    "Deal",
    "Event",
    "HubSpotConnector",
    "HubSpotCredentials",
    "HubSpotError",
    "webhook_events",
]
