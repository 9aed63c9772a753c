"""What the error numbers of Snowflake mean."""

from collections.abc import Mapping
from typing import Final

from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorNotFoundError,
    ConnectorPermissionError,
)
from osiris_lsp.connectors.meanings import Meaning

_TOKEN: Final = Meaning(
    ConnectorAuthError,
    "snowflake.token",
    "auth",
    "",
    "Snowflake does not accept the token",
    "it may be expired or revoked, or of another account or user; get a new one",
)
_KEY_PAIR: Final = Meaning(
    ConnectorAuthError,
    "snowflake.key_pair",
    "auth",
    "",
    "Snowflake does not accept the key pair",
    "check `account` and `user`, and that the public key of the user (`desc user`) is this one's",
)
_UNKNOWN: Final = Meaning(
    ConnectorNotFoundError,
    "db.unknown_database",
    "query",
    "database",
    "a database, schema or warehouse does not exist, or the role may not use it",
    "check `database`, `schema`, `warehouse` and `role`",
)

CODES: Final[Mapping[str, Meaning]] = {
    "390100": Meaning(
        ConnectorAuthError,
        "snowflake.login",
        "auth",
        "",
        "wrong user or password",
        "check `user`, `password` and `account`",
    ),
    "390102": Meaning(
        ConnectorAuthError,
        "snowflake.locked",
        "auth",
        "user",
        "the user is locked for some minutes after too many wrong passwords",
        "wait, or have an administrator unlock the user; then check `password`",
    ),
    "390189": Meaning(
        ConnectorPermissionError,
        "snowflake.role",
        "auth",
        "role",
        "the role does not exist, or is not granted to the user",
        "check `role`, or leave it out",
    ),
    "390190": Meaning(
        ConnectorAuthError,
        "snowflake.single_sign_on",
        "auth",
        "authenticator",
        "the account has no single sign-on of this kind",
        "check `authenticator`",
    ),
    "390197": Meaning(
        ConnectorAuthError,
        "snowflake.mfa",
        "auth",
        "",
        "the account wants a second factor, which a program does not have",
        "use a key pair or a token for programs",
    ),
    "390422": Meaning(
        ConnectorPermissionError,
        "snowflake.address",
        "auth",
        "",
        "the network policy of the account does not allow the address of this machine",
        "have the address added to the policy, or use the VPN",
    ),
    "000606": Meaning(
        ConnectorNotFoundError,
        "snowflake.warehouse",
        "query",
        "warehouse",
        "no warehouse is chosen",
        "set `warehouse`",
    ),
    "390144": _KEY_PAIR,
    "390195": _TOKEN,
    "390303": _TOKEN,
    "390318": _TOKEN,
    "394400": _TOKEN,
    "390201": _UNKNOWN,
    "002003": _UNKNOWN,
    "002043": _UNKNOWN,
}
"""By number; an empty field is the one of the credentials."""
