"""The models of the OpenAI API, and of a local server that speaks it.

https://platform.openai.com/docs/api-reference/models
https://platform.openai.com/docs/guides/error-codes
"""

from collections.abc import Mapping

from tests.doubles.messages import CANARY, Answer, Request, as_json

API_KEY = f"sk-proj-{CANARY}OpenaiKey0000000000000000"
MODELS = ("gpt-4o-mini", "text-embedding-3-small")


def problem(
    status: int,
    kind: str,
    code: str | None,
    message: str,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An error of the OpenAI API."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    return as_json(status, {"error": error}, headers)


NO_KEY = problem(
    401,
    "invalid_request_error",
    None,
    "You didn't provide an API key. You need to provide your API key in an Authorization header "
    "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
)
WRONG_KEY = problem(
    401,
    "invalid_request_error",
    "invalid_api_key",
    "Incorrect API key provided: sk-proj-****0000. "
    "You can find your API key at https://platform.openai.com/account/api-keys.",
)
WRONG_ORGANIZATION = problem(
    401, "invalid_request_error", "invalid_organization", "No such organization: org-wrong."
)
UNSUPPORTED_COUNTRY = problem(
    403,
    "request_forbidden",
    "unsupported_country_region_territory",
    "Country, region, or territory not supported",
)
NO_MODEL_ACCESS = problem(
    403,
    "invalid_request_error",
    "model_not_found",
    "Project `proj-example` does not have access to model `gpt-4o`",
)
MISSING_SCOPE = problem(
    403,
    "invalid_request_error",
    "missing_scope",
    "You have insufficient permissions for this operation. Missing scopes: api.model.read.",
)
RATE_LIMITED = problem(
    429, "requests", "rate_limit_exceeded", "Rate limit reached for requests", {"Retry-After": "20"}
)
QUOTA = problem(
    429,
    "insufficient_quota",
    "insufficient_quota",
    "You exceeded your current quota, please check your plan and billing details.",
)
SERVER_ERROR = problem(
    500, "server_error", None, "The server had an error while processing your request."
)
OVERLOADED = problem(
    503, "server_error", None, "The engine is currently overloaded, please try again later."
)


class Openai:
    """`/v1/models` and `/v1/models/ID`; `key=None` is a local server that asks for none."""

    def __init__(self, key: str | None = API_KEY) -> None:
        self._key = key

    def __call__(self, request: Request) -> Answer:
        """Answer by key, then by model."""
        if self._key is not None and request.bearer is None:
            return NO_KEY
        if self._key is not None and request.bearer != self._key:
            return WRONG_KEY
        if request.headers.get("OpenAI-Organization", "org-example") != "org-example":
            return WRONG_ORGANIZATION
        models = [
            {"id": name, "object": "model", "created": 1721172741, "owned_by": "system"}
            for name in MODELS
        ]
        if request.path == "/v1/models":
            return as_json(200, {"object": "list", "data": models})
        root, _, name = request.path.partition("/v1/models/")
        if root or not name:
            text = f"Invalid URL ({request.method} {request.path})"
            return problem(404, "invalid_request_error", None, text)
        if name not in MODELS:
            text = f"The model '{name}' does not exist"
            return problem(404, "invalid_request_error", "model_not_found", text)
        return as_json(200, models[MODELS.index(name)])
