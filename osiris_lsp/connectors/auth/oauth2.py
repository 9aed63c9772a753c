"""Tokens of OAuth 2.0: fetched once for all who wait, kept while they are valid."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from osiris_lsp.connectors.auth.config import AuthConfig
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorParseError,
    ConnectorRateLimitError,
)
from osiris_lsp.connectors.resilience.retry import RetryHandler
from osiris_lsp.secret import Secret

SKEW: Final = 300.0
"""Seconds before its end from which a token is not used; at most a tenth of its life (R-36)."""

_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_REMEDY: Final = "verify `token_url`, `client_id`, `client_secret` and `scopes`"

_CLAIMS_REMEDY: Final = (
    "verify the key, who the claims are for, and that this user gave the app consent"
)

Post = Callable[
    [str, Mapping[str, str], Mapping[str, str]], Awaitable[tuple[int, Any, float | None]]
]
"""Sends a form with headers to an address: the status, the JSON, the seconds of Retry-After."""


class TokenSource:
    """The current token of one client; safe for any number of concurrent callers."""

    def __init__(
        self,
        config: AuthConfig,
        post: Post,
        clock: Callable[[], float] = time.monotonic,
        retry: RetryHandler | None = None,
    ) -> None:
        self._config = config
        self._post = post
        self._clock = clock
        self._retry = retry
        self._refresh = config.refresh_token
        self._token: Secret | None = None
        self._expires: float | None = None
        self._pending: asyncio.Task[Secret] | None = None

    async def token(self) -> Secret:
        """Return a token that is valid, fetching one if need be."""
        if self._token is not None and (self._expires is None or self._clock() < self._expires):
            return self._token
        return await self.fetch()

    async def fetch(self) -> Secret:
        """Fetch a token; who comes while one is on its way gets that one.

        A caller that gives up does not take it from the others.
        """
        pending = self._pending
        if pending is None or pending.done() or pending.get_loop() is not _loop():
            pending = self._pending = _loop().create_task(self._fetch())
            pending.add_done_callback(_seen)
        return await asyncio.shield(pending)

    def discard(self, token: Secret | None) -> None:
        """Forget a token that was refused, unless there is a newer one already."""
        if self._token == token:
            self._token = None

    async def _fetch(self) -> Secret:
        # Trying again is inside of what the callers share: one of them must not start another.
        if self._retry is None:
            return await self._fetch_once()
        token: Secret = await self._retry.attempt(self._fetch_once)
        return token

    async def _fetch_once(self) -> Secret:
        if self._refresh is not None:
            form = {"grant_type": "refresh_token", "refresh_token": _plain(self._refresh)}
            answer = await self._ask(form)
            if answer[0] != 400:
                return self._keep(*answer)
            self._refresh = None  # used up or taken back: the client asks for itself
        if self._config.assertion is not None:
            form = {"grant_type": _JWT_BEARER, "assertion": _plain(self._config.assertion())}
            return self._keep(*await self._send({}, form))
        form = {"grant_type": self._config.grant_type}
        if self._config.scopes:
            form["scope"] = " ".join(self._config.scopes)
        return self._keep(*await self._ask(form))

    async def _ask(self, form: dict[str, str]) -> tuple[int, Any, float | None]:
        config = self._config
        client, secret = config.client_id or "", _plain(config.client_secret)
        headers: dict[str, str] = {}
        if config.client_auth == "basic":
            # RFC 6749, 2.3.1: both are form-encoded before they are joined.
            pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": client, "client_secret": secret}
        return await self._send(headers, form)

    async def _send(
        self, headers: Mapping[str, str], form: dict[str, str]
    ) -> tuple[int, Any, float | None]:
        sent = {"Accept": "application/json", **headers}
        return await self._post(self._config.token_url or "", sent, form)

    def _keep(self, status: int, body: Any, pause: float | None) -> Secret:
        _check(status, pause, self._config)
        token = body.get("access_token") if isinstance(body, dict) else None
        if (
            not isinstance(token, str)
            or not token
            or not token.isascii()
            or not token.isprintable()
        ):
            raise ConnectorParseError(
                "the token server gave no access token",
                code="oauth.no_token",
                stage="auth",
                field="token_url",
                remedy=_REMEDY,
            )
        self._token = Secret(token)
        self._expires = None
        life = _seconds(body.get("expires_in"))
        if life is not None:
            self._expires = self._clock() + life - min(SKEW, life / 10)
        if isinstance(body.get("refresh_token"), str):
            self._refresh = Secret(body["refresh_token"])
        return self._token


def _check(status: int, pause: float | None, config: AuthConfig) -> None:
    if status in (400, 401, 403):
        claims = config.assertion is not None
        raise ConnectorAuthError(
            f"the token server refused with {status}",
            code="oauth.refused",
            stage="auth",
            field="private_key" if claims else "client_secret",
            remedy=_CLAIMS_REMEDY if claims else _REMEDY,
        )
    if status == 429:
        raise ConnectorRateLimitError(
            "the token server has had too many requests",
            code="oauth.rate_limited",
            stage="auth",
            retry_after=pause,
        )
    if status != 200:
        raise ConnectorAPIError(
            f"the token server answered {status}",
            status_code=status,
            code="oauth.failed",
            stage="auth",
            field="token_url",
            remedy=_REMEDY,
            retry_after=pause,
        )


def _seconds(value: object) -> float | None:
    try:
        seconds = float(value)  # type: ignore[arg-type] # some servers send text
    except (TypeError, ValueError):
        return None
    return seconds if seconds >= 0 else None


def _plain(secret: str | Secret | None) -> str:
    return secret.reveal() if isinstance(secret, Secret) else secret or ""


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def _seen(task: asyncio.Task[Secret]) -> None:
    """Take note of an error that nobody is left to hear."""
    if not task.cancelled():
        task.exception()
