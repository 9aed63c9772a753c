"""The REST API of PagerDuty: https://developer.pagerduty.com/docs/rest-api-overview."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, ClassVar, Final, Literal

from osiris_lsp.connectors.auth.config import (
    AuthConfig,
    create_api_key_auth,
    create_bearer_auth,
)
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.families.pagerduty import MEDIA
from osiris_lsp.connectors.integrations.connector import (
    IntegrationConnector,
    Item,
    ServiceError,
    at,
    taken,
)
from osiris_lsp.connectors.integrations.pagerduty.credentials import BASE_URL, PagerDutyCredentials
from osiris_lsp.connectors.integrations.pagerduty.models import Incident, Service
from osiris_lsp.connectors.integrations.values import listed, mapping

PAGE: Final = 100
REACH: Final = 10_000
"""Objects of one page, and of all pages, at most: https://developer.pagerduty.com/docs/pagination."""

Status = Literal["acknowledged", "resolved"]


class PagerDutyError(ServiceError):
    """What PagerDuty refused; `service_code` is its number: https://developer.pagerduty.com/docs/errors."""


class PagerDutyConnector(IntegrationConnector[PagerDutyCredentials]):
    """Incidents and services.

    An `incident_key` makes one incident of two calls: the second is refused while it is open.
    """

    family = "pagerduty"
    BASE_URL: ClassVar[str] = BASE_URL
    Error = PagerDutyError

    @classmethod
    def _credentials(cls, connection: ResolvedConnection) -> PagerDutyCredentials:
        return PagerDutyCredentials.from_connection(connection)

    def _auth(self) -> AuthConfig:
        key = self.credentials.api_key
        if self.credentials.token_type == "bearer":
            return create_bearer_auth(key)
        return create_api_key_auth(key, "Authorization", "Token token=")

    def _headers(self) -> Mapping[str, str]:
        headers = {"Accept": MEDIA}
        email = self.credentials.from_email
        return {**headers, "From": email} if email else headers

    def said(self, body: Any) -> tuple[str, str]:
        """PagerDuty adds what is wrong in detail."""
        message, code = super().said(body)
        error = mapping(body.get("error")) if isinstance(body, Mapping) else {}
        details = [str(detail) for detail in error.get("errors") or []]
        return ": ".join(part for part in (message, "; ".join(details)) if part), code

    async def list_incidents(self, limit: int = 100, **filters: Any) -> list[Incident]:
        """Return incidents; `filters` are parameters such as `statuses`, `service_ids`, `since`."""
        return await self._list("incidents", Incident, filters, limit)

    def iter_incidents(self, **filters: Any) -> AsyncIterator[Incident]:
        """Yield incidents, page by page; PagerDuty gives 10,000 at most."""
        return self._pages("incidents", Incident, filters)

    async def get_incident(self, incident_id: str) -> Incident:
        """Return an incident by its id or number."""
        return _incident(await self._request("GET", at("incidents", incident_id)))

    async def create_incident(
        self,
        title: str,
        service_id: str,
        *,
        urgency: Literal["high", "low"] | None = None,
        details: str | None = None,
        incident_key: str | None = None,
    ) -> Incident:
        """Tell PagerDuty that something is wrong with a service."""
        incident: dict[str, Any] = {
            "type": "incident",
            "title": title,
            "service": {"id": service_id, "type": "service_reference"},
            "urgency": urgency,
            "body": {"type": "incident_body", "details": details} if details else None,
            "incident_key": incident_key,
        }
        return _incident(await self._request("POST", at("incidents"), _wrapped(incident)))

    async def update_incident(
        self,
        incident_id: str,
        *,
        status: Status | None = None,
        title: str | None = None,
        urgency: Literal["high", "low"] | None = None,
        resolution: str | None = None,
    ) -> Incident:
        """Acknowledge or resolve an incident, or change what it says."""
        incident = {
            "type": "incident_reference",
            "status": status,
            "title": title,
            "urgency": urgency,
            "resolution": resolution,
        }
        path = at("incidents", incident_id)
        return _incident(await self._request("PUT", path, _wrapped(incident)))

    async def list_services(self, limit: int = 100, **filters: Any) -> list[Service]:
        """Return services; `filters` are parameters such as `query` and `team_ids`."""
        return await self._list("services", Service, filters, limit)

    def iter_services(self, **filters: Any) -> AsyncIterator[Service]:
        """Yield services, page by page."""
        return self._pages("services", Service, filters)

    async def get_service(self, service_id: str) -> Service:
        """Return a service."""
        return _service(await self._request("GET", at("services", service_id)))

    async def create_service(self, name: str, escalation_policy_id: str, **fields: Any) -> Service:
        """Add a service; its incidents go to the escalation policy."""
        policy = {"id": escalation_policy_id, "type": "escalation_policy_reference"}
        service = {"type": "service", "name": name, "escalation_policy": policy, **fields}
        return _service(await self._request("POST", at("services"), {"service": service}))

    async def update_service(self, service_id: str, **fields: Any) -> Service:
        """Change fields of a service."""
        service = {"type": "service", **fields}
        path = at("services", service_id)
        return _service(await self._request("PUT", path, {"service": service}))

    async def _list(
        self, name: str, model: type[Item], filters: Mapping[str, Any], limit: int
    ) -> list[Item]:
        wanted = {"limit": min(max(limit, 1), PAGE), **filters}
        return await taken(self._pages(name, model, wanted), limit)

    async def _pages(
        self, name: str, model: type[Item], filters: Mapping[str, Any]
    ) -> AsyncGenerator[Item, None]:
        params: dict[str, Any] = {"limit": PAGE, "offset": 0, **_plural(filters)}
        while True:
            page = await self._request("GET", at(name), params=params)
            found = listed(page, name)
            for data in found:
                yield model.from_api(data)
            offset = params["offset"] + len(found)
            if not page.get("more") or not found or offset >= REACH:
                return
            limit = min(params["limit"], REACH - offset)
            params = {**params, "offset": offset, "limit": limit}


def _plural(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters; of several values the name ends in `[]`."""
    return {
        f"{name}[]" if isinstance(value, list | tuple) else name: value
        for name, value in filters.items()
    }


def _wrapped(incident: Mapping[str, Any]) -> dict[str, Any]:
    return {"incident": {name: value for name, value in incident.items() if value is not None}}


def _incident(answer: Mapping[str, Any]) -> Incident:
    return Incident.from_api(mapping(answer.get("incident")))


def _service(answer: Mapping[str, Any]) -> Service:
    return Service.from_api(mapping(answer.get("service")))
