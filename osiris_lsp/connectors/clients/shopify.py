"""The GraphQL Admin API of Shopify, which limits by the cost of queries.

https://shopify.dev/docs/api/usage/limits
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from osiris_lsp.connectors.auth.config import create_api_key_auth
from osiris_lsp.connectors.clients.graphql import GraphQLClient
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.clients.http.connection import client_config, connection_of, limit_of
from osiris_lsp.connectors.clients.http.response import APIResponse
from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorRateLimitError
from osiris_lsp.connectors.families.graphql import codes_of
from osiris_lsp.connectors.families.shopify import wait_of
from osiris_lsp.connectors.resilience.retry import RetryConfig


class ShopifyClient(GraphQLClient):
    """The Admin API of one shop.

    Each answer says what is left of the budget of the app. A query that was seen to cost more than
    that waits until the budget has grown; one that is refused all the same is tried again when
    Shopify says that it will do.
    """

    def __init__(
        self,
        config: APIClientConfig,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        **options: Any,
    ) -> None:
        super().__init__(config, sleep=sleep, **options)
        self._sleep = sleep
        self._costs: dict[str, float] = {}
        self._budget: tuple[float, float, float] | None = None

    @classmethod
    def from_connection(cls, connection: Mapping[str, Any], **options: Any) -> Self:
        """Return the client of a resolved connection; `options` are those of `BaseAPIClient`."""
        resolved = connection_of("shopify", connection)
        if not resolved.text("shop_domain") or not resolved.text("access_token"):
            raise ConnectorConfigError(
                "shop_domain and access_token are required",
                code="config.missing_field",
                field="access_token" if resolved.text("shop_domain") else "shop_domain",
            )
        version = resolved.text("api_version")
        config = client_config(
            resolved,
            f"https://{resolved.text('shop_domain')}/admin/api/{version}/graphql.json",
            create_api_key_auth(resolved.get("access_token", ""), "X-Shopify-Access-Token"),
            retry=RetryConfig(max_retries=3),
            rate_limit=limit_of(resolved),
        )
        return cls(config, **options)

    @classmethod
    def create_client(cls, connection: Mapping[str, Any]) -> Self:
        """Return the client of a connection; the name is that of CONN-015."""
        return cls.from_connection(connection)

    async def _ask(
        self, document: str, variables: Mapping[str, Any] | None, operation: str | None
    ) -> Mapping[str, Any]:
        """Wait until there is budget for what the same document has cost before."""
        missing = self._costs.get(document, 0.0) - self._left()
        if missing > 0 and self._budget is not None:
            await self._sleep(missing / self._budget[1])
        answer = await super()._ask(document, variables, operation)
        self._note(document, answer)
        return answer

    def _note(self, document: str, answer: Mapping[str, Any]) -> None:
        """Keep what a document costs and what is left, where an answer says so."""
        try:
            cost = answer["extensions"]["cost"]
            status = cost["throttleStatus"]
            rate = float(status["restoreRate"])
            if rate > 0:
                self._budget = (float(status["currentlyAvailable"]), rate, self._clock())
            self._costs[document] = float(cost["requestedQueryCost"])
        except (LookupError, TypeError, ValueError):
            return

    def _left(self) -> float:
        """Return what should be left of the budget by now."""
        if self._budget is None:
            return float("inf")
        available, rate, at = self._budget
        return available + (self._clock() - at) * rate

    def _refuse_errors(self, answer: APIResponse) -> None:
        if "THROTTLED" in codes_of(answer.body):
            raise ConnectorRateLimitError(
                "too many requests: the budget of the app for this shop is used up",
                code="shopify.throttled",
                stage="query",
                field="rate_limit",
                remedy="ask for less at once; let other programs with the same token send less",
                retry_after=wait_of(answer.body),
            )
        super()._refuse_errors(answer)
