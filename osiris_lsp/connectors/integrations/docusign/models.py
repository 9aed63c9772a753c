"""Objects of DocuSign."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from osiris_lsp.connectors.integrations.values import Data, mapping, moment, required


@dataclass(frozen=True)
class Envelope:
    """Documents and those who sign them; `status` is `created`, `sent`, `completed`, `voided`, ….

    https://developers.docusign.com/docs/esign-rest-api/reference/envelopes/envelopes/
    """

    id: str
    status: str | None = None
    subject: str | None = None
    created_at: datetime | None = None
    sent_at: datetime | None = None
    completed_at: datetime | None = None
    changed_at: datetime | None = None
    voided_reason: str | None = None

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the envelope of an answer."""
        changed = data.get("statusChangedDateTime") or data.get("statusDateTime")
        return cls(
            id=required(data, "envelopeId"),
            status=data.get("status"),
            subject=data.get("emailSubject"),
            created_at=moment(data.get("createdDateTime")),
            sent_at=moment(data.get("sentDateTime")),
            completed_at=moment(data.get("completedDateTime")),
            changed_at=moment(changed),
            voided_reason=data.get("voidedReason"),
        )


@dataclass(frozen=True)
class Document:
    """A file that is to be signed; DocuSign tells its kind by the end of `name`."""

    name: str
    content: bytes = field(repr=False)

    def to_api(self, number: int) -> dict[str, str]:
        """Return what an envelope has of it."""
        return {
            "documentId": str(number),
            "name": self.name,
            "fileExtension": self.name.rpartition(".")[2] if "." in self.name else "pdf",
            "documentBase64": base64.b64encode(self.content).decode(),
        }


@dataclass(frozen=True)
class Signer:
    """Somebody who signs, at the text `anchor` of a document where one is given.

    Those with a higher `order` get the envelope later.
    """

    name: str
    email: str
    anchor: str | None = None
    order: int = 1

    def to_api(self, number: int) -> dict[str, Any]:
        """Return what an envelope has of them."""
        signer = {
            "recipientId": str(number),
            "name": self.name,
            "email": self.email,
            "routingOrder": str(self.order),
        }
        tabs = {"tabs": {"signHereTabs": [{"anchorString": self.anchor}]}} if self.anchor else {}
        return {**signer, **tabs}


@dataclass(frozen=True)
class Event:
    """What a webhook tells; `type` is such as `envelope-completed`.

    https://developers.docusign.com/platform/webhooks/connect/json-sim-event-model/
    """

    type: str
    envelope_id: str | None = None
    account_id: str | None = None
    generated_at: datetime | None = None
    retry_count: int = 0
    data: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the event of a payload."""
        inner = mapping(data.get("data"))
        return cls(
            type=required(data, "event"),
            envelope_id=inner.get("envelopeId"),
            account_id=inner.get("accountId"),
            generated_at=moment(data.get("generatedDateTime")),
            retry_count=data.get("retryCount") or 0,
            data=inner,
        )
