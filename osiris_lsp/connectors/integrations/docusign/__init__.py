"""DocuSign: envelopes; signatures of its webhooks (Connect)."""

from osiris_lsp.connectors.integrations.docusign.connector import DocuSignConnector, DocuSignError
from osiris_lsp.connectors.integrations.docusign.credentials import DocuSignCredentials
from osiris_lsp.connectors.integrations.docusign.models import Document, Envelope, Event, Signer
from osiris_lsp.connectors.integrations.docusign.webhook import webhook_event

__all__ = [
    "DocuSignConnector",
    "DocuSignCredentials",
    "DocuSignError",
    "Document",
    "Envelope",
    "Event",
    "Signer",
    "webhook_event",
]
