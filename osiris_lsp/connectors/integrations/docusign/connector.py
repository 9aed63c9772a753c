"""The eSignature API of DocuSign: https://developers.docusign.com/docs/esign-rest-api/reference/."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

from osiris_lsp.connectors.auth.config import AuthConfig, create_jwt_auth
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.integrations.connector import (
    IntegrationConnector,
    ServiceError,
    at,
    taken,
    text_of,
)
from osiris_lsp.connectors.integrations.docusign.credentials import BASE_URL, DocuSignCredentials
from osiris_lsp.connectors.integrations.docusign.models import Document, Envelope, Signer
from osiris_lsp.connectors.integrations.values import listed

PAGE: Final = 1000
"""Envelopes of one page at most."""


class DocuSignError(ServiceError):
    """What DocuSign refused; `service_code` is such as `ENVELOPE_DOES_NOT_EXIST`."""


class DocuSignConnector(IntegrationConnector[DocuSignCredentials]):
    """Envelopes of one account; tokens are fetched for signed claims (JWT grant).

    What creates is not tried again. A `transaction_id` of your own tells later whether an envelope
    was made, though its answer was lost: `list_envelopes(transaction_ids=…)`.
    """

    family = "docusign"
    BASE_URL: ClassVar[str] = BASE_URL
    Error = DocuSignError
    REQUEST_ID = "x-docusign-tracetoken"

    @classmethod
    def _credentials(cls, connection: ResolvedConnection) -> DocuSignCredentials:
        return DocuSignCredentials.from_connection(connection)

    def _auth(self) -> AuthConfig:
        credentials = self.credentials
        return create_jwt_auth(credentials.assertion, f"{credentials.oauth_url}/oauth/token")

    def said(self, body: Any) -> tuple[str, str]:
        """DocuSign has its message at the top of an answer."""
        if not isinstance(body, Mapping):
            return "", ""
        return text_of(body.get("message")), text_of(body.get("errorCode"))

    async def list_envelopes(
        self, limit: int = 100, *, from_date: datetime | None = None, **filters: Any
    ) -> list[Envelope]:
        """Return envelopes that changed since `from_date`; `filters` are such as `status`.

        DocuSign wants a date, `envelope_ids` or `transaction_ids`.
        """
        page = {"count": min(max(limit, 1), PAGE), **filters}
        return await taken(self._pages(from_date, page), limit)

    def iter_envelopes(
        self, *, from_date: datetime | None = None, **filters: Any
    ) -> AsyncIterator[Envelope]:
        """Yield all envelopes that changed since `from_date`, page by page."""
        return self._pages(from_date, filters)

    async def get_envelope(self, envelope_id: str) -> Envelope:
        """Return an envelope."""
        return Envelope.from_api(await self._request("GET", self._at(envelope_id)))

    async def create_envelope(
        self,
        subject: str,
        documents: Sequence[Document],
        signers: Sequence[Signer],
        *,
        status: Literal["sent", "created"] = "sent",
        transaction_id: str | None = None,
        **fields: Any,
    ) -> Envelope:
        """Send documents to be signed, or with `created` keep them as a draft.

        `fields` are others of DocuSign's EnvelopeDefinition.
        """
        definition = {
            "emailSubject": subject,
            "status": status,
            "documents": [item.to_api(number) for number, item in enumerate(documents, 1)],
            "recipients": {"signers": [item.to_api(n) for n, item in enumerate(signers, 1)]},
            **({"transactionId": transaction_id} if transaction_id else {}),
            **fields,
        }
        return Envelope.from_api(await self._request("POST", self._at(), definition))

    async def update_envelope(self, envelope_id: str, **fields: Any) -> Envelope:
        """Change fields of an envelope, such as `status="sent"` for a draft, and return it."""
        await self._request("PUT", self._at(envelope_id), fields)
        return await self.get_envelope(envelope_id)

    async def void_envelope(self, envelope_id: str, reason: str) -> Envelope:
        """Call an envelope back that is not complete; who had to sign is told the reason."""
        return await self.update_envelope(envelope_id, status="voided", voidedReason=reason)

    def _at(self, *more: str) -> str:
        return at("restapi", "v2.1", "accounts", self.credentials.account_id, "envelopes", *more)

    async def _pages(
        self, from_date: datetime | None, filters: Mapping[str, Any]
    ) -> AsyncGenerator[Envelope, None]:
        since = None if from_date is None else from_date.isoformat()
        joined = {
            name: ",".join(value) if isinstance(value, list | tuple) else value
            for name, value in filters.items()
        }
        params: dict[str, Any] = {"count": PAGE, "from_date": since, **joined}
        start = 0
        while True:
            page = await self._request(
                "GET", self._at(), params={**params, "start_position": start}
            )
            found = listed(page, "envelopes")
            for data in found:
                yield Envelope.from_api(data)
            start += len(found)
            if not page.get("nextUri") or not found:
                return
