"""Pages of strangers: read without reaching what is not public (CWE-918)."""

import asyncio
import dataclasses
import ipaddress
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from osiris_lsp.connectors import network, wire
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.clients.http.response import failure
from osiris_lsp.connectors.conversion import converted
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
    ConnectorValidationError,
)
from osiris_lsp.connectors.health import Check, Deadline

if TYPE_CHECKING:
    import httpx2

MAX_REDIRECTS: Final = 5

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LookUp = Callable[[str, int, float], Awaitable[Sequence[str]]]
Refusal = Callable[["httpx2.URL"], Awaitable[None]]

_HOST: Final = re.compile(rb"[a-z0-9._-]+")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the internet and to nobody's own network.

    Of an IPv6 address that stands for an IPv4 one, that one counts.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo is not None:
            inner = address.teredo[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved)


async def look_up(host: str, port: int, timeout: float) -> Sequence[str]:
    """Return the addresses of a host, each once; ends in time, whatever the name servers do."""

    def ask() -> list[str]:
        found = network.lookup(Check(None, Deadline(timeout)), host, port, "url")
        return list(dict.fromkeys(str(address[0]) for _, address in found))

    return await asyncio.to_thread(ask)


class Page(NamedTuple):
    """What an address led to in the end."""

    url: str
    kind: str
    text: str


class Pages:
    """Reads pages: only from public addresses, and from the very address that was looked at.

    Every redirect is a new question. `allowed` decides about addresses, `permitted` about URLs.
    """

    def __init__(
        self,
        config: APIClientConfig,
        *,
        allowed: Callable[[Address], bool] = is_public,
        look_up: LookUp = look_up,
    ) -> None:
        # Kept connections would be shared by hosts of one address, whose certificates differ.
        self._config = dataclasses.replace(config, max_keepalive_connections=0)
        self._allowed = allowed
        self._look_up = look_up

    async def get(self, url: str, permitted: Refusal | None = None) -> Page:
        """Return the page of a URL; raises ConnectorPermissionError for one that is not public."""
        import httpx2

        current = parsed(url)
        for _ in range(MAX_REDIRECTS + 1):
            if permitted is not None:
                await permitted(current)
            response = await self._one(current)
            target = response.headers.get("location")
            if response.status_code in (301, 302, 303, 307, 308) and target:
                try:
                    current = parsed(str(current.join(target)))
                except httpx2.InvalidURL:
                    raise _no_address() from None
                continue
            refused = failure(response, f"`{current.host}`")
            if refused is not None:
                raise refused
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Page(str(current), kind, response.text)
        raise ConnectorAPIError(
            f"`{current.host}` redirects more than {MAX_REDIRECTS} times",
            status_code=310,
            code="http.redirect_loop",
            stage="query",
        )

    async def _one(self, url: "httpx2.URL") -> "httpx2.Response":
        """Send one request, to the first of the addresses that takes it."""
        where, port = f"`{url.host}`", url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await self._look_up(url.host, port, self._config.connect_timeout)
        except (OSError, UnicodeError) as error:
            raise converted(error, where) from error
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
        # One that is not public among others is a trap, too: the next answer may hold only it.
        if not all(map(self._allowed, addresses)):
            raise ConnectorPermissionError(
                f"{where} is on a network that is not public",
                code="web.private_address",
                stage="dns",
                remedy="evidence from the web is only read from public addresses",
            )
        last: ConnectorError = ConnectorNetworkError(f"{where} has no address", code="dns.nxdomain")
        for address in addresses:
            try:
                return await self._send(url, address, where)
            except ConnectorError as error:
                if error.stage != "tcp":
                    raise
                last = error
        raise last

    async def _send(self, url: "httpx2.URL", address: Address, where: str) -> "httpx2.Response":
        """Send a request to an address in the name of the host: no second lookup takes place."""
        config = self._config
        client = wire.open_client(
            timeout=config.timeout,
            connect_timeout=config.connect_timeout,
            tls=config.ssl_context,
            headers=config.default_headers,
        )
        async with client as http:
            pinned = url.copy_with(host=str(address), fragment=None)
            headers = {"Host": url.netloc.decode("ascii"), "Accept": "text/html, text/*;q=0.9"}
            request = http.build_request("GET", pinned, headers=headers)
            if url.scheme == "https" and not _is_literal(url.host):
                request.extensions["sni_hostname"] = url.raw_host.decode("ascii")
            return await wire.send(http, request, where, config.timeout, max_body=config.max_body)


def parsed(url: str) -> "httpx2.URL":
    """Return a URL; raises ConnectorValidationError for one that no page can have."""
    import httpx2

    try:
        found = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise _no_address() from None
    named = _HOST.fullmatch(found.raw_host) or _is_literal(found.host)
    if found.scheme not in ("http", "https") or not named or found.userinfo:
        raise _no_address()
    return found


def _no_address() -> ConnectorValidationError:
    return ConnectorValidationError(
        "this is no address of a page",
        status_code=400,
        code="web.url",
        remedy="write it as `https://host/path`, without user and password",
    )


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
