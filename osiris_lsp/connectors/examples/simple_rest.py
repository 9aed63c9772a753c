"""A client of a service with users: list them, add one, see what it took.

Run it with `python -m osiris_lsp.connectors.examples.simple_rest https://host/path`; the key comes
from the variable `API_KEY`.
"""

import asyncio
import os
import sys
from typing import Any

from osiris_lsp.connectors import (
    APIClientConfig,
    BaseAPIClient,
    RetryConfig,
    create_api_key_auth,
)


class UsersClient(BaseAPIClient):
    """What programs call; the framework does the rest."""

    async def _build_base_url(self) -> str:
        return self.config.base_url

    async def get_users(self) -> Any:
        """Return all users."""
        return (await self.get("/users")).body

    async def add_user(self, name: str) -> Any:
        """Add a user and return it."""
        return (await self.post("/users", json={"name": name})).body


async def main(url: str) -> None:
    """Add a user to those that are there."""
    config = APIClientConfig(
        name="users",
        base_url=url,
        auth=create_api_key_auth(os.environ.get("API_KEY", "")),
        retry=RetryConfig(max_retries=2),
    )
    async with UsersClient(config).session() as client:
        print("users:", len(await client.get_users()))
        print("added:", (await client.add_user("Ada"))["name"])
        metrics = client.get_metrics()
        print(f"requests: {metrics.total_requests}, succeeded: {metrics.success_rate:.0%}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
