"""Puts credentials into requests."""

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any

from osiris_lsp.connectors.auth.config import AuthConfig, AuthLocation, AuthType
from osiris_lsp.connectors.auth.oauth2 import Post, TokenSource
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.resilience.retry import RetryHandler
from osiris_lsp.secret import Redactor, Secret

Parts = tuple[dict[str, str], dict[str, Any], Any, Any]
"""Headers, query parameters, JSON and form of a request."""


class AuthManager:
    """The credentials of one client, and its token where it has one."""

    def __init__(
        self,
        config: AuthConfig,
        post: Post,
        clock: Callable[[], float] = time.monotonic,
        retry: RetryHandler | None = None,
    ) -> None:
        self.config = config
        self._tokens = TokenSource(config, post, clock, retry) if _is_oauth(config) else None
        self._token: Secret | None = None

    async def get_initial_token(self) -> Secret | None:
        """Fetch a token now (S4-AUTH-10); None where there is nothing to fetch."""
        if self._tokens is None:
            return None
        self._token = await self._tokens.fetch()
        return self._token

    async def apply(
        self, headers: Mapping[str, str], params: Mapping[str, Any], json: Any, data: Any
    ) -> Parts:
        """Return the parts of a request with the credentials in them."""
        new_headers, new_params = dict(headers), dict(params)
        config = self.config
        if config.type is AuthType.CUSTOM:
            new_headers |= {
                name: header_text(name, value) for name, value in config.custom_headers.items()
            }
            new_params |= {name: _plain(value) for name, value in config.custom_params.items()}
        elif config.type is AuthType.BASIC:
            pair = f"{config.username}:{_plain(config.password)}".encode()
            new_headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        elif config.type is not AuthType.NONE:
            return await self._with_token(new_headers, new_params, json, data)
        return new_headers, new_params, json, data

    def renew(self) -> bool:
        """Give up the token that was used last; False where another would be the same."""
        if self._tokens is None:
            return False
        self._tokens.discard(self._token)
        return True

    def redactor(self) -> Redactor:
        """Return the redactor that knows all secrets of this client."""
        secrets = list(self.config.secrets())
        if self._token is not None:
            secrets.append(self._token)
        return Redactor(secrets, [name for name in (self.config.username,) if name])

    async def _with_token(
        self, headers: dict[str, str], params: dict[str, Any], json: Any, data: Any
    ) -> Parts:
        config = self.config
        token, prefix = config.token, config.token_prefix
        if self._tokens is not None:
            token = self._token = await self._tokens.token()
        if prefix is None and config.type in (AuthType.BEARER, AuthType.OAUTH2):
            prefix = "Bearer"
        if config.token_location is AuthLocation.HEADER:
            plain = header_text("token", token)
            # `Token token=KEY` has no blank behind the sign.
            blank = " " if prefix and not prefix.endswith("=") else ""
            headers[config.token_key] = f"{prefix or ''}{blank}{plain}"
            return headers, params, json, data
        plain = _plain(token)
        if config.token_location is AuthLocation.QUERY:
            params[config.token_key] = plain
        elif isinstance(json, Mapping):
            json = {**json, config.token_key: plain}
        elif json is None and (data is None or isinstance(data, Mapping)):
            data = {**(data or {}), config.token_key: plain}
        else:
            raise ConnectorConfigError(
                "the body of this request has no place for a token",
                field="token_location",
                remedy="send an object, or put the token into the header",
            )
        return headers, params, json, data


def _is_oauth(config: AuthConfig) -> bool:
    return config.type is AuthType.OAUTH2


def _plain(value: str | Secret | None) -> str:
    return value.reveal() if isinstance(value, Secret) else value or ""


def header_text(name: str, value: str | Secret | None) -> str:
    """Return the text for a header; one that cannot stand there would show in an error."""
    plain = _plain(value)
    if not plain.isascii() or not plain.isprintable():
        raise ConnectorConfigError(
            f"`{name}` has a character that no header can hold",
            field=name,
            remedy="check for a line break at its end",
        )
    return plain
