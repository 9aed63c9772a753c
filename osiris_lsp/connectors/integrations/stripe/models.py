"""Objects of Stripe; amounts are in the smallest unit of their currency."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from osiris_lsp.connectors.integrations.values import Data, epoch, mapping, required
from osiris_lsp.secret import Secret


@dataclass(frozen=True)
class Customer:
    """Somebody who pays: https://docs.stripe.com/api/customers/object."""

    id: str
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    description: str | None = None
    balance: int = 0
    currency: str | None = None
    created_at: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    deleted: bool = False

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the customer of an answer; one that is deleted has its id only."""
        return cls(
            id=required(data, "id"),
            email=data.get("email"),
            name=data.get("name"),
            phone=data.get("phone"),
            description=data.get("description"),
            balance=data.get("balance") or 0,
            currency=data.get("currency"),
            created_at=epoch(data.get("created")),
            metadata=mapping(data.get("metadata")),
            deleted=bool(data.get("deleted")),
        )


@dataclass(frozen=True)
class PaymentIntent:
    """A payment on its way: https://docs.stripe.com/api/payment_intents/object."""

    id: str
    amount: int
    currency: str
    status: str
    customer: str | None = None
    client_secret: Secret | None = None
    description: str | None = None
    payment_method: str | None = None
    latest_charge: str | None = None
    created_at: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the payment intent of an answer."""
        secret = data.get("client_secret")
        return cls(
            id=required(data, "id"),
            amount=required(data, "amount"),
            currency=required(data, "currency"),
            status=required(data, "status"),
            customer=_id(data.get("customer")),
            client_secret=Secret(secret) if secret else None,
            description=data.get("description"),
            payment_method=_id(data.get("payment_method")),
            latest_charge=_id(data.get("latest_charge")),
            created_at=epoch(data.get("created")),
            metadata=mapping(data.get("metadata")),
        )


@dataclass(frozen=True)
class Invoice:
    """A bill: https://docs.stripe.com/api/invoices/object."""

    id: str
    status: str | None = None
    customer: str | None = None
    currency: str | None = None
    total: int = 0
    amount_due: int = 0
    amount_paid: int = 0
    number: str | None = None
    hosted_invoice_url: str | None = None
    created_at: datetime | None = None
    due_at: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the invoice of an answer."""
        return cls(
            id=required(data, "id"),
            status=data.get("status"),
            customer=_id(data.get("customer")),
            currency=data.get("currency"),
            total=data.get("total") or 0,
            amount_due=data.get("amount_due") or 0,
            amount_paid=data.get("amount_paid") or 0,
            number=data.get("number"),
            hosted_invoice_url=data.get("hosted_invoice_url"),
            created_at=epoch(data.get("created")),
            due_at=epoch(data.get("due_date")),
            metadata=mapping(data.get("metadata")),
        )


@dataclass(frozen=True)
class Event:
    """What a webhook tells; `data` is the object: https://docs.stripe.com/api/events/object."""

    id: str
    type: str
    data: dict[str, Any]
    created_at: datetime | None = None
    livemode: bool = False
    api_version: str | None = None

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the event of a payload."""
        return cls(
            id=required(data, "id"),
            type=required(data, "type"),
            data=mapping(mapping(data.get("data")).get("object")),
            created_at=epoch(data.get("created")),
            livemode=bool(data.get("livemode")),
            api_version=data.get("api_version"),
        )


def _id(value: Any) -> str | None:
    """Return the id of an object, which an answer may have in full."""
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else None
