"""The GraphQL Admin API of one Shopify shop (CONN-015)."""

from collections.abc import Mapping
from typing import Any, Final

from osiris_lsp.connectors.auth.config import create_api_key_auth
from osiris_lsp.connectors.clients.http.client import BaseAPIClient
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.errors import ConnectorAPIError, ConnectorConfigError
from osiris_lsp.connectors.resilience.retry import RetryConfig

API_VERSION: Final = "2024-01"


class ShopifyClient(BaseAPIClient):
    """A client of one shop; `create_client` makes it from a connection."""

    async def _build_base_url(self) -> str:
        return self.config.base_url

    @staticmethod
    def create_client(connection: Mapping[str, Any]) -> "ShopifyClient":
        """Return the client of a connection; raises ConnectorConfigError, which is a ValueError."""
        shop, token = connection.get("shop_domain"), connection.get("access_token")
        if not shop or not token:
            raise ConnectorConfigError(
                "shop_domain and access_token are required",
                code="config.missing_field",
                field="access_token" if shop else "shop_domain",
            )
        version = connection.get("api_version") or API_VERSION
        config = APIClientConfig(
            name=f"shopify.{connection.get('alias', 'default')}",
            base_url=f"https://{shop}/admin/api/{version}",
            auth=create_api_key_auth(token, "X-Shopify-Access-Token"),
            retry=RetryConfig(),
        )
        return ShopifyClient(config)

    async def query(self, text: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Return the `data` of a query; raises ConnectorAPIError for the `errors` of one."""
        body = (
            await self.post("graphql.json", json={"query": text, "variables": variables or {}})
        ).body
        errors = body.get("errors") if isinstance(body, Mapping) else ["no object"]
        if errors:
            raise ConnectorAPIError(
                f"`{self.config.name}`: Shopify answers the query with errors",
                status_code=200,
                code="graphql.error",
                stage="query",
                remedy="run the query in the GraphiQL app of the shop, which shows what is wrong",
            )
        return body.get("data")
