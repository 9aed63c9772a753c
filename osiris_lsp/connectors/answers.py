"""An HTTP answer, and what its status means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

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


@dataclass(frozen=True)
class Response:
    """An answer; names of `headers` are in lower case, `body` has at most 4 MB."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def json(self, field: str = "base_url") -> Any:
        """Return the body as JSON; raises ConnectorParseError, `http.html` for a web page."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            if self.is_html:
                code, cause = "http.html", "a web page came back instead of JSON"
                remedy = f"check `{field}`: it may lead to a login page, or lack the API path"
            else:
                code, cause = "http.not_json", "what came back is no JSON"
                remedy = f"check `{field}`: another kind of server may answer there"
            raise ConnectorParseError(
                cause, code=code, stage="query", field=field, remedy=remedy
            ) from error

    @property
    def is_html(self) -> bool:
        """Whether the body is a web page."""
        head = self.body[:200].lstrip().lower()
        return "html" in self.headers.get("content-type", "") or head.startswith(
            (b"<!doctype html", b"<html")
        )


_KINDS: Final[Mapping[int, type[ConnectorError]]] = {
    400: ConnectorValidationError,
    401: ConnectorAuthError,
    402: ConnectorQuotaError,
    403: ConnectorPermissionError,
    404: ConnectorNotFoundError,
    410: ConnectorNotFoundError,
    422: ConnectorValidationError,
    429: ConnectorRateLimitError,
    430: ConnectorRateLimitError,
}


def kind_of(status: int) -> type[ConnectorError]:
    """Return the class of the errors that an HTTP status stands for, for checks and clients."""
    return _KINDS.get(status, ConnectorAPIError)


def expect(
    response: Response, *, key_field: str = "api_key", url_field: str = "base_url"
) -> Response:
    """Return an answer of status 2xx; for others raise the error of the tree that they mean."""
    status = response.status
    if 200 <= status < 300:
        return response
    raise _failure(response, status, key_field, url_field)


def _failure(response: Response, status: int, key_field: str, url_field: str) -> ConnectorError:
    said, kind = f"HTTP {status}", kind_of(status)
    if status in (401, 403, 407):
        return _refused(status, key_field)
    if not issubclass(kind, ConnectorAPIError):
        return _limited(response, status)
    code, field, after = f"http.{status}", url_field, None
    if kind is ConnectorNotFoundError:
        cause = f"the server has nothing at this address ({said})"
        remedy = f"check the path and the version in `{url_field}`"
    elif kind is ConnectorQuotaError:
        cause = f"the account is frozen, or its quota is used up ({said})"
        field, remedy = "", "look at the billing page of the service"
    elif 300 <= status < 400:
        cause = f"the server redirects elsewhere ({said}), and credentials are never sent there"
        code, remedy = "http.redirect", f"set `{url_field}` to the address that it redirects to"
    elif status >= 500:
        cause = f"the server has a fault of its own ({said})"
        field, remedy = "", "try again later, and look at the status page of the service"
        after = retry_after(response)
    else:
        cause = f"the server refused the request ({said})"
        remedy = f"check the fields of the connection, `{url_field}` first"
    return kind(
        cause,
        status_code=status,
        code=code,
        stage="query",
        field=field,
        remedy=remedy,
        retry_after=after,
        kind="HTTPStatusError",
    )


def _refused(status: int, key_field: str) -> ConnectorError:
    """Return what the statuses mean that are about who asks: 401, 403 and 407."""
    if status == 401:
        return ConnectorAuthError(
            f"the server does not accept the credentials (HTTP {status})",
            code=f"http.{status}",
            stage="auth",
            field=key_field,
            remedy=f"check `{key_field}`: it may be revoked, expired, or of another environment",
        )
    if status == 403:
        return ConnectorPermissionError(
            f"the server knows the credentials, but does not allow this (HTTP {status})",
            code=f"http.{status}",
            stage="auth",
            field=key_field,
            remedy=f"give the owner of `{key_field}` the rights or scopes to read",
        )
    return proxy_refused("proxy")


def _limited(response: Response, status: int) -> ConnectorRateLimitError:
    after = retry_after(response)
    when = "try again later" if after is None else f"try again in {after:g} s, as the server says"
    return ConnectorRateLimitError(
        f"too many requests: the rate limit is reached (HTTP {status})",
        code=f"http.{status}",
        stage="query",
        field="rate_limit",
        remedy=f"{when}; let other programs with the same key send less",
        retry_after=after,
        kind="HTTPStatusError",
    )


def retry_after(response: Response) -> float | None:
    """Return the seconds of a `Retry-After` header, which may hold a date; None without one."""
    value = response.headers.get("retry-after", "").strip()
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    import time
    from email.utils import parsedate_to_datetime

    try:
        return max(round(parsedate_to_datetime(value).timestamp() - time.time(), 1), 0.0)
    except (ValueError, TypeError, IndexError):
        return None


def proxy_refused(field: str) -> ConnectorAuthError:
    """Return the error for a proxy that wants a login."""
    return ConnectorAuthError(
        "the proxy asks for a login (HTTP 407)",
        code="http.407",
        field=field,
        remedy="put user and password into the address of the proxy",
    )
