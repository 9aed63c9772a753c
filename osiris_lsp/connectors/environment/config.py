"""The variables that set up connectors: the only place that reads them (S0-CFG)."""

import math
import os
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeVar

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.wire import check_url
from osiris_lsp.secret import Secret
from osiris_lsp.text import printable

Number = TypeVar("Number", int, float)

METHODS: Final = ("oauth", "api_key")
TRUE: Final = frozenset(("true", "yes", "on", "1"))
FALSE: Final = frozenset(("false", "no", "off", "0"))


class Environment:
    """What the variables say, each read when it is asked for; an empty one counts as not set.

    A value that cannot be right raises ConnectorConfigError, which names the variable.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def __repr__(self) -> str:
        return "Environment()"

    @property
    def auth_method(self) -> str:
        """`oauth` or `api_key`, which it is where `AUTH_METHOD` is not set."""
        method = self._text("AUTH_METHOD") or "api_key"
        if method.lower() not in METHODS:
            raise ConnectorConfigError(
                f"`AUTH_METHOD` is `{printable(method[:40])}`, which is no way to authenticate",
                field="AUTH_METHOD",
                remedy="set it to `oauth` or `api_key`",
            )
        return method.lower()

    @property
    def api_key(self) -> Secret | None:
        """`API_KEY`."""
        return self._secret("API_KEY")

    @property
    def openai_base_url(self) -> str:
        """`OPENAI_BASE_URL`, without a slash at its end."""
        return self._url("OPENAI_BASE_URL") or "https://api.openai.com/v1"

    @property
    def openai_timeout(self) -> float:
        """`OPENAI_TIMEOUT`: seconds for one request (R-39)."""
        return self._number("OPENAI_TIMEOUT", 60.0, float, "above 0", lambda value: value > 0)

    @property
    def default_temperature(self) -> float:
        """`DEFAULT_TEMPERATURE`."""
        return self._number(
            "DEFAULT_TEMPERATURE", 0.7, float, "from 0 to 2", lambda value: 0 <= value <= 2
        )

    @property
    def default_max_tokens(self) -> int:
        """`DEFAULT_MAX_TOKENS`."""
        return self._number("DEFAULT_MAX_TOKENS", 2000, int, "from 1 on", lambda value: value >= 1)

    @property
    def models(self) -> dict[str, str]:
        """The models of tiers that `LLM_MODEL_LOW`, `…_MEDIUM` and `…_HIGH` change."""
        named = {
            tier: self._text(f"LLM_MODEL_{tier.upper()}") for tier in ("low", "medium", "high")
        }
        return {tier: model for tier, model in named.items() if model}

    @property
    def embedding_model(self) -> str:
        """`LLM_EMBEDDING_MODEL`."""
        return self._text("LLM_EMBEDDING_MODEL") or "text-embedding-3-small"

    @property
    def prices_file(self) -> str:
        """`LLM_PRICES_FILE`: prices that go before ours, in the same form."""
        return os.path.expanduser(self._text("LLM_PRICES_FILE"))

    @property
    def oauth_endpoint(self) -> str:
        """`OAUTH_ENDPOINT`: where tokens are asked for."""
        return self._url("OAUTH_ENDPOINT")

    @property
    def oauth_client_id(self) -> str:
        """`OAUTH_CLIENT_ID`."""
        return self._text("OAUTH_CLIENT_ID")

    @property
    def oauth_client_secret(self) -> Secret | None:
        """`OAUTH_CLIENT_SECRET`."""
        return self._secret("OAUTH_CLIENT_SECRET")

    @property
    def oauth_grant_type(self) -> str:
        """`OAUTH_GRANT_TYPE`."""
        return self._text("OAUTH_GRANT_TYPE") or "client_credentials"

    @property
    def oauth_scopes(self) -> tuple[str, ...]:
        """`OAUTH_SCOPE`: names with spaces between them."""
        return tuple(self._text("OAUTH_SCOPE").split())

    @property
    def oauth_refresh_token(self) -> Secret | None:
        """`OAUTH_REFRESH_TOKEN`."""
        return self._secret("OAUTH_REFRESH_TOKEN")

    @property
    def oauth_client_auth(self) -> Literal["basic", "post"]:
        """`OAUTH_CLIENT_AUTH`: whether the secret goes by HTTP Basic or in the form (R-36)."""
        way = self._text("OAUTH_CLIENT_AUTH").lower() or "basic"
        if way not in ("basic", "post"):
            raise _wrong("OAUTH_CLIENT_AUTH", "`basic` or `post`")
        return "post" if way == "post" else "basic"

    @property
    def ssl_verify(self) -> bool:
        """`SSL_VERIFY`: whether certificates count; they do where it is not set."""
        word = self._text("SSL_VERIFY").lower() or "true"
        if word not in TRUE | FALSE:
            raise _wrong("SSL_VERIFY", "`true` or `false`")
        return word in TRUE

    @property
    def ssl_cert_path(self) -> str:
        """`SSL_CERT_PATH`: the authorities to trust; without it those of the system."""
        return os.path.expanduser(self._text("SSL_CERT_PATH"))

    @property
    def postgres_host(self) -> str:
        """`POSTGRES_HOST`."""
        return self._text("POSTGRES_HOST") or "localhost"

    @property
    def postgres_port(self) -> int:
        """`POSTGRES_PORT`."""
        return self._number(
            "POSTGRES_PORT", 5432, int, "from 1 to 65535", lambda value: 1 <= value <= 65535
        )

    @property
    def postgres_database(self) -> str:
        """`POSTGRES_DATABASE`."""
        return self._text("POSTGRES_DATABASE")

    @property
    def postgres_user(self) -> str:
        """`POSTGRES_USER`."""
        return self._text("POSTGRES_USER")

    @property
    def postgres_password(self) -> Secret | None:
        """`POSTGRES_PASSWORD`."""
        return self._secret("POSTGRES_PASSWORD")

    def postgres(self) -> ResolvedConnection:
        """Return the connection that `POSTGRES_*` describe (R-59)."""
        values = {
            "host": self.postgres_host,
            "port": self.postgres_port,
            "database": self.postgres_database,
            "user": self.postgres_user,
            "password": self.postgres_password,
        }
        for name in ("database", "user", "password"):
            if not values[name]:
                raise missing(f"POSTGRES_{name.upper()}", "PostgreSQL")
        return ResolvedConnection("postgres", "environment", values)

    def _text(self, name: str) -> str:
        return self._variables.get(name, "").strip()

    def _secret(self, name: str) -> Secret | None:
        # As it stands: a password may begin or end with a space.
        value = self._variables.get(name, "")
        return Secret(value) if value else None

    def _url(self, name: str) -> str:
        url = self._text(name).rstrip("/")
        if url:
            check_url(url, name)
        return url

    def _number(
        self,
        name: str,
        default: Number,
        kind: Callable[[str], Number],
        allowed: str,
        fits: Callable[[Number], bool],
    ) -> Number:
        text = self._text(name)
        if not text:
            return default
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not math.isfinite(value) or not fits(value):
            raise _wrong(name, f"a number {allowed}")
        return value


def missing(name: str, use: str) -> ConnectorConfigError:
    """Return the error of a variable that has to be set for a use."""
    return ConnectorConfigError(
        f"`{name}` is not set", field=name, remedy=f"set it to use {use}, or put it into `.env`"
    )


def _wrong(name: str, allowed: str) -> ConnectorConfigError:
    return ConnectorConfigError(
        f"the value of `{name}` cannot be used", field=name, remedy=f"set it to {allowed}"
    )


config: Final = Environment()
"""The variables of the process."""
