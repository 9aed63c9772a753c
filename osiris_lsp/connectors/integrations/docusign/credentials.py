"""What shows DocuSign who asks: https://developers.docusign.com/platform/auth/jwt-get-token/."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from osiris_lsp.connectors import keyfile
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.families import docusign
from osiris_lsp.connectors.integrations.values import hide
from osiris_lsp.secret import Secret

BASE_URL: Final = "https://demo.docusign.net"
"""The developer environment; each account in production has an address of its own."""


@dataclass(frozen=True)
class DocuSignCredentials:
    """The integration key of an app, its private RSA key (PEM), and the user that it acts for.

    That user has to give the app consent once. `oauth_url` is found by `base_url`, if left out.
    `webhook_secret` is an HMAC key of Connect.
    """

    private_key: str | Secret
    integration_key: str
    user_id: str
    account_id: str
    webhook_secret: str | Secret | None = None
    base_url: str = BASE_URL
    oauth_url: str = ""

    def __post_init__(self) -> None:
        hide(self, "private_key", "webhook_secret")
        for name in ("integration_key", "user_id", "account_id"):
            if not getattr(self, name):
                raise ConnectorConfigError(
                    f"`{name}` is missing", code="config.missing_field", field=name
                )
        if not self.oauth_url:
            object.__setattr__(self, "oauth_url", docusign.oauth_url(self.base_url))

    @classmethod
    def from_connection(cls, connection: ResolvedConnection) -> Self:
        """Return the credentials in a resolved connection; the key may be in a file."""
        key = connection.get("private_key")
        if key is None and connection.get("private_key_file"):
            key = keyfile.content(connection, "private_key_file").decode("ascii", "replace")
        return cls(
            private_key=key or "",
            integration_key=connection.text("integration_key"),
            user_id=connection.text("user_id"),
            account_id=connection.text("account_id"),
            webhook_secret=connection.get("webhook_secret"),
            base_url=connection.text("base_url") or BASE_URL,
            oauth_url=connection.text("oauth_url"),
        )

    def assertion(self, clock: Callable[[], float] = time.time) -> Secret:
        """Return claims of the app, signed: what a token is given for."""
        key = self.private_key
        plain = key.reveal() if isinstance(key, Secret) else key
        host = urlsplit(self.oauth_url).netloc
        rsa = keyfile.loaded(plain.encode())
        return docusign.assertion(self.integration_key, self.user_id, host, rsa, clock())
