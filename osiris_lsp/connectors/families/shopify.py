"""Shopify: name of the shop and scopes of the app, asked of the GraphQL Admin API."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.answers import Response, expect
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorNotFoundError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorRateLimitError,
)
from osiris_lsp.connectors.exchange import request
from osiris_lsp.connectors.families.graphql import error_codes
from osiris_lsp.connectors.health import Check

# Both fields need no scope.
_QUERY: Final = "{ shop { name } currentAppInstallation { accessScopes { handle } } }"


class ShopifyConnector(Connector):
    """The Admin API of one shop."""

    family: ClassVar[str] = "shopify"

    def probe(self, check: Check) -> None:
        """Ask for the name of the shop."""
        connection = check.connection
        version = connection.text("api_version")
        response = request(
            check,
            "POST",
            f"https://{connection.text('shop_domain')}/admin/api/{version}/graphql.json",
            headers={"X-Shopify-Access-Token": connection.text("access_token")},
            payload={"query": _QUERY},
            field="shop_domain",
        )
        _refuse_status(response, version)
        _refuse_errors(response)
        answer = response.json("shop_domain")
        data = answer.get("data") if isinstance(answer, Mapping) else None
        if not isinstance(data, Mapping) or not isinstance(data.get("shop"), Mapping):
            raise ConnectorParseError(
                "what came back is JSON, but no answer of Shopify",
                code="graphql.no_data",
                stage="query",
                field="shop_domain",
                remedy="check `shop_domain`: it has to end in `.myshopify.com`",
            )
        check.facts["shop"] = data["shop"].get("name")
        check.facts["scopes"] = _scopes(data)
        served = response.headers.get("x-shopify-api-version") or version
        check.facts["api_version"] = served
        if served != version:
            check.facts["hint"] = (
                f"Shopify has ended `api_version` {version} and answers as {served} instead: "
                "move to a version that it supports"
            )


def _scopes(data: Mapping[str, Any]) -> list[str]:
    app = data.get("currentAppInstallation") or {}
    return sorted(str(scope.get("handle")) for scope in app.get("accessScopes") or ())


def _refuse_status(response: Response, version: str) -> None:
    """Raise for a status, also for those that mean something of their own at Shopify."""
    if response.status == 404 and not response.is_html:
        raise ConnectorNotFoundError(
            f"Shopify has no API version {version}",
            status_code=404,
            code="http.404",
            stage="query",
            field="api_version",
            remedy="choose a quarterly release, such as those that the documentation lists",
            kind="HTTPStatusError",
        )
    if response.status == 423:
        raise ConnectorAPIError(
            "the shop is locked (HTTP 423)",
            status_code=423,
            code="http.423",
            stage="query",
            field="shop_domain",
            remedy="the owner of the shop has to ask Shopify to unlock it",
            kind="HTTPStatusError",
        )
    expect(response, key_field="access_token", url_field="shop_domain")


def _refuse_errors(response: Response) -> None:
    """Raise for the errors that come with status 200."""
    codes = list(error_codes(response))
    if "THROTTLED" in codes:
        raise ConnectorRateLimitError(
            "too many requests: the rate limit of the shop is reached",
            code="shopify.throttled",
            stage="query",
            field="rate_limit",
            remedy="try again in a few seconds; let other programs with the same token send less",
            retry_after=wait_of(response.json()),
            kind="GraphQLError",
        )
    if "ACCESS_DENIED" in codes:
        raise ConnectorPermissionError(
            "the app lacks a scope",
            code="shopify.access_denied",
            stage="query",
            field="access_token",
            remedy="give the app the scope in the admin of the shop, and take its new token",
            kind="GraphQLError",
        )
    if codes:
        raise ConnectorAPIError(
            "Shopify answers the query with an error",
            status_code=response.status,
            code="graphql.error",
            stage="query",
            field="api_version",
            remedy="try another `api_version`, and look at the status page of Shopify",
            kind="GraphQLError",
        )


def wait_of(answer: Any) -> float | None:
    """Return the seconds until the bucket holds enough again, by the cost in an answer."""
    try:
        cost = answer["extensions"]["cost"]
        bucket = cost["throttleStatus"]
        missing = cost["requestedQueryCost"] - bucket["currentlyAvailable"]
        return max(round(float(missing / bucket["restoreRate"]), 1), 0.0)
    except (LookupError, TypeError, ValueError, ZeroDivisionError):
        return None


CONNECTOR: Final = ShopifyConnector()
