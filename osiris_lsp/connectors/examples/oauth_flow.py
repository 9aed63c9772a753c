"""A client that fetches tokens of OAuth 2.0 for itself, and new ones before they end.

Run it with `python -m osiris_lsp.connectors.examples.oauth_flow https://host/path https://auth/token`;
the variables `API_CLIENT_ID` and `API_CLIENT_SECRET` say who asks.
"""

import asyncio
import os
import sys

from osiris_lsp.connectors import APIClientConfig, BaseAPIClient, create_oauth2_auth


class OrdersClient(BaseAPIClient):
    """A client of orders."""

    async def _build_base_url(self) -> str:
        return self.config.base_url


async def main(url: str, token_url: str) -> None:
    """Ask twice with one token."""
    auth = create_oauth2_auth(
        client_id=os.environ.get("API_CLIENT_ID", ""),
        client_secret=os.environ.get("API_CLIENT_SECRET", ""),
        token_url=token_url,
        scopes=["orders:read"],
    )
    config = APIClientConfig(name="orders", base_url=url, auth=auth)
    async with OrdersClient(config).session() as client:
        for _ in range(2):
            response = await client.get("/orders")
            print("orders:", response.body)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
