"""The API of MyService."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, ClassVar

from osiris_lsp.connectors import AuthConfig, ResolvedConnection, create_bearer_auth
from osiris_lsp.connectors.examples.myservice.credentials import BASE_URL, MyServiceCredentials
from osiris_lsp.connectors.examples.myservice.models import MyResource
from osiris_lsp.connectors.integrations.connector import (
    IntegrationConnector,
    ServiceError,
    at,
    taken,
)
from osiris_lsp.connectors.integrations.values import listed


class MyServiceError(ServiceError):
    """What MyService refused."""


class MyServiceConnector(IntegrationConnector[MyServiceCredentials]):
    """Resources of MyService."""

    family = "myservice"
    BASE_URL: ClassVar[str] = BASE_URL
    Error = MyServiceError

    @classmethod
    def _credentials(cls, connection: ResolvedConnection) -> MyServiceCredentials:
        return MyServiceCredentials.from_connection(connection)

    def _auth(self) -> AuthConfig:
        return create_bearer_auth(self.credentials.api_key)

    async def list_resources(self, limit: int = 100) -> list[MyResource]:
        """Return the first resources."""
        return await taken(self._pages(min(limit, 100)), limit)

    def iter_resources(self) -> AsyncIterator[MyResource]:
        """Yield all resources, page by page."""
        return self._pages(100)

    async def get_resource(self, resource_id: str) -> MyResource:
        """Return a resource."""
        return MyResource.from_api(await self._request("GET", at("resources", resource_id)))

    async def create_resource(self, name: str) -> MyResource:
        """Add a resource."""
        return MyResource.from_api(await self._request("POST", at("resources"), {"name": name}))

    async def _pages(self, size: int) -> AsyncGenerator[MyResource, None]:
        params: dict[str, Any] = {"limit": size}
        while True:
            page = await self._request("GET", at("resources"), params=params)
            for data in listed(page, "data"):
                yield MyResource.from_api(data)
            if not page.get("next"):
                return
            params = {**params, "after": page["next"]}
