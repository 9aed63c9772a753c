"""The GraphQL Admin API of one Shopify shop.

https://shopify.dev/docs/api/admin-graphql (authentication, status and error codes)
https://shopify.dev/docs/api/usage/response-codes
https://shopify.dev/docs/api/usage/limits
https://shopify.dev/docs/api/usage/versioning (falls forward to the oldest supported version)
"""

import re

from tests.doubles.messages import CANARY, Answer, Request, as_json

ACCESS_TOKEN = f"shpat_{CANARY}0123456789abcdef01234567"
SHOP_DOMAIN = "canary-store.myshopify.com"
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")

_BUCKET = {"maximumAvailable": 2000.0, "currentlyAvailable": 1999, "restoreRate": 100.0}
_COST = {"requestedQueryCost": 1, "actualQueryCost": 1, "throttleStatus": _BUCKET}
_EMPTY_BUCKET = {
    "requestedQueryCost": 752,
    "actualQueryCost": None,
    "throttleStatus": {**_BUCKET, "currentlyAvailable": 0},
}

UNAUTHORIZED = as_json(
    401,
    {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"},
)
FROZEN = as_json(402, {"errors": "Unavailable Shop"})
MISSING_SCOPE = as_json(
    403,
    {"errors": "[API] This action requires merchant approval for read_products scope."},
)
NOT_FOUND = as_json(404, {"errors": "Not Found"})
UNKNOWN_SHOP = Answer(404, b"<!doctype html><title>404</title>", {"Content-Type": "text/html"})
LOCKED = as_json(423, {"errors": "This shop is unavailable"})
RATE_LIMITED = as_json(
    429,
    {
        "errors": "Exceeded 2 calls per second for api client. "
        "Reduce request rates to resume uninterrupted service."
    },
    {"Retry-After": "2.0"},
)
REJECTED = Answer(430, b"", {"Content-Type": "text/html"})
THROTTLED = as_json(
    200,
    {
        "errors": [
            {
                "message": "Throttled",
                "extensions": {
                    "code": "THROTTLED",
                    "documentation": "https://shopify.dev/api/usage/rate-limits",
                },
            }
        ],
        "extensions": {"cost": _EMPTY_BUCKET},
    },
)
ACCESS_DENIED = as_json(
    200,
    {
        "errors": [
            {
                "message": "Access denied for products field. "
                "Required access: `read_products` access scope.",
                "locations": [{"line": 1, "column": 3}],
                "extensions": {
                    "code": "ACCESS_DENIED",
                    "documentation": "https://shopify.dev/api/usage/access-scopes",
                    "requiredAccess": "`read_products` access scope.",
                },
                "path": ["products"],
            }
        ],
        "data": None,
        "extensions": {"cost": _COST},
    },
)


class Shopify:
    """A shop whose app has the scope `read_orders` and no other."""

    def __call__(self, request: Request) -> Answer:
        """Answer `POST /admin/api/VERSION/graphql.json`."""
        match = re.fullmatch(r"/admin/api/([^/]+)/graphql\.json", request.path)
        if match is None or request.method != "POST":
            return NOT_FOUND
        served = served_version(match[1])
        if served is None:
            return NOT_FOUND
        if request.headers.get("X-Shopify-Access-Token") != ACCESS_TOKEN:
            return UNAUTHORIZED
        content = request.json()
        if not isinstance(content, dict) or not isinstance(content.get("query"), str):
            return as_json(400, {"errors": {"query": "Required parameter missing or invalid"}})
        if "products" in content["query"]:
            return ACCESS_DENIED
        shop = {"name": "Canary Store", "myshopifyDomain": SHOP_DOMAIN, "currencyCode": "EUR"}
        data = {
            "shop": shop,
            "currentAppInstallation": {"accessScopes": [{"handle": "read_orders"}]},
        }
        asked = {name: value for name, value in data.items() if name in content["query"]}
        headers = {"X-Shopify-API-Version": served}
        return as_json(200, {"data": asked, "extensions": {"cost": _COST}}, headers)


def served_version(version: str) -> str | None:
    """The version that answers: a past one falls forward; None if there was never such a one."""
    if version in (*VERSIONS, "unstable"):
        return version
    if re.fullmatch(r"20\d\d-(01|04|07|10)", version) and "2019-04" <= version < VERSIONS[0]:
        return VERSIONS[0]
    return None
