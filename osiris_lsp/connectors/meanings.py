"""What the error numbers of SQL servers mean: the tables behind `explain` of their families."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
    Stage,
)
from osiris_lsp.connectors.health import Check


class Meaning(NamedTuple):
    """What to raise for an error number; `field` is the YAML field to mark."""

    error: type[ConnectorError]
    code: str
    stage: Stage
    field: str
    cause: str
    remedy: str
    retryable: bool | None = None

    def as_error(self, more: str = "") -> ConnectorError:
        """Return the error, with `more` to try in its remedy."""
        return self.error(
            self.cause,
            code=self.code,
            stage=self.stage,
            field=self.field,
            remedy="; ".join(filter(None, (self.remedy, more))),
            retryable=self.retryable,
        )


def databases_hint(meaning: Meaning, check: Check) -> str:
    """Return which databases there are, where one is missing and the others are known."""
    known = check.facts.get("databases")
    if meaning.field != "database" or not known:
        return ""
    return f"this account can see {', '.join(f'`{name}`' for name in known[:10])}"


BAD_LOGIN: Final = Meaning(
    ConnectorAuthError,
    "db.login_refused",
    "auth",
    "password",
    "the server does not accept this user or this password",
    "check `user` and `password`, and that the account may log in from this machine",
)
_TOO_MANY: Final = "wait or close unused connections; an administrator can look at SHOW PROCESSLIST"
_NO_RIGHT: Final = Meaning(
    ConnectorPermissionError,
    "db.no_privilege",
    "query",
    "user",
    "the login works, but the account lacks a right",
    "have the missing right granted to the account",
)
_EXPIRED: Final = Meaning(
    ConnectorAuthError,
    "db.password_expired",
    "auth",
    "password",
    "the password has expired",
    "set a new one with ALTER USER, then change `password`",
)
_LOCKED: Final = Meaning(
    ConnectorAuthError,
    "db.account_locked",
    "auth",
    "user",
    "the account is locked",
    "have it unlocked: ALTER USER … ACCOUNT UNLOCK",
)
_LIMIT: Final = Meaning(
    ConnectorNetworkError,
    "db.too_many_connections",
    "auth",
    "user",
    "this account has as many connections as it may have",
    _TOO_MANY,
)
AUTH_PLUGIN: Final = Meaning(
    ConnectorError,
    "db.auth_plugin",
    "auth",
    "user",
    "the account logs in by a method that is not supported here",
    "use an account with caching_sha2_password, mysql_native_password or ed25519",
)
_CHARSET: Final = Meaning(
    ConnectorError,
    "db.charset",
    "auth",
    "charset",
    "the server does not know this character set for connections",
    "use `utf8mb4`",
)

MYSQL: Final[Mapping[int, Meaning]] = {
    1045: BAD_LOGIN,
    1698: BAD_LOGIN,
    1049: Meaning(
        ConnectorError,
        "db.unknown_database",
        "query",
        "database",
        "the login works, but the server has no database of this name",
        "check `database`",
    ),
    1044: Meaning(
        ConnectorPermissionError,
        "db.no_access",
        "query",
        "database",
        "the login works, but this database does not exist or the account has no right in it",
        "check `database`, or have a right in it granted to the account",
    ),
    1040: Meaning(
        ConnectorNetworkError,
        "db.too_many_connections",
        "auth",
        "host",
        "the server has as many connections as it allows",
        _TOO_MANY,
    ),
    1203: _LIMIT,
    1226: _LIMIT,
    1053: Meaning(
        ConnectorNetworkError,
        "db.shutting_down",
        "auth",
        "host",
        "the server is shutting down",
        "try again when it is up",
    ),
    1129: Meaning(
        ConnectorPermissionError,
        "db.host_blocked",
        "auth",
        "host",
        "the server blocks this machine after too many broken connections",
        "find what breaks them, then have the block lifted: FLUSH HOSTS",
    ),
    1130: Meaning(
        ConnectorPermissionError,
        "db.host_not_allowed",
        "auth",
        "host",
        "the server has no account that may log in from this machine",
        "have an account created for the address of this machine, or check `host`",
    ),
    1142: _NO_RIGHT,
    1143: _NO_RIGHT,
    1227: _NO_RIGHT,
    1370: _NO_RIGHT,
    1820: _EXPIRED,
    1862: _EXPIRED,
    3118: _LOCKED,
    4151: _LOCKED,
    3159: Meaning(
        ConnectorNetworkError,
        "tls.required",
        "auth",
        "ssl",
        "the server takes no connection without TLS",
        "set `ssl: true`",
        retryable=False,
    ),
    2026: Meaning(
        ConnectorNetworkError,
        "tls.refused_by_server",
        "tls",
        "ssl",
        "the server does not offer TLS",
        "have TLS set up on the server; `ssl: false` sends everything in clear text",
        retryable=False,
    ),
    1251: AUTH_PLUGIN,
    1524: AUTH_PLUGIN,
    2059: AUTH_PLUGIN,
    2061: AUTH_PLUGIN,
    1115: _CHARSET,
    1231: _CHARSET,
    1043: Meaning(
        ConnectorNetworkError,
        "protocol.mismatch",
        "auth",
        "port",
        "the server does not understand the login",
        "check `port`: a proxy or a server of another kind may be there",
        retryable=False,
    ),
}

_PG_FULL: Final = Meaning(
    ConnectorNetworkError,
    "db.too_many_connections",
    "auth",
    "host",
    "server, database or role have as many connections as they may have",
    "wait or close unused connections (see pg_stat_activity), or go through a pooler",
)
_PG_STOPPED: Final = Meaning(
    ConnectorNetworkError,
    "db.shutting_down",
    "query",
    "host",
    "the server ended the connection: it shuts down, or an administrator ended the session",
    "try again when it is up",
)
PG_NO_ENTRY: Final = Meaning(
    ConnectorAuthError,
    "db.login_refused",
    "auth",
    "user",
    "the server does not let this user in, whatever the password is",
    "the role may lack LOGIN, or `pg_hba.conf` has no line for this user, database and address",
)
_PG_UNKNOWN_DATABASE: Final = Meaning(
    ConnectorError,
    "db.unknown_database",
    "query",
    "database",
    "the login works, but the server has no database of this name",
    "check `database`",
)
PG_NO_CONNECT: Final = Meaning(
    ConnectorPermissionError,
    "db.no_privilege",
    "query",
    "database",
    "the login works, but the role lacks a right, such as CONNECT on the database",
    "have it granted: GRANT CONNECT ON DATABASE … TO …",
)
_PG_OPTION: Final = Meaning(
    ConnectorError,
    "db.option_refused",
    "auth",
    "options",
    "the server refuses one of the settings that are sent at login",
    "check `options`",
)
PG_AUTH_METHOD: Final = Meaning(
    ConnectorError,
    "db.auth_plugin",
    "auth",
    "user",
    "the server wants a login by Kerberos, GSSAPI or SSPI, which is not supported here",
    "use a role that logs in with a password (scram-sha-256)",
)
PG_SCRAM: Final = Meaning(
    ConnectorError,
    "db.scram",
    "auth",
    "password",
    "the login by SCRAM cannot be done: the password has characters that it does not allow, or the "
    "server does not prove that it knows the password",
    "try a password without emoji and other special characters",
)

POSTGRES: Final[Mapping[str, Meaning]] = {
    "28P01": Meaning(
        ConnectorAuthError,
        "db.login_refused",
        "auth",
        "password",
        "the server does not accept this user or this password",
        "check `user` and `password`, and that the password has not expired",
    ),
    "28000": PG_NO_ENTRY,
    "3D000": _PG_UNKNOWN_DATABASE,
    "42501": PG_NO_CONNECT,
    "53300": _PG_FULL,
    "57P03": Meaning(
        ConnectorNetworkError,
        "db.not_ready",
        "auth",
        "host",
        "the server runs, but takes no connections now: it starts up, shuts down or recovers",
        "try again in a moment; look at the log of the server if it stays so",
    ),
    "57P01": _PG_STOPPED,
    "57P02": _PG_STOPPED,
    "22023": _PG_OPTION,
    "42704": _PG_OPTION,
    "42601": _PG_OPTION,
    "0A000": Meaning(
        ConnectorNetworkError,
        "protocol.mismatch",
        "auth",
        "port",
        "the server does not support the version of the protocol, or a setting sent at login",
        "check `port` and `options`; a pooler may be in between",
        retryable=False,
    ),
    "08P01": Meaning(
        ConnectorNetworkError,
        "protocol.mismatch",
        "auth",
        "port",
        "server or pooler do not understand the login",
        "check `port`, `user` and `database`: PgBouncer says so for a user it does not know",
        retryable=False,
    ),
    "XX000": Meaning(
        ConnectorError,
        "postgres.XX000",
        "auth",
        "user",
        "the server, or a pooler in front of it, has a fault of its own",
        "the pooler of Supabase says so for a wrong project: `user` is `postgres.PROJECT` there",
    ),
}
