"""Credentials as the environment gives them: a token of OAuth 2.0, or a key (S0-OAUTH)."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from osiris_lsp.connectors import wire
from osiris_lsp.connectors.auth.config import AuthConfig, AuthType
from osiris_lsp.connectors.auth.oauth2 import TokenSource
from osiris_lsp.connectors.environment.certificates import setup_ssl, ssl_context
from osiris_lsp.connectors.environment.config import Environment, config, missing
from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorError
from osiris_lsp.connectors.resilience.retry import RetryConfig, RetryHandler
from osiris_lsp.connectors.session import DEFAULT, Session
from osiris_lsp.secret import Secret

TIMEOUT: Final = 30.0
"""Seconds for one request to the token server; 10 of them to connect."""

_NEEDED: Final = ("OAUTH_ENDPOINT", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET")
_SHAPE: Final = ("success", "method", "token", "header", "error")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Authentication(Mapping[str, Any]):
    """What `setup_authentication` came to: a mapping with the five keys of seed 000.

    Secrets in it are `Secret`. `tokens` gives a newer token where there can be one; `failure` is
    the error behind `error`.
    """

    success: bool
    method: str
    token: Secret | None = None
    error: str | None = None
    failure: ConnectorError | None = field(default=None, repr=False)
    tokens: TokenSource | None = field(default=None, repr=False)

    @property
    def header(self) -> dict[str, Secret]:
        """The header that shows the token or the key to a service."""
        return {"Authorization": _bearer(self.token)} if self.token is not None else {}

    @property
    def identity(self) -> Mapping[str, Any]:
        """What tells credentials apart; a newer token of the same client changes nothing."""
        return {"token": self.token} if self.tokens is None else {"tokens": id(self.tokens)}

    def __getitem__(self, name: str) -> Any:
        if name not in _SHAPE:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(_SHAPE)

    def __len__(self) -> int:
        return len(_SHAPE)

    @classmethod
    def of(cls, auth_config: Mapping[str, Any]) -> "Authentication":
        """Read what a caller wrote by hand: `method`, `token`, maybe `success` and `error`."""
        if isinstance(auth_config, cls):
            return auth_config
        token, error = auth_config.get("token"), auth_config.get("error")
        return cls(
            success=auth_config.get("success", True) is not False,
            method=str(auth_config.get("method") or "api_key"),
            token=Secret(token) if isinstance(token, str) and token else token or None,
            error=None if error is None else str(error),
        )

    async def current(self) -> Secret:
        """Return a credential that is valid now, fetching a token where that is due."""
        if self.tokens is not None:
            return await self.tokens.token()
        if self.success and self.token is not None:
            return self.token
        raise self.failure or ConnectorConfigError(
            self.error or "`auth_config` holds no `token`",
            field="auth_config",
            remedy="look at `error` of what `setup_authentication` returns",
        )

    def renew(self, refused: Secret) -> bool:
        """Give up a token that was refused; False where another would be the same."""
        if self.tokens is None:
            return False
        self.tokens.discard(refused)
        return True


class _Tokens:
    """The token of one client of one server, and the connection to ask for it."""

    def __init__(
        self,
        auth: AuthConfig,
        ssl_config: Mapping[str, Any],
        session: Session,
        retry: RetryHandler,
        clock: Callable[[], float],
    ) -> None:
        self._session = session
        self._http = wire.open_client(
            timeout=TIMEOUT, connect_timeout=10.0, tls=ssl_context(ssl_config)
        )
        self.source = TokenSource(auth, self._post, clock, retry)

    async def _post(
        self, url: str, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> tuple[int, Any, float | None]:
        return await wire.post_form(self._http, url, headers, form, TIMEOUT)

    def close(self) -> None:
        """Close the connection."""
        self._session.bridge.run(self._http.aclose())


class Authenticator:
    """Sets up credentials; `session` shares tokens, all else is for tests and special needs."""

    def __init__(
        self,
        environment: Environment = config,
        *,
        session: Session = DEFAULT,
        retry: RetryConfig | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._environment = environment
        self._session = session
        self._retry = RetryHandler(retry, sleep=sleep, chance=chance)
        self._clock = clock

    def setup_authentication(
        self, ssl_config: Mapping[str, Any] | None = None, execution_id: str = ""
    ) -> Authentication:
        """Return a token or the key, as `AUTH_METHOD` says; what goes wrong is in `error`."""
        method = ""
        try:
            method = self._environment.auth_method
            found = self._oauth(ssl_config) if method == "oauth" else self._key()
        except ConnectorError as error:
            found = Authentication(False, method, error=str(error), failure=error)
        if found.failure is not None:
            found.failure.execution_id = execution_id
        extra = {"execution_id": execution_id, "method": method, "success": found.success}
        if found.success:
            _log.info("authentication by %s is set up", method, extra=extra)
        else:
            _log.warning("authentication is not set up: %s", found.error, extra=extra)
        return found

    def get_oauth_token(self, ssl_config: Mapping[str, Any] | None = None) -> Secret | None:
        """Return a token that is valid; None where OAuth is not configured (R-37)."""
        source = self._source(ssl_config)
        return None if source is None else self._session.bridge.run(source.token())

    def _key(self) -> Authentication:
        key = self._environment.api_key
        if key is None:
            raise missing("API_KEY", "the authentication `api_key`")
        return Authentication(True, "api_key", key)

    def _oauth(self, ssl_config: Mapping[str, Any] | None) -> Authentication:
        source = self._source(ssl_config)
        if source is None:
            unset = next(name for name in _NEEDED if not getattr(self._environment, name.lower()))
            raise missing(unset, "the authentication `oauth`")
        try:
            token = self._session.bridge.run(source.token())
        except ConnectorError as error:
            # Later calls try again: the server may be back by then.
            return Authentication(False, "oauth", None, str(error), error, source)
        return Authentication(True, "oauth", token, tokens=source)

    def _source(self, ssl_config: Mapping[str, Any] | None) -> TokenSource | None:
        env = self._environment
        endpoint, client, secret = env.oauth_endpoint, env.oauth_client_id, env.oauth_client_secret
        if not endpoint or not client or secret is None:
            return None
        tls = setup_ssl(env) if ssl_config is None else ssl_config
        fields: dict[str, Any] = {
            "token_url": endpoint,
            "client_id": client,
            "client_secret": secret,
            "scopes": env.oauth_scopes,
            "refresh_token": env.oauth_refresh_token,
            "client_auth": env.oauth_client_auth,
            "grant_type": env.oauth_grant_type,
        }
        auth = AuthConfig(AuthType.OAUTH2, **fields)
        held = self._session.shared(
            "oauth",
            {**fields, "ssl": dict(tls)},
            lambda: _Tokens(auth, tls, self._session, self._retry, self._clock),
        )
        return held.source


def setup_authentication(
    ssl_config: Mapping[str, Any] | None = None, execution_id: str = ""
) -> Authentication:
    """Return credentials as the variables of the process say (S0-OAUTH-06)."""
    return Authenticator().setup_authentication(ssl_config, execution_id)


def get_oauth_token(ssl_config: Mapping[str, Any] | None = None) -> Secret | None:
    """Return a token as the variables of the process say; None where OAuth is not configured."""
    return Authenticator().get_oauth_token(ssl_config)


def _bearer(token: Secret) -> Secret:
    return Secret(f"Bearer {token.reveal()}")
