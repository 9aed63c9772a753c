"""What a client needs to prove who it is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.secret import Secret


class AuthType(StrEnum):
    """The ways to prove it."""

    NONE = "none"
    API_KEY = "api_key"
    BEARER = "bearer"
    BASIC = "basic"
    OAUTH2 = "oauth2"
    CUSTOM = "custom"


class AuthLocation(StrEnum):
    """Where in a request a token stands."""

    HEADER = "header"
    QUERY = "query"
    BODY = "body"


_REQUIRED: Final[Mapping[AuthType, tuple[str, ...]]] = {
    AuthType.API_KEY: ("token",),
    AuthType.BEARER: ("token",),
    AuthType.BASIC: ("username", "password"),
    AuthType.OAUTH2: ("client_id", "client_secret", "token_url"),
}
_SECRETS: Final = ("token", "password", "client_secret", "refresh_token")


@dataclass(frozen=True)
class AuthConfig:
    """Credentials, and where they go; secrets are given as text or `Secret` and kept as `Secret`.

    `client_auth` says how an OAuth client shows its own secret: with Basic, or in the form. One
    with an `assertion` shows that instead, made anew for each token (RFC 7523, 2.1).
    """

    type: AuthType = AuthType.NONE
    token: str | Secret | None = None
    token_location: AuthLocation = AuthLocation.HEADER
    token_key: str = "Authorization"
    token_prefix: str | None = None
    username: str | None = None
    password: str | Secret | None = None
    client_id: str | None = None
    client_secret: str | Secret | None = None
    token_url: str | None = None
    refresh_token: str | Secret | None = None
    scopes: Sequence[str] = ()
    custom_headers: Mapping[str, str | Secret] = field(default_factory=dict)
    custom_params: Mapping[str, str | Secret] = field(default_factory=dict)
    client_auth: Literal["basic", "post"] = "basic"
    grant_type: str = "client_credentials"
    assertion: Callable[[], Secret] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "type", AuthType(self.type))
        set_(self, "token_location", AuthLocation(self.token_location))
        for name in _SECRETS:
            set_(self, name, _hidden(getattr(self, name)))
        for name in ("custom_headers", "custom_params"):
            values = getattr(self, name)
            set_(self, name, {key: _hidden(value) for key, value in values.items()})
        required = ("token_url",) if self.assertion else _REQUIRED.get(self.type, ())
        for name in required:
            # An empty password is one; None comes from a variable that is not set.
            if getattr(self, name) is None or (name != "password" and not getattr(self, name)):
                raise ConnectorConfigError(
                    f"`{name}` is missing for the authentication `{self.type}`",
                    field=name,
                    remedy=f"give `{name}`, and check that its environment variable is set",
                )
        if self.client_auth not in ("basic", "post"):
            raise ConnectorConfigError("`client_auth` is `basic` or `post`", field="client_auth")

    def secrets(self) -> Iterator[Secret]:
        """Yield every secret, so that logs can do without them."""
        found: list[Any] = [getattr(self, name) for name in _SECRETS]
        found += [*self.custom_headers.values(), *self.custom_params.values()]
        yield from (value for value in found if isinstance(value, Secret))


def create_api_key_auth(
    api_key: str | Secret, header_name: str = "X-API-Key", prefix: str | None = None
) -> AuthConfig:
    """Return what sends a key in a header (S4-AUTH-02)."""
    return AuthConfig(AuthType.API_KEY, api_key, token_key=header_name, token_prefix=prefix)


def create_bearer_auth(token: str | Secret) -> AuthConfig:
    """Return what sends `Authorization: Bearer …` (S4-AUTH-03)."""
    return AuthConfig(AuthType.BEARER, token)


def create_basic_auth(username: str, password: str | Secret) -> AuthConfig:
    """Return what sends `Authorization: Basic …` (S4-AUTH-04)."""
    return AuthConfig(AuthType.BASIC, username=username, password=password)


def create_oauth2_auth(
    client_id: str,
    client_secret: str | Secret,
    token_url: str,
    scopes: Sequence[str] = (),
    **options: Any,
) -> AuthConfig:
    """Return what fetches tokens for a client (S4-AUTH-05); `options` are other fields."""
    return AuthConfig(
        AuthType.OAUTH2,
        client_id=client_id,
        client_secret=client_secret,
        token_url=token_url,
        scopes=tuple(scopes),
        **options,
    )


def create_jwt_auth(assertion: Callable[[], Secret], token_url: str) -> AuthConfig:
    """Return what fetches tokens for signed claims; `assertion` makes a fresh JWT (RFC 7523)."""
    return AuthConfig(AuthType.OAUTH2, token_url=token_url, assertion=assertion)


def _hidden(value: str | Secret | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) else value
