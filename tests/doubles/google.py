"""Google's token endpoint for service accounts, and the REST API of BigQuery.

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
https://cloud.google.com/bigquery/docs/reference/rest
https://cloud.google.com/bigquery/docs/error-messages
"""

import re
import time
from collections.abc import Mapping

from tests.doubles.messages import CANARY, Answer, Request, as_json
from tests.doubles.tokens import pem, private_key, verify

PROJECT_ID = "canary-analytics"
DATASET = "sales"
CLIENT_EMAIL = f"osiris@{PROJECT_ID}.iam.gserviceaccount.com"
# google-auth names this audience whatever the `token_uri` is.
AUDIENCE = "https://oauth2.googleapis.com/token"

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_REASONS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
}


def service_account(url: str, key: str = "google", email: str = CLIENT_EMAIL) -> dict[str, str]:
    """The JSON key of a service account whose tokens come from the double at `url`."""
    return {
        "type": "service_account",
        "project_id": PROJECT_ID,
        "private_key_id": "0123456789abcdef0123456789abcdef01234567",
        "private_key": pem(private_key(key)),
        "client_email": email,
        "client_id": "100000000000000000000",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": f"{url}/token",
        "universe_domain": "googleapis.com",
    }


def problem(
    status: int, reason: str, message: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """An error of BigQuery."""
    error: dict[str, object] = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
    }
    if status in _REASONS:
        error["status"] = _REASONS[status]
    return as_json(status, {"error": error}, headers)


INVALID_TOKEN = problem(
    401,
    "authError",
    "Request had invalid authentication credentials. "
    "Expected OAuth 2 access token, login cookie or other valid authentication credential.",
)
ACCESS_DENIED = problem(
    403,
    "accessDenied",
    f"Access Denied: Project {PROJECT_ID}: "
    "User does not have bigquery.datasets.get permission in project.",
)
BILLING = problem(
    403, "billingNotEnabled", f"Billing has not been enabled for project {PROJECT_ID}."
)
RATE_LIMITED = problem(
    403, "rateLimitExceeded", "Exceeded rate limits: too many api requests per user per method."
)
QUOTA = problem(429, "quotaExceeded", "Quota exceeded.", {"Retry-After": "30"})
SERVER_ERROR = problem(503, "backendError", "Error encountered during execution. Retrying may help")
API_DISABLED = as_json(
    403,
    {
        "error": {
            "code": 403,
            "message": f"BigQuery API has not been used in project {PROJECT_ID} before "
            "or it is disabled.",
            "errors": [
                {
                    "message": "BigQuery API has not been used before or it is disabled.",
                    "domain": "usageLimits",
                    "reason": "accessNotConfigured",
                }
            ],
            "status": "PERMISSION_DENIED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "SERVICE_DISABLED",
                    "domain": "googleapis.com",
                    "metadata": {"service": "bigquery.googleapis.com"},
                }
            ],
        }
    },
)


class Google:
    """`/token` and `/bigquery/v2`; `issued` holds the access tokens, oldest first."""

    def __init__(self) -> None:
        self.issued: list[str] = []

    def __call__(self, request: Request) -> Answer:
        """Answer as the token endpoint, or as BigQuery to whoever has one of its tokens."""
        if request.path == "/token":
            return self._token(request)
        match = re.fullmatch(
            r"/bigquery/v2/projects/([^/]+)/(datasets|queries)(/.+)?", request.path
        )
        if match is None:
            return Answer(404, b"<!DOCTYPE html>", {"Content-Type": "text/html"})
        if request.bearer not in self.issued:
            return INVALID_TOKEN
        project, collection, name = match[1], match[2], (match[3] or "")[1:]
        if project != PROJECT_ID:
            return problem(404, "notFound", f"Not found: Project {project}")
        if collection == "queries":
            return _query(request)
        reference = {"projectId": project, "datasetId": DATASET}
        found = {"id": f"{project}:{DATASET}", "datasetReference": reference, "location": "EU"}
        if not name:
            return as_json(200, {"kind": "bigquery#datasetList", "datasets": [found]})
        if name != DATASET:
            return problem(404, "notFound", f"Not found: Dataset {project}:{name}")
        return as_json(200, {"kind": "bigquery#dataset", **found})

    def _token(self, request: Request) -> Answer:
        form = request.form()
        if form.get("grant_type") != _GRANT:
            return _refusal(
                "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}"
            )
        claims = verify(form.get("assertion", ""), private_key("google"))
        if claims is None:
            return _refusal("invalid_grant", "Invalid JWT Signature.")
        if claims.get("iss") != CLIENT_EMAIL:
            return _refusal("invalid_grant", "Invalid grant: account not found")
        own = f"http://{request.headers.get('Host')}/token"
        if claims.get("aud") not in (AUDIENCE, own, own.replace("http:", "https:")):
            return _refusal("invalid_grant", "Invalid JWT: Failed audience check.")
        if not claims.get("iat", 0) - 60 <= time.time() < claims.get("exp", 0):
            text = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable"
            return _refusal("invalid_grant", f"{text} timeframe.")
        if "scope" not in claims:
            return _refusal("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        self.issued.append(f"ya29.{CANARY}-google-{len(self.issued) + 1}")
        token = {"access_token": self.issued[-1], "expires_in": 3599, "token_type": "Bearer"}
        return as_json(200, token)


def _query(request: Request) -> Answer:
    content = request.json()
    query = content.get("query") if request.method == "POST" and content else None
    if not isinstance(query, str):
        return problem(400, "required", "Required parameter is missing: query")
    if not query.lower().startswith("select"):
        return problem(
            400, "invalidQuery", f"Syntax error: Unexpected identifier at [1:1]: {query}"
        )
    rows = [] if content.get("dryRun") else [{"f": [{"v": "1"}]}]
    location = content.get("location", "US")
    answer = {
        "kind": "bigquery#queryResponse",
        "schema": {"fields": [{"name": "f0_", "type": "INTEGER", "mode": "NULLABLE"}]},
        "jobReference": {"projectId": PROJECT_ID, "jobId": "job_1", "location": location},
        "jobComplete": True,
        "totalRows": str(len(rows)),
        "totalBytesProcessed": "0",
        "rows": rows,
    }
    return as_json(200, answer)


def _refusal(error: str, description: str) -> Answer:
    return as_json(400, {"error": error, "error_description": description})
