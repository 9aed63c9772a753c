"""Answers that any HTTP server may give when something is wrong, for `Server.always` and `next`."""

import gzip
import json
from datetime import datetime
from email.utils import format_datetime

from tests.doubles.messages import Answer

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_JSON = {"Content-Type": "application/json"}
_OK = json.dumps({"status": "ok"}).encode()

LOGIN_PAGE = Answer(200, b"<!doctype html><title>Sign in</title><form></form>", _HTML)
EMPTY = Answer(200, b"", _JSON)
INVALID_JSON = Answer(200, b'{"status": "ok"', _JSON)
WRONG_TYPE = Answer(200, _OK, {"Content-Type": "text/plain"})
GZIP = Answer(200, gzip.compress(_OK), {**_JSON, "Content-Encoding": "gzip"})
BROKEN_GZIP = Answer(200, _OK, {**_JSON, "Content-Encoding": "gzip"})
CHUNKED = Answer(200, _OK, _JSON, chunked=True)
HTTP_1_0 = Answer(200, _OK, _JSON, version="HTTP/1.0")
TRUNCATED = Answer(200, _OK, {**_JSON, "Content-Length": "1000"})
HUGE = Answer(200, b" " * 2**20, _JSON, chunked=True, repeat=1024)
SLOW_HEAD = Answer(200, _OK, _JSON, drip_head=0.2)
SLOW_BODY = Answer(200, _OK, _JSON, drip_body=0.2)
SILENT = Answer(delay=3600.0)
HANG_UP = Answer(raw=b"")
NOT_HTTP = Answer(raw=b"SSH-2.0-OpenSSH_9.2\r\n")
PROXY_AUTHENTICATION = Answer(407, b"", {"Proxy-Authenticate": 'Basic realm="proxy"'})


def status(code: int, retry_after: int | datetime | None = None) -> Answer:
    """A bare status; `retry_after` is seconds or an aware date in UTC (RFC 9110 §10.2.3)."""
    if retry_after is None:
        return Answer(code, b"<h1>error</h1>", _HTML)
    if isinstance(retry_after, datetime):
        value = format_datetime(retry_after, usegmt=True)
    else:
        value = str(retry_after)
    return Answer(code, b"<h1>error</h1>", {**_HTML, "Retry-After": value})


def redirect(location: str, code: int = 302) -> Answer:
    """A redirect; given by `always` to a path of the same server it never ends."""
    return Answer(code, b"", {"Location": location})
