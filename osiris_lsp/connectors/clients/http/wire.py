"""The way through httpx2: one deadline, no secret in its log, no redirect to elsewhere."""

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.conversion import converted, timeout
from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorParseError

if TYPE_CHECKING:
    import httpx2

MAX_REDIRECTS: Final = 10


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


def open_client(config: APIClientConfig) -> "httpx2.AsyncClient":
    """Return a pool of connections as the configuration says."""
    import httpx2

    logging.getLogger("httpx2").addFilter(_FILTER)  # the same filter is added only once
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(config.timeout, connect=config.connect_timeout),
        limits=httpx2.Limits(
            max_connections=config.max_connections,
            max_keepalive_connections=config.max_keepalive_connections,
        ),
        headers=dict(config.default_headers),
        verify=config.ssl_context or True,
        proxy=config.proxy.reveal() if config.proxy else None,
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
    """Return a request; a query that stands in the address is added to, not replaced."""
    import httpx2

    address = httpx2.URL(url).copy_merge_params(params) if params else url
    return http.build_request(method, address, headers=headers, json=json, data=data)


async def send(
    http: "httpx2.AsyncClient", request: "httpx2.Request", config: APIClientConfig, where: str
) -> "httpx2.Response":
    """Send a request and read the whole answer before the deadline."""
    import httpx2

    try:
        async with asyncio.timeout(config.timeout):
            response = await http.send(request)
            for _ in range(MAX_REDIRECTS):
                following = response.next_request if config.follow_redirects else None
                if following is None or _origin(following.url) != _origin(request.url):
                    break
                response = await http.send(following)
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
        raise timeout(where, "query", "TimeoutError") from error


def _origin(url: "httpx2.URL") -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
