"""The CRM API of HubSpot: https://developers.hubspot.com/docs/api-reference/overview."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.auth.config import AuthConfig, create_bearer_auth
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.integrations.connector import (
    IntegrationConnector,
    Item,
    ServiceError,
    at,
    taken,
    text_of,
)
from osiris_lsp.connectors.integrations.hubspot.credentials import BASE_URL, HubSpotCredentials
from osiris_lsp.connectors.integrations.hubspot.models import Company, Contact, Deal
from osiris_lsp.connectors.integrations.values import listed, mapping

PAGE: Final = 100
"""Records of one page at most."""

_OBJECTS: Final = ("crm", "v3", "objects")

Properties = Sequence[str] | None
"""Names of the properties that are asked for; None for those that HubSpot gives anyway."""


class HubSpotError(ServiceError):
    """What HubSpot refused; `service_code` is its category, such as `CONFLICT`."""


class HubSpotConnector(IntegrationConnector[HubSpotCredentials]):
    """Contacts, companies and deals.

    HubSpot knows no idempotency keys: what creates is not tried again, and a contact whose `email`
    is there already is refused with status 409.
    """

    family = "hubspot"
    BASE_URL: ClassVar[str] = BASE_URL
    Error = HubSpotError
    REQUEST_ID = "x-hubspot-correlation-id"

    @classmethod
    def _credentials(cls, connection: ResolvedConnection) -> HubSpotCredentials:
        return HubSpotCredentials.from_connection(connection)

    def _auth(self) -> AuthConfig:
        return create_bearer_auth(self.credentials.access_token)

    def said(self, body: Any) -> tuple[str, str]:
        """HubSpot has its message at the top of an answer."""
        if not isinstance(body, Mapping):
            return "", ""
        return text_of(body.get("message")), text_of(body.get("category") or body.get("errorType"))

    async def list_contacts(self, limit: int = 100, properties: Properties = None) -> list[Contact]:
        """Return contacts."""
        return await self._list("contacts", Contact, limit, properties)

    def iter_contacts(self, properties: Properties = None) -> AsyncIterator[Contact]:
        """Yield all contacts, page by page."""
        return self._pages("contacts", Contact, PAGE, properties)

    async def get_contact(self, contact_id: str, properties: Properties = None) -> Contact:
        """Return a contact."""
        return Contact.from_api(await self._get("contacts", contact_id, properties))

    async def create_contact(self, properties: Mapping[str, Any]) -> Contact:
        """Add a contact; `properties` are such as `email`, `firstname`, `lastname`."""
        return Contact.from_api(await self._create("contacts", properties))

    async def update_contact(self, contact_id: str, properties: Mapping[str, Any]) -> Contact:
        """Change properties of a contact; an empty text takes one away."""
        return Contact.from_api(await self._update("contacts", contact_id, properties))

    async def delete_contact(self, contact_id: str) -> None:
        """Put a contact into the bin."""
        await self._request("DELETE", at(*_OBJECTS, "contacts", contact_id))

    async def list_companies(
        self, limit: int = 100, properties: Properties = None
    ) -> list[Company]:
        """Return companies."""
        return await self._list("companies", Company, limit, properties)

    def iter_companies(self, properties: Properties = None) -> AsyncIterator[Company]:
        """Yield all companies, page by page."""
        return self._pages("companies", Company, PAGE, properties)

    async def get_company(self, company_id: str, properties: Properties = None) -> Company:
        """Return a company."""
        return Company.from_api(await self._get("companies", company_id, properties))

    async def create_company(self, properties: Mapping[str, Any]) -> Company:
        """Add a company; `properties` are such as `name` and `domain`."""
        return Company.from_api(await self._create("companies", properties))

    async def update_company(self, company_id: str, properties: Mapping[str, Any]) -> Company:
        """Change properties of a company."""
        return Company.from_api(await self._update("companies", company_id, properties))

    async def list_deals(self, limit: int = 100, properties: Properties = None) -> list[Deal]:
        """Return deals."""
        return await self._list("deals", Deal, limit, properties)

    def iter_deals(self, properties: Properties = None) -> AsyncIterator[Deal]:
        """Yield all deals, page by page."""
        return self._pages("deals", Deal, PAGE, properties)

    async def get_deal(self, deal_id: str, properties: Properties = None) -> Deal:
        """Return a deal."""
        return Deal.from_api(await self._get("deals", deal_id, properties))

    async def create_deal(self, properties: Mapping[str, Any]) -> Deal:
        """Add a deal; `properties` are such as `dealname`, `dealstage` and `amount`."""
        return Deal.from_api(await self._create("deals", properties))

    async def update_deal(self, deal_id: str, properties: Mapping[str, Any]) -> Deal:
        """Change properties of a deal."""
        return Deal.from_api(await self._update("deals", deal_id, properties))

    async def _get(self, kind: str, record_id: str, properties: Properties) -> dict[str, Any]:
        path = at(*_OBJECTS, kind, record_id)
        return await self._request("GET", path, params=_wanted(properties))

    async def _create(self, kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        return await self._request("POST", at(*_OBJECTS, kind), {"properties": dict(properties)})

    async def _update(
        self, kind: str, record_id: str, properties: Mapping[str, Any]
    ) -> dict[str, Any]:
        path = at(*_OBJECTS, kind, record_id)
        return await self._request("PATCH", path, {"properties": dict(properties)})

    async def _list(
        self, kind: str, model: type[Item], limit: int, properties: Properties
    ) -> list[Item]:
        page = min(max(limit, 1), PAGE)
        return await taken(self._pages(kind, model, page, properties), limit)

    async def _pages(
        self, kind: str, model: type[Item], page: int, properties: Properties
    ) -> AsyncGenerator[Item, None]:
        params = {"limit": page, **_wanted(properties)}
        while True:
            answer = await self._request("GET", at(*_OBJECTS, kind), params=params)
            for data in listed(answer, "results"):
                yield model.from_api(data)
            after = mapping(mapping(answer.get("paging")).get("next")).get("after")
            if not after or after == params.get("after"):
                return
            params = {**params, "after": after}


def _wanted(properties: Properties) -> dict[str, Any]:
    return {"properties": ",".join(properties)} if properties else {}
