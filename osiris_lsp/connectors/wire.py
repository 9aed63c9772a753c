"""The way through httpx2: one deadline, no secret in its log, no redirect to elsewhere."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from osiris_lsp.connectors.conversion import converted, timed_out
from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorParseError
from osiris_lsp.connectors.resilience.rate_limit import retry_after
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    import ssl

    import httpx2

MAX_REDIRECTS: Final = 10


def check_url(url: str, field: str = "base_url") -> None:
    """Refuse what is no address of a service, and one with a password in it."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment:
        raise ConnectorConfigError(
            f"`{field}` is no address of a service",
            field=field,
            remedy="write it as `https://host/path`",
        )
    if "@" in parts.netloc:
        raise ConnectorConfigError(
            f"`{field}` has a user or password in it",
            field=field,
            remedy="take them out and use `create_basic_auth`",
        )


class _WithoutQueries(logging.Filter):
    """Take queries out of the addresses that httpx2 logs: tokens may stand there (R-53)."""

    def filter(self, record: logging.LogRecord) -> bool:
        import httpx2

        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.copy_with(query=None) if isinstance(argument, httpx2.URL) else argument
                for argument in record.args
            )
        return True


_FILTER: Final = _WithoutQueries()


def open_client(
    *,
    timeout: float,
    connect_timeout: float,
    tls: "ssl.SSLContext | None" = None,
    headers: Mapping[str, str] | None = None,
    max_connections: int = 100,
    max_keepalive_connections: int = 20,
    proxy: Secret | None = None,
) -> "httpx2.AsyncClient":
    """Return a pool of connections; without `tls`, certificates of the system count.

    Without `proxy`, an address that may hold a password, what the environment says counts.
    """
    import httpx2

    logging.getLogger("httpx2").addFilter(_FILTER)  # the same filter is added only once
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(timeout, connect=connect_timeout),
        limits=httpx2.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_keepalive_connections,
        ),
        headers=dict(headers or {}),
        verify=tls or True,
        proxy=proxy.reveal() if proxy else None,
        follow_redirects=False,
    )


def build(
    http: "httpx2.AsyncClient",
    method: str,
    url: str,
    headers: Mapping[str, str],
    params: Mapping[str, Any],
    json: Any,
    data: Any,
) -> "httpx2.Request":
    """Return a request; a query that stands in the address is added to, not replaced.

    `data` is a form, or bytes that are sent as they are.
    """
    import httpx2

    address = httpx2.URL(url).copy_merge_params(params) if params else url
    if isinstance(data, bytes):
        return http.build_request(method, address, headers=headers, content=data)
    return http.build_request(method, address, headers=headers, json=json, data=data)


async def send(
    http: "httpx2.AsyncClient",
    request: "httpx2.Request",
    where: str,
    timeout: float,
    *,
    follow_redirects: bool = False,
    max_body: int | None = None,
) -> "httpx2.Response":
    """Send a request and read the whole answer, up to some bytes, before the deadline."""
    import httpx2

    try:
        async with asyncio.timeout(timeout):
            response = await _one(http, request, max_body, where)
            for _ in range(MAX_REDIRECTS):
                following = response.next_request if follow_redirects else None
                if following is None or _origin(following.url) != _origin(request.url):
                    break
                response = await _one(http, following, max_body, where)
            return response
    except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol, httpx2.InvalidURL):
        # Their texts quote headers.
        raise ConnectorConfigError(
            f"{where} cannot be sent: a header or the address is not valid", code="http.request"
        ) from None
    except httpx2.DecodingError as error:
        raise ConnectorParseError(
            f"{where} was answered with a body that cannot be decoded",
            code="http.bad_encoding",
            stage="query",
        ) from error
    except httpx2.TransportError as error:
        raise converted(error, where) from error
    except TimeoutError as error:
        raise timed_out(where, "query", "TimeoutError") from error


async def post_form(
    http: "httpx2.AsyncClient",
    url: str,
    headers: Mapping[str, str],
    form: Mapping[str, str],
    timeout: float,
) -> tuple[int, Any, float | None]:
    """Send a form to a token server: its status, its JSON or None, the seconds of Retry-After."""
    request = http.build_request("POST", url, headers=dict(headers), data=dict(form))
    response = await send(http, request, "the token request", timeout)
    pause = retry_after(response.headers.get("retry-after"), time.time())
    try:
        return response.status_code, response.json(), pause
    except (ValueError, RecursionError):
        return response.status_code, None, pause


async def _one(
    http: "httpx2.AsyncClient", request: "httpx2.Request", limit: int | None, where: str
) -> "httpx2.Response":
    """Send one request and read its answer, unpacked, up to a limit."""
    if limit is None:
        return await http.send(request)
    import httpx2

    response = await http.send(request, stream=True)
    try:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > limit:
                raise ConnectorParseError(
                    f"{where} was answered with more than {limit} bytes",
                    code="http.too_large",
                    stage="query",
                )
    finally:
        await response.aclose()
    # The body is unpacked and whole: what said how it was packed is not true of it any more.
    headers = [pair for pair in response.headers.raw if pair[0].lower() not in _PACKING]
    read = httpx2.Response(
        response.status_code, headers=headers, content=bytes(body), request=request
    )
    read.next_request = response.next_request
    return read


_PACKING: Final = (b"content-encoding", b"content-length", b"transfer-encoding")


def _origin(url: "httpx2.URL") -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
