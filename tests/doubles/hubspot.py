"""The CRM API of HubSpot: contacts, companies and deals in memory.

https://developers.hubspot.com/docs/api-reference/error-handling
https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
https://developers.hubspot.com/docs/api-reference/account-account-info-v3/guide
"""

import re
from typing import Any

from tests.doubles.messages import CANARY, Answer, Request, as_json

TOKEN = f"pat-na1-{CANARY}-0000-4000-8000-000000000000"
UNSCOPED_TOKEN = f"pat-na1-{CANARY}-0000-4000-8000-000000000001"
CORRELATION = "aeb5f871-7f07-4993-9211-075dc63e7cbf"
PORTAL = 62515


def problem(status: int, category: str, message: str, **more: Any) -> Answer:
    """An error as the API gives it."""
    body = {
        "status": "error",
        "message": message,
        "correlationId": CORRELATION,
        "category": category,
        **more,
    }
    return as_json(status, body, {"X-HubSpot-Correlation-Id": CORRELATION})


UNAUTHENTICATED = problem(
    401,
    "INVALID_AUTHENTICATION",
    "Authentication credentials not found. This API supports OAuth 2.0 authentication.",
)
MISSING_SCOPES = problem(
    403,
    "MISSING_SCOPES",
    "This app hasn't been granted all required scopes to make this call.",
    errors=[{"message": "One or more of the following scopes are required."}],
)
RATE_LIMITED = as_json(
    429,
    {
        "status": "error",
        "message": "You have reached your secondly limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": CORRELATION,
        "policyName": "SECONDLY",
    },
    {"X-HubSpot-RateLimit-Remaining": "0", "Retry-After": "0"},
)

Record = dict[str, Any]


class HubSpot:
    """One account; a list has five records on a page at most, so that there are pages."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {"contacts": [], "companies": [], "deals": []}

    def add(self, kind: str, **properties: str) -> Record:
        """Put a record into the account."""
        number = sum(map(len, self.records.values())) + 1
        made = {
            "id": str(number),
            "properties": {**properties, "hs_object_id": str(number)},
            "createdAt": "2026-01-02T03:04:05.678Z",
            "updatedAt": "2026-01-02T03:04:05.678Z",
            "archived": False,
        }
        self.records[kind].append(made)
        return made

    def __call__(self, request: Request) -> Answer:
        """Answer by token, then by path."""
        if request.bearer not in (TOKEN, UNSCOPED_TOKEN):
            return UNAUTHENTICATED
        if request.path == "/account-info/v3/details":
            about = {"portalId": PORTAL, "accountType": "STANDARD", "timeZone": "Europe/Amsterdam"}
            return as_json(200, {**about, "dataHostingLocation": "eu1"})
        match = re.fullmatch(r"/crm/v3/objects/(\w+)(?:/([^/]+))?", request.path)
        if match is None or match[1] not in self.records:
            return problem(404, "OBJECT_NOT_FOUND", "resource not found")
        if request.bearer == UNSCOPED_TOKEN:
            return MISSING_SCOPES
        kind, id_ = match.groups()
        if id_ is None:
            if request.method == "POST":
                return self._create(kind, request)
            return self._list(kind, request)
        found = next((item for item in self.records[kind] if item["id"] == id_), None)
        if found is None:
            return problem(404, "OBJECT_NOT_FOUND", "resource not found")
        if request.method == "DELETE":
            self.records[kind].remove(found)
            return Answer(204)
        if request.method == "PATCH":
            found["properties"].update(request.json()["properties"])
        return as_json(200, found)

    def _create(self, kind: str, request: Request) -> Answer:
        content = request.json()
        if not isinstance(content, dict) or "properties" not in content:
            return problem(400, "VALIDATION_ERROR", "Invalid input JSON")
        properties = content["properties"]
        emails = {item["properties"].get("email") for item in self.records[kind]}
        if properties.get("email") in emails - {None}:
            return problem(409, "CONFLICT", "Contact already exists. Existing ID: 1")
        return as_json(201, self.add(kind, **properties))

    def _list(self, kind: str, request: Request) -> Answer:
        limit = int(request.query.get("limit", 10))
        if limit > 100:
            return problem(400, "VALIDATION_ERROR", "limit must be at most 100")
        start = int(request.query.get("after", 0))
        size = min(limit, 5)
        page: Record = {"results": self.records[kind][start : start + size]}
        if start + size < len(self.records[kind]):
            page["paging"] = {"next": {"after": str(start + size), "link": "https://x"}}
        return as_json(200, page)
