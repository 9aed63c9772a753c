"""A client with nothing of its own, for tests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from osiris_lsp.connectors import APIClientConfig, BaseAPIClient

Result = TypeVar("Result")
Client = TypeVar("Client", bound=BaseAPIClient)


class Plain(BaseAPIClient):
    """The smallest client there can be."""

    async def _build_base_url(self) -> str:
        return self.config.base_url


class Pauses(list[float]):
    """A sleep that only notes how long."""

    async def __call__(self, seconds: float) -> None:
        """Note a pause."""
        self.append(seconds)


def client(url: str, **options: Any) -> Plain:
    """Return a client that never sleeps and has no chance in it."""
    sleep = options.pop("sleep", Pauses())
    return Plain(APIClientConfig("test", url, **options), sleep=sleep, chance=lambda: 0.5)


def within(api: Client, use: Callable[[Client], Awaitable[Result]]) -> Result:
    """Use a client in a session and return what came of it."""

    async def main() -> Result:
        async with api.session():
            return await use(api)

    return asyncio.run(main())
