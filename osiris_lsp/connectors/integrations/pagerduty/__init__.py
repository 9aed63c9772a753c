"""PagerDuty: incidents and services; signatures of its webhooks."""

from osiris_lsp.connectors.integrations.pagerduty.connector import (
    PagerDutyConnector,
    PagerDutyError,
)
from osiris_lsp.connectors.integrations.pagerduty.credentials import PagerDutyCredentials
from osiris_lsp.connectors.integrations.pagerduty.models import Event, Incident, Service
from osiris_lsp.connectors.integrations.pagerduty.webhook import webhook_event

__all__ = [
    "Event",
    "Incident",
    "PagerDutyConnector",
    "PagerDutyCredentials",
    "PagerDutyError",
    "Service",
    "webhook_event",
]
