"""Answers of services: what they say, or the error that they mean."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.answers import kind_of
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorError,
    ConnectorNotFoundError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorQuotaError,
    ConnectorRateLimitError,
    ConnectorValidationError,
)
from osiris_lsp.connectors.resilience.rate_limit import retry_after

if TYPE_CHECKING:
    import httpx2


@dataclass
class APIResponse:
    """A successful answer; `body` is what its JSON says, its text, or None when it is empty."""

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    response_time_ms: float = 0.0
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)


_SAYS: Final[Mapping[type[ConnectorError], tuple[str, str]]] = {
    ConnectorAuthError: ("http.unauthorized", "check the credentials"),
    ConnectorNotFoundError: ("http.not_found", "check the path and `base_url`"),
    ConnectorPermissionError: ("http.forbidden", "check what these credentials may do"),
    ConnectorQuotaError: ("http.quota", "raise the quota, or pay the bill"),
    ConnectorRateLimitError: (
        "http.rate_limited",
        "lower `max_requests` or raise `window_seconds` of `rate_limit`",
    ),
    ConnectorValidationError: ("http.invalid", "check what the request sends"),
}


def failure(response: "httpx2.Response", where: str) -> ConnectorError | None:
    """Return the error that an answer means; None for a success. It quotes nothing of it."""
    status = response.status_code
    if 200 <= status < 300:
        return None
    said = f"{where} was answered with {status}"
    if status == 429 and _is_quota(response):
        status = 402
    kind = kind_of(status)
    code, remedy = _SAYS.get(kind, ("http.failed", ""))
    if status < 400:
        code = "http.redirect"
        remedy = "set `base_url` to where the service is, or allow `follow_redirects`"
    elif status == 407:
        code, remedy = "http.proxy", "give the proxy its user and password"
    elif status >= 500:
        remedy = "try again later, and look at the status page of the service"
    answer: dict[str, Any] = {"status_code": status} if issubclass(kind, ConnectorAPIError) else {}
    return kind(
        said,
        code=code,
        stage="auth" if status in (401, 403) else "query",
        remedy=remedy,
        retry_after=retry_after(response.headers.get("retry-after"), time.time()),
        **answer,
    )


def body_of(response: "httpx2.Response", where: str) -> Any:
    """Return what an answer says, by its content type."""
    if not response.content:
        return None
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        return response.text
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise ConnectorParseError(
            f"{where} was answered with JSON that cannot be read",
            code="http.bad_json",
            stage="query",
            remedy="check that `base_url` leads to the service and not to a page in front of it",
        ) from None


def _is_quota(response: "httpx2.Response") -> bool:
    """Whether a refusal is for good: some services say so in the body only."""
    try:
        error = response.json().get("error")
        return "quota" in str(error.get("code") or error.get("type") or "")
    except (ValueError, RecursionError, AttributeError):
        return False
