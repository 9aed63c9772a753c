"""One HTTP exchange under the deadline of a check, through a proxy where there is one."""

import http.client
import json
import zlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from osiris_lsp import __version__
from osiris_lsp.connectors.answers import Response, proxy_refused
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    ConnectorNetworkError,
    ConnectorParseError,
)
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.network import connect
from osiris_lsp.connectors.tls import Tls, secure, tls_of

MAX_BODY: Final = 4_000_000
"""Bytes of an answer that are read; lists of models have hundreds of thousands."""

MAX_REDIRECTS: Final = 5


def request(
    check: Check,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    body: bytes | None = None,
    payload: Any = None,
    form: Mapping[str, str] | None = None,
    tls: Tls | None = None,
    field: str = "base_url",
    follow: bool = False,
) -> Response:
    """Send one request and read the answer; whatever its status, it is returned.

    `payload` is sent as JSON, `form` as a form. `field` names the YAML field of the URL. Redirects
    are followed only when told so, and only inside the origin; else a 3xx comes back.
    """
    sent = {"User-Agent": f"osiris-lsp/{__version__}", "Accept": "application/json"}
    if payload is not None:
        body = json.dumps(payload).encode()
        sent["Content-Type"] = "application/json"
    elif form is not None:
        body = urlencode(form).encode()
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    sent = merged(sent, headers or {})
    parts = split_url(url, field)
    if params:
        query = "&".join(part for part in (parts.query, urlencode(params)) if part)
        parts = parts._replace(query=query)
    tls = tls or tls_of(check.connection)
    for _ in range(MAX_REDIRECTS + 1):
        response = _exchange(check, method, parts, sent, body, tls, field)
        target = response.headers.get("location")
        if not follow or response.status not in (301, 302, 303, 307, 308) or not target:
            return response
        following = split_url(urljoin(urlunsplit(parts), target), field)
        if _origin(following) != _origin(parts):
            return response
        parts = following
    raise ConnectorNetworkError(
        f"the server redirects in a circle: more than {MAX_REDIRECTS} times",
        code="http.redirect_loop",
        stage="query",
        field=field,
        remedy=f"set `{field}` to the address that answers in the end",
        retryable=False,
        kind="TooManyRedirects",
    )


def split_url(url: str, field: str) -> SplitResult:
    """Return the parts of an HTTP URL; raises ConnectorConfigError where it is none."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConnectorConfigError(
            f"`{field}` is no HTTP address",
            code="config.url",
            field=field,
            remedy="write it as `https://host/path`",
        )
    return parts


def join_url(base_url: str, path: str, field: str = "base_url") -> str:
    """Return the URL of a path below a base URL; a query of the path replaces that of the base."""
    parts = split_url(base_url, field)
    below = urlsplit("/" + path.lstrip("/"))
    full = parts.path.rstrip("/") + below.path
    return urlunsplit(parts._replace(path=full, query=below.query or parts.query, fragment=""))


def merged(headers: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Return headers with others in place of their namesakes, in whatever case they are written."""
    names = {name.lower() for name in more}
    return {**{name: text for name, text in headers.items() if name.lower() not in names}, **more}


_FRAMING: Final = {"Accept-Encoding": "identity", "Connection": "close"}

_URL: Final = "%/:=&?~#+!$,;'@()*[]"
"""What stays as it is in the path and query of a URL, so that `%20` is not quoted again."""

_NO_ANSWER: Final = (
    "the server took the request and did not begin to answer in time",
    "it may be overloaded, or no HTTP server: check host and port, or raise `--timeout`",
)
_NO_TUNNEL: Final = (
    "the proxy took the request for a connection and did not answer in time",
    "it may not reach the host: check that it is allowed there, and whether `NO_PROXY` should say",
)
_SLOW_ANSWER: Final = (
    "the server began to answer, and did not end in time",
    "it may be overloaded; raise `--timeout`",
)


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, _port(parts)


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _exchange(
    check: Check,
    method: str,
    parts: SplitResult,
    headers: Mapping[str, str],
    body: bytes | None,
    tls: Tls,
    field: str,
) -> Response:
    sent = {"Host": _authority(parts), **headers}
    if "host" in map(str.lower, headers):
        del sent["Host"]
    if "@" in parts.netloc and "authorization" not in map(str.lower, sent):
        sent["Authorization"] = basic(unquote(parts.username or ""), unquote(parts.password or ""))
    target = quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), safe=_URL)
    check.waits_for = None
    sock, via = _socket(check, parts, tls, field)
    if via is not None and parts.scheme == "http":
        target = f"http://{_authority(parts)}{target}"
        sent.update(_proxy_login(via))
    connection = http.client.HTTPConnection(parts.hostname or "", _port(parts))
    connection.sock = sock
    check.on_close(connection.close)
    check.at("auth", field)
    check.waits_for = _NO_ANSWER
    try:
        # Not to be chosen: how the answer is framed and packed is the business of this module.
        connection.request(method, target, body, merged(sent, _FRAMING))
    except (ValueError, UnicodeError, http.client.InvalidURL) as error:
        # The text of the error holds the header; a secret with a line break is the usual cause.
        raise ConnectorConfigError(
            "a header or the address holds characters that HTTP does not allow",
            code="config.header",
            field=field,
            remedy="look for line breaks and letters beyond Latin-1 in the values of the variables",
        ) from error
    return _answer(check, connection, urlunsplit(parts._replace(query="", fragment="")), field)


def _socket(
    check: Check, parts: SplitResult, tls: Tls, field: str
) -> tuple[Any, SplitResult | None]:
    """Return a socket to the server or to a proxy on the way, with that proxy."""
    host, proxy = parts.hostname or "", _proxy(check, parts)
    if proxy is None:
        via = None
        sock: Any = connect(check, host, _port(parts), field, field)
    else:
        via, proxy_field = proxy
        check.facts["proxy"] = f"{_bare(via.hostname or '')}:{_port(via)}"
        sock = connect(check, via.hostname or "", _port(via), proxy_field, proxy_field)
        if via.scheme == "https":
            sock = secure(check, sock, Tls(ca=tls.ca), via.hostname or "")
        if parts.scheme == "https":
            authority = f"{_bare(host)}:{_port(parts)}"
            _tunnel(check, sock, via, authority, proxy_field)
    check.field = field
    return (secure(check, sock, tls, host) if parts.scheme == "https" else sock), via


def _authority(parts: SplitResult) -> str:
    host = _bare(parts.hostname or "")
    return host if parts.port is None else f"{host}:{parts.port}"


def _bare(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _answer(check: Check, connection: http.client.HTTPConnection, url: str, field: str) -> Response:
    try:
        answer = connection.getresponse()
        check.at("query", field)
        check.waits_for = _SLOW_ANSWER
        data = answer.read(MAX_BODY)
        if answer.length and len(data) < MAX_BODY:
            raise http.client.IncompleteRead(data)
    except http.client.HTTPException as error:
        raise ConnectorNetworkError(
            "what answers there does not speak HTTP, or broke off",
            code="http.protocol",
            field=field,
            remedy=f"check scheme, host and port of `{field}`",
            kind=type(error).__name__,
        ) from error
    check.waits_for = None
    found = {name.lower(): value for name, value in answer.getheaders()}
    if found.get("content-encoding") == "gzip":
        data = _unpacked(data, field)
    return Response(answer.status, found, data, url)


def _unpacked(data: bytes, field: str) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(data, MAX_BODY)
    except zlib.error as error:
        raise ConnectorParseError(
            "the answer is no gzip, although it says so",
            code="http.encoding",
            field=field,
            remedy="a proxy in between may change the answers",
        ) from error


def _proxy(check: Check, parts: SplitResult) -> tuple[SplitResult, str] | None:
    """Return the proxy to go through and the field that names it, or None."""
    own = check.connection.text("proxy")
    if own:
        return split_url(own, "proxy"), "proxy"
    from urllib.request import getproxies, proxy_bypass

    host = parts.hostname or ""
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found or proxy_bypass(f"{host}:{_port(parts)}") or host in ("localhost", "127.0.0.1"):
        return None
    return split_url(found if "://" in found else f"http://{found}", "proxy"), ""


def _proxy_login(via: SplitResult) -> dict[str, str]:
    if not via.username:
        return {}
    return {"Proxy-Authorization": basic(unquote(via.username), unquote(via.password or ""))}


def _tunnel(check: Check, sock: Any, via: SplitResult, authority: str, field: str) -> None:
    """Have the proxy connect a socket to the server (RFC 9110 section 9.3.6)."""
    connection = http.client.HTTPConnection(via.hostname or "", _port(via))
    connection.sock = sock
    connection.putrequest("CONNECT", authority, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", authority)
    for name, value in _proxy_login(via).items():
        connection.putheader(name, value)
    connection.endheaders()
    check.waits_for = _NO_TUNNEL
    answer = connection.response_class(sock, method="CONNECT")
    try:
        answer.begin()
    except http.client.HTTPException as error:
        raise ConnectorNetworkError(
            "the proxy does not speak HTTP",
            code="proxy.protocol",
            field=field,
            remedy="check the address of the proxy",
            kind=type(error).__name__,
        ) from error
    if answer.status == 407:
        raise proxy_refused(field)
    if answer.status // 100 != 2:
        raise ConnectorNetworkError(
            f"the proxy does not connect to {authority}: HTTP {answer.status}",
            code="proxy.refused",
            field=field,
            remedy="the proxy may not know the host, or not allow it",
            kind="ProxyError",
        )
    check.waits_for = None


def basic(user: str, password: str) -> str:
    """Return the value of an `Authorization` header for HTTP Basic (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
