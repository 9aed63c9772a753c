"""Stripe: customers, payment intents and invoices; signatures of its webhooks."""

from osiris_lsp.connectors.integrations.stripe.connector import StripeConnector, StripeError
from osiris_lsp.connectors.integrations.stripe.credentials import StripeCredentials
from osiris_lsp.connectors.integrations.stripe.models import (
    Customer,
    Event,
    Invoice,
    PaymentIntent,
)
from osiris_lsp.connectors.integrations.stripe.webhook import webhook_event

__all__ = [
    "Customer",
    "Event",
    "Invoice",
    "PaymentIntent",
    "StripeConnector",
    "StripeCredentials",
    "StripeError",
    "webhook_event",
]
