"""Objects of PagerDuty."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from osiris_lsp.connectors.integrations.values import Data, mapping, moment, required


@dataclass(frozen=True)
class Incident:
    """Something that is wrong; `status` is `triggered`, `acknowledged` or `resolved`.

    https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents
    """

    id: str
    number: int | None = None
    title: str | None = None
    status: str | None = None
    urgency: str | None = None
    incident_key: str | None = None
    service_id: str | None = None
    html_url: str | None = None
    created_at: datetime | None = None
    resolved_at: datetime | None = None

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the incident of an answer."""
        return cls(
            id=required(data, "id"),
            number=data.get("incident_number"),
            title=data.get("title") or data.get("summary"),
            status=data.get("status"),
            urgency=data.get("urgency"),
            incident_key=data.get("incident_key"),
            service_id=mapping(data.get("service")).get("id"),
            html_url=data.get("html_url"),
            created_at=moment(data.get("created_at")),
            resolved_at=moment(data.get("resolved_at")),
        )


@dataclass(frozen=True)
class Service:
    """What incidents are about: https://developer.pagerduty.com/api-reference/e960cca205c0f-list-services."""

    id: str
    name: str | None = None
    description: str | None = None
    status: str | None = None
    escalation_policy_id: str | None = None
    html_url: str | None = None
    created_at: datetime | None = None

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the service of an answer."""
        return cls(
            id=required(data, "id"),
            name=data.get("name") or data.get("summary"),
            description=data.get("description"),
            status=data.get("status"),
            escalation_policy_id=mapping(data.get("escalation_policy")).get("id"),
            html_url=data.get("html_url"),
            created_at=moment(data.get("created_at")),
        )


@dataclass(frozen=True)
class Event:
    """What a webhook tells; `type` is such as `incident.triggered`, `data` the object.

    https://developer.pagerduty.com/docs/webhooks-overview
    """

    id: str
    type: str
    resource_type: str | None = None
    occurred_at: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the event of a payload."""
        return cls(
            id=required(data, "id"),
            type=required(data, "event_type"),
            resource_type=data.get("resource_type"),
            occurred_at=moment(data.get("occurred_at")),
            data=mapping(data.get("data")),
        )
