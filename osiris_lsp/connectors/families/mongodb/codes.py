"""What the error codes of MongoDB mean."""

from collections.abc import Mapping
from typing import Final

from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
)
from osiris_lsp.connectors.meanings import Meaning

REFUSED: Final = Meaning(
    ConnectorAuthError,
    "db.login_refused",
    "auth",
    "password",
    "the server does not accept this user or this password",
    "check `user`, `password`, and that `auth_source` is the database that holds the user",
)
LOGIN_REQUIRED: Final = Meaning(
    ConnectorAuthError,
    "db.login_required",
    "query",
    "user",
    "the server wants a login, and the connection has no `user`",
    "add `user` and `password`",
)
NO_RIGHT: Final = Meaning(
    ConnectorPermissionError,
    "db.no_privilege",
    "query",
    "user",
    "the login works, but the user may not even list databases",
    "give the user a role, such as `read` on the database",
)
STOPPING: Final = Meaning(
    ConnectorNetworkError,
    "db.shutting_down",
    "query",
    "host",
    "the server is shutting down",
    "try again when it is up",
)
NO_PRIMARY: Final = Meaning(
    ConnectorNetworkError,
    "db.no_primary",
    "query",
    "read_preference",
    "servers answer, but they form no replica set with one that `read_preference` allows",
    "look at rs.status() for a primary, or set `read_preference: primaryPreferred`",
)
MECHANISM: Final = Meaning(
    ConnectorError,
    "db.auth_plugin",
    "auth",
    "auth_mechanism",
    "the server does not offer this kind of login",
    "leave `auth_mechanism` out, and the one that the server offers is taken",
)
NO_MECHANISM: Final = Meaning(
    ConnectorError,
    "db.auth_plugin",
    "auth",
    "auth_mechanism",
    "pymongo cannot log in this way with what is given and installed",
    "MONGODB-AWS and GSSAPI need `pymongo[aws,gssapi]`; MONGODB-OIDC cannot be checked",
)
UNSUPPORTED: Final = Meaning(
    ConnectorError,
    "db.unsupported",
    "auth",
    "host",
    "pymongo does not work with a server of this version",
    "upgrade the server, or pin an older `pymongo`",
)

MEANINGS: Final[Mapping[int, Meaning]] = {
    11: REFUSED,
    18: REFUSED,
    8000: REFUSED,  # of Atlas
    13: NO_RIGHT,
    334: MECHANISM,
    91: STOPPING,
    11600: STOPPING,
    **dict.fromkeys((189, 10107, 11602, 13435, 13436), NO_PRIMARY),
}
"""By number: https://www.mongodb.com/docs/manual/reference/error-codes/."""
