"""Records of the CRM of HubSpot; `properties` has all that was asked for."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from osiris_lsp.connectors.integrations.values import Data, epoch, mapping, moment, required


@dataclass(frozen=True)
class Contact:
    """A person: https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide."""

    id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    properties: dict[str, str | None] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived: bool = False

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the contact of an answer."""
        properties = mapping(data.get("properties"))
        return cls(
            **_record(data),
            email=properties.get("email"),
            first_name=properties.get("firstname"),
            last_name=properties.get("lastname"),
            phone=properties.get("phone"),
        )


@dataclass(frozen=True)
class Company:
    """An organisation: https://developers.hubspot.com/docs/api-reference/crm-companies-v3/guide."""

    id: str
    name: str | None = None
    domain: str | None = None
    properties: dict[str, str | None] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived: bool = False

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the company of an answer."""
        properties = mapping(data.get("properties"))
        return cls(**_record(data), name=properties.get("name"), domain=properties.get("domain"))


@dataclass(frozen=True)
class Deal:
    """A sale: https://developers.hubspot.com/docs/api-reference/crm-deals-v3/guide."""

    id: str
    name: str | None = None
    stage: str | None = None
    pipeline: str | None = None
    amount: str | None = None
    closes_at: datetime | None = None
    properties: dict[str, str | None] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived: bool = False

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the deal of an answer; `amount` is a number as text, as HubSpot keeps it."""
        properties = mapping(data.get("properties"))
        return cls(
            **_record(data),
            name=properties.get("dealname"),
            stage=properties.get("dealstage"),
            pipeline=properties.get("pipeline"),
            amount=properties.get("amount"),
            closes_at=moment(properties.get("closedate")),
        )


@dataclass(frozen=True)
class Event:
    """What a webhook tells of one object; `type` is such as `contact.propertyChange`."""

    id: str
    type: str
    object_id: str | None = None
    portal_id: int | None = None
    occurred_at: datetime | None = None
    attempt: int = 0
    data: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the event of an entry of a payload; `data` is all of it."""
        object_id = data.get("objectId")
        return cls(
            id=str(required(data, "eventId")),
            type=required(data, "subscriptionType"),
            object_id=None if object_id is None else str(object_id),
            portal_id=data.get("portalId"),
            occurred_at=epoch(data.get("occurredAt"), 0.001),
            attempt=data.get("attemptNumber") or 0,
            data=mapping(data),
        )


def _record(data: Data) -> dict[str, Any]:
    """Return the fields that all records have."""
    return {
        "id": str(required(data, "id")),
        "properties": mapping(data.get("properties")),
        "created_at": moment(data.get("createdAt")),
        "updated_at": moment(data.get("updatedAt")),
        "archived": bool(data.get("archived")),
    }
