"""The private API of PostHog: one project, reached with a personal API key.

https://posthog.com/docs/api (authentication, errors, rate limits)
https://posthog.com/docs/api/projects
"""

import re

from tests.doubles.messages import CANARY, Answer, Request, as_json

PERSONAL_KEY = f"phx_{CANARY}PosthogPersonalKey0000000000"
UNSCOPED_KEY = f"phx_{CANARY}PosthogWithoutScope000000000"
PROJECT_KEY = f"phc_{CANARY}PosthogProjectKey00000000000"
PROJECT_ID = "12345"


def problem(status: int, kind: str, code: str, detail: str) -> Answer:
    """An error as Django REST framework with drf-exceptions-hog writes it."""
    return as_json(status, {"type": kind, "code": code, "detail": detail, "attr": None})


NOT_AUTHENTICATED = problem(
    401,
    "authentication_error",
    "not_authenticated",
    "Authentication credentials were not provided.",
)
AUTHENTICATION_FAILED = problem(
    401,
    "authentication_error",
    "authentication_failed",
    "Personal API key found in request Authorization header is invalid.",
)
MISSING_SCOPE = problem(
    403,
    "authentication_error",
    "permission_denied",
    "API key missing required scope 'project:read'",
)
NOT_FOUND = problem(404, "invalid_request", "not_found", "Not found.")
THROTTLED = as_json(
    429,
    {
        "type": "throttled_error",
        "code": "throttled",
        "detail": "Request was throttled. Expected available in 30 seconds.",
        "attr": None,
    },
    {"Retry-After": "30"},
)


class Posthog:
    """`/api/projects/ID/`; the key of the project itself is refused like any wrong key."""

    def __call__(self, request: Request) -> Answer:
        """Answer by key, then by project."""
        if request.path == "/_health":
            return Answer(200, b"ok", {"Content-Type": "text/html"})
        if request.bearer is None:
            return NOT_AUTHENTICATED
        if request.bearer not in (PERSONAL_KEY, UNSCOPED_KEY):
            return AUTHENTICATION_FAILED
        match = re.fullmatch(r"/api/(?:projects|environments)/([^/]+)/", request.path)
        if match is None:
            return NOT_FOUND
        if request.bearer == UNSCOPED_KEY:
            return MISSING_SCOPE
        if match[1] not in (PROJECT_ID, "@current"):
            return NOT_FOUND
        return as_json(200, {"id": int(PROJECT_ID), "name": "Canary", "api_token": PROJECT_KEY})
