"""A connector to begin with: copy the folder, and rename what is called MyService."""

from osiris_lsp.connectors.examples.myservice.connector import MyServiceConnector, MyServiceError
from osiris_lsp.connectors.examples.myservice.credentials import MyServiceCredentials
from osiris_lsp.connectors.examples.myservice.models import MyResource

__all__ = [
    "MyResource",
    "MyServiceConnector",
    "MyServiceCredentials",
    "MyServiceError",
]
