"""A client that keeps to a limit: a burst at once, then a constant rate.

Run it with `python -m osiris_lsp.connectors.examples.rate_limited https://host/path`.
"""

import asyncio
import sys

from osiris_lsp.connectors import (
    APIClientConfig,
    BaseAPIClient,
    CircuitBreakerConfig,
    RateLimitConfig,
)


class StatusClient(BaseAPIClient):
    """A client that asks how things are."""

    async def _build_base_url(self) -> str:
        return self.config.base_url


async def main(url: str) -> None:
    """Ask six times: three at once, the others one after the other."""
    config = APIClientConfig(
        name="status",
        base_url=url,
        rate_limit=RateLimitConfig(max_requests=20, window_seconds=1.0, burst_size=3),
        circuit_breaker=CircuitBreakerConfig(failure_threshold=3),
    )
    async with StatusClient(config).session() as client:
        answers = await asyncio.gather(*(client.get("/status") for _ in range(6)))
        print("answers:", *(answer.status_code for answer in answers))
        print("healthy:", await client.health_check())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
