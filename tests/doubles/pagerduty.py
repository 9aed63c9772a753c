"""The REST API of PagerDuty: incidents and services in memory.

https://developer.pagerduty.com/docs/errors, /pagination, /rest-api-rate-limits, /authentication
"""

import re
from typing import Any

from tests.doubles.messages import CANARY, Answer, Request, as_json

API_KEY = f"u+{CANARY}PagerDutyKey"
READ_ONLY_KEY = f"y_{CANARY}PagerDutyRead"
OAUTH_TOKEN = f"pdus+_{CANARY}PagerDutyToken"
EMAIL = "ada@example.com"
MEDIA = "application/vnd.pagerduty+json;version=2"


def problem(status: int, code: int, message: str, *details: str) -> Answer:
    """An error as the API gives it."""
    error = {"message": message, "code": code, "errors": list(details)}
    return as_json(status, {"error": error}, {"X-Request-Id": "request-1"})


UNAUTHENTICATED = problem(401, 2006, "Authentication failed")
ACCESS_DENIED = problem(403, 2010, "Access Denied")
RATE_LIMITED = as_json(
    429,
    {"error": {"message": "Rate Limit Exceeded", "code": 2020}},
    {"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "0"},
)

Object = dict[str, Any]


class PagerDuty:
    """One account; its only user is Ada."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Object]] = {"incidents": [], "services": []}

    def add(self, kind: str, **fields: Any) -> Object:
        """Put an object into the account."""
        number = sum(map(len, self.objects.values())) + 1
        made = {
            "id": f"P{number:06}",
            "type": kind.removesuffix("s"),
            "created_at": "2026-01-02T03:04:05Z",
            "html_url": f"https://acme.pagerduty.com/{kind}/P{number:06}",
            **({"incident_number": number, "urgency": "high"} if kind == "incidents" else {}),
            **fields,
        }
        self.objects[kind].append(made)
        return made

    def __call__(self, request: Request) -> Answer:
        """Answer by key, then by path."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        key = rest.removeprefix("token=") if scheme == "Token" else rest
        keys = (API_KEY, READ_ONLY_KEY) if scheme == "Token" else (OAUTH_TOKEN,)
        if key not in keys:
            return UNAUTHENTICATED
        if request.headers.get("Accept", "").replace(" ", "") != MEDIA:
            return problem(400, 2002, "Arguments Caused Error", "wrong version")
        if request.path == "/abilities":
            return as_json(200, {"abilities": ["sso", "teams"]})
        match = re.fullmatch(r"/(incidents|services)(?:/([^/]+))?", request.path)
        if match is None:
            return problem(404, 2100, "Not Found")
        if request.method != "GET" and key == READ_ONLY_KEY:
            return ACCESS_DENIED
        kind, id_ = match.groups()
        if request.method != "GET" and kind == "incidents":
            refusal = self._refuse(request)
            if refusal is not None:
                return refusal
        one = kind.removesuffix("s")
        if id_ is None:
            if request.method == "POST":
                return as_json(201, {one: self.add(kind, **_stored(request.json()[one]))})
            return self._list(kind, request)
        found = next((item for item in self.objects[kind] if item["id"] == id_), None)
        if found is None:
            return problem(404, 5001 if kind == "incidents" else 5002, f"{one.title()} Not Found")
        if request.method == "PUT":
            found.update(_stored(request.json()[one]))
        return as_json(200, {one: found})

    def _refuse(self, request: Request) -> Answer | None:
        if request.headers.get("From") != EMAIL:
            return problem(400, 1008, "Requester User Not Found")
        content = request.json()["incident"]
        if request.method == "POST" and not content.get("title"):
            return problem(400, 2001, "Invalid Input Provided", "Title cannot be empty.")
        open_keys = {
            item.get("incident_key")
            for item in self.objects["incidents"]
            if item.get("status") != "resolved"
        }
        if content.get("incident_key") in open_keys - {None}:
            text = "Open incident with matching dedup key already exists on this service"
            return problem(400, 2002, "Arguments Caused Error", text)
        return None

    def _list(self, kind: str, request: Request) -> Answer:
        limit, offset = int(request.query.get("limit", 25)), int(request.query.get("offset", 0))
        if limit > 100 or limit + offset > 10000:
            return problem(400, 2002, "Arguments Caused Error", "limit is out of bounds")
        status = request.query.get("statuses[]")
        found = [item for item in self.objects[kind] if status in (None, item.get("status"))]
        page = {kind: found[offset : offset + limit], "limit": limit, "offset": offset}
        return as_json(200, {**page, "more": offset + limit < len(found), "total": None})


def _stored(content: Object) -> Object:
    defaults = {"status": "triggered"} if content["type"] == "incident" else {}
    return {**defaults, **{k: v for k, v in content.items() if k != "type"}}
