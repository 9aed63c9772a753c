"""A real OAuth 2.0 server, which authlib runs, behind the server of the doubles."""

import secrets
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from flask import Flask

from tests.doubles.messages import CANARY, Answer, Request

CLIENT_ID = "osiris etl"
CLIENT_SECRET = f"s%cr:et+{CANARY}/authlib"
METHODS = ["client_secret_basic", "client_secret_post"]
SCOPES = ("orders:read", "orders:write")


class _Client(ClientMixin):  # type: ignore[misc]  # authlib has no types
    def __init__(self, methods: Collection[str]) -> None:
        self.client_id = CLIENT_ID
        self._methods = methods

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(name for name in (scope or "").split() if name in SCOPES)

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret, CLIENT_SECRET)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self._methods

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("client_credentials", "refresh_token")


class _Token(TokenMixin):  # type: ignore[misc]
    def __init__(self, scope: str) -> None:
        self._scope = scope

    def check_client(self, client: _Client) -> bool:
        return client.client_id == CLIENT_ID

    def get_scope(self) -> str:
        return self._scope


class Authorization:
    """`POST /token`; `issued` holds the access tokens, oldest first, and `valid` those in force.

    `refresh_tokens` is what can be turned into a new token; each works once, as many servers do.
    """

    def __init__(self, methods: Collection[str] = METHODS, expires_in: int = 3600) -> None:
        self.issued: list[str] = []
        self.valid: set[str] = set()
        self.refresh_tokens: dict[str, str] = {}
        self._app = Flask("authorization")
        self._app.config.update(
            OAUTH2_ACCESS_TOKEN_GENERATOR=f"{__name__}.access_token",
            OAUTH2_REFRESH_TOKEN_GENERATOR=f"{__name__}.refresh_token",
            OAUTH2_TOKEN_EXPIRES_IN={
                "client_credentials": expires_in,
                "refresh_token": expires_in,
            },
        )
        client = _Client(methods)
        server = AuthorizationServer(
            self._app,
            query_client=lambda name: client if name == CLIENT_ID else None,
            save_token=self._save,
        )
        owner = self

        class Credentials(grants.ClientCredentialsGrant):  # type: ignore[misc]
            TOKEN_ENDPOINT_AUTH_METHODS = METHODS

        class Refresh(grants.RefreshTokenGrant):  # type: ignore[misc]
            TOKEN_ENDPOINT_AUTH_METHODS = METHODS
            INCLUDE_NEW_REFRESH_TOKEN = True

            def authenticate_refresh_token(self, refresh_token: str) -> _Token | None:
                scope = owner.refresh_tokens.pop(refresh_token, None)
                return None if scope is None else _Token(scope)

            def authenticate_user(self, credential: _Token) -> Any:
                return SimpleNamespace(id=1)

            def revoke_old_credential(self, credential: _Token) -> None:
                """It is gone already."""

        server.register_grant(Credentials)
        server.register_grant(Refresh)
        self._app.add_url_rule("/token", "token", server.create_token_response, methods=["POST"])

    def __call__(self, request: Request) -> Answer:
        """Hand a request to authlib."""
        with self._app.test_client() as client:
            answer = client.open(
                request.target,
                method=request.method,
                headers=[(name, value) for name, value in request.headers.items()],
                data=request.body,
            )
            return Answer(
                answer.status_code,
                answer.data,
                {name: value for name, value in answer.headers if name != "Content-Length"},
            )

    def _save(self, token: dict[str, Any], request: Any) -> None:
        self.issued.append(token["access_token"])
        self.valid = {self.issued[-1]}
        if "refresh_token" in token:
            self.refresh_tokens[token["refresh_token"]] = token.get("scope", "")


def access_token(*_: Any, **__: Any) -> str:
    """A token that carries the canary."""
    return f"access-{CANARY}-{secrets.token_urlsafe(12)}"


def refresh_token(*_: Any, **__: Any) -> str:
    """The same, to get new ones with."""
    return f"refresh-{CANARY}-{secrets.token_urlsafe(12)}"
