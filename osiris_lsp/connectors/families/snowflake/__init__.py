"""Snowflake: one statement through its SQL API, or a login like that of the drivers."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol
from urllib.parse import urlencode
from uuid import uuid4

from osiris_lsp import __version__
from osiris_lsp.connectors import jwt, keyfile
from osiris_lsp.connectors.answers import expect
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNotFoundError,
    ConnectorParseError,
)
from osiris_lsp.connectors.exchange import request
from osiris_lsp.connectors.families.snowflake.codes import CODES
from osiris_lsp.connectors.health import Check
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_FACTS: Final[Mapping[str, str]] = {
    "server_version": "current_version()",
    "user": "current_user()",
    "role": "current_role()",
    "warehouse": "current_warehouse()",
    "database": "current_database()",
    "schema": "current_schema()",
}
_STATEMENT: Final = "select " + ", ".join(_FACTS.values())

# What a session works in, and how a login names it; in the order in which they are tried.
_CONTEXT: Final[Mapping[str, str]] = {
    "role": "roleName",
    "warehouse": "warehouse",
    "database": "databaseName",
    "schema": "schemaName",
}

_INTERACTIVE: Final = frozenset(
    ("externalbrowser", "username_password_mfa", "oauth_authorization_code")
)

_KEY_FIELDS: Final = ("private_key", "private_key_file")


class SnowflakeConnector(Connector):
    """One Snowflake account."""

    family: ClassVar[str] = "snowflake"

    def probe(self, check: Check) -> None:
        """Ask who and where one is, and whether all that the connection names is there."""
        connection = check.connection
        wanted = {name: connection.text(name) for name in _CONTEXT if connection.get(name)}
        door = _door(check)
        try:
            found = door.ask(wanted)
            missing = _absent(found, wanted)
        except ConnectorNotFoundError as error:
            if error.code != "db.unknown_database":
                raise
            found, missing = {}, _first_missing(door, wanted)
        check.facts.update({name: text for name, text in found.items() if text is not None})
        if missing:
            raise _unknown(check, door, missing)


class _Door(Protocol):
    """A way to talk to the account."""

    def ask(self, context: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the facts of a session that works in `context`."""

    def databases(self) -> list[str]:
        """Return the names of the databases that the user may see."""


class _Credentials(NamedTuple):
    """A token for the SQL API with its kind there (empty: it sees itself), and where it is from."""

    token: Secret
    kind: str
    field: str


def _door(check: Check) -> _Door:
    """Return the way in that fits the connection."""
    connection = check.connection
    method = str(connection.get("authenticator") or "").lower()
    if method in _INTERACTIVE or method.startswith("https://"):
        raise ConnectorConfigError(
            "this login cannot be checked without a person",
            code="auth.interactive",
            field="authenticator",
            remedy="use a key pair or a token for programs",
        )
    if method not in ("", "snowflake", "snowflake_jwt", "oauth", "programmatic_access_token"):
        raise ConnectorConfigError(
            f"the check does not know the authenticator `{method}`",
            code="snowflake.authenticator",
            field="authenticator",
            remedy="use `snowflake_jwt`, `oauth`, `programmatic_access_token` or `snowflake`",
        )
    key_field = next((name for name in _KEY_FIELDS if connection.get(name)), "private_key_file")
    if method in ("oauth", "programmatic_access_token"):
        return _SqlApi(check, _Credentials(_given(connection, "token"), method.upper(), "token"))
    if method == "snowflake_jwt" or (not method and key_field in connection):
        return _SqlApi(check, _Credentials(_key_token(check, key_field), "KEYPAIR_JWT", key_field))
    if connection.get("token") and not (method and connection.get("password")):
        return _SqlApi(check, _Credentials(_given(connection, "token"), "", "token"))
    _given(connection, "password")
    return _Session(check)


def _given(connection: ResolvedConnection, field: str) -> Secret:
    text = connection.text(field)
    if not text:
        raise ConnectorConfigError(
            f"{connection.ref} lacks `{field}`",
            code="config.missing_field",
            field=field,
            remedy=f"add `{field}`",
        )
    return Secret(text)


class _SqlApi:
    """The SQL API: https://docs.snowflake.com/en/developer-guide/sql-api/reference."""

    def __init__(self, check: Check, credentials: _Credentials) -> None:
        self._check = check
        self._field = credentials.field
        self._headers = {"Authorization": f"Bearer {credentials.token.reveal()}"}
        if credentials.kind:
            self._headers["X-Snowflake-Authorization-Token-Type"] = credentials.kind

    def ask(self, context: Mapping[str, str]) -> Mapping[str, Any]:
        _, rows = self._run(_STATEMENT, context)
        if not rows or len(rows[0]) != len(_FACTS):
            raise _no_answer(self._check.connection)
        return dict(zip(_FACTS, rows[0], strict=True))

    def databases(self) -> list[str]:
        return _names(*self._run("show databases", {}))

    def _run(self, statement: str, context: Mapping[str, str]) -> tuple[Any, Sequence[Any]]:
        payload = {"statement": statement, "timeout": 10, **context}
        path = "/api/v2/statements"
        answer = _post(self._check, path, payload, self._headers, self._field)
        return (answer.get("resultSetMetaData") or {}).get("rowType"), answer.get("data") or ()


class _Session:
    """Login and queries as the drivers do them, for passwords: the SQL API takes none."""

    def __init__(self, check: Check) -> None:
        self._check = check

    def ask(self, context: Mapping[str, str]) -> Mapping[str, Any]:
        with self._login(context) as (data, _):
            about = data.get("sessionInfo") or {}
            facts = {name: about.get(f"{name}Name") for name in _CONTEXT}
            return {
                "server_version": data.get("serverVersion"),
                "user": data.get("displayUserName"),
                **facts,
            }

    def databases(self) -> list[str]:
        with self._login({}) as (_, headers):
            query = urlencode({"requestId": str(uuid4())})
            payload = {"sqlText": "show databases", "sequenceId": 1, "asyncExec": False}
            path = f"/queries/v1/query-request?{query}"
            answer = _post(self._check, path, payload, headers, "password")
            data = answer.get("data") or {}
            return _names(data.get("rowtype"), data.get("rowset") or ())

    @contextlib.contextmanager
    def _login(
        self, context: Mapping[str, str]
    ) -> Iterator[tuple[Mapping[str, Any], Mapping[str, str]]]:
        connection = self._check.connection
        data = {
            "CLIENT_APP_ID": "osiris-lsp",
            "CLIENT_APP_VERSION": __version__,
            "ACCOUNT_NAME": _account(connection),
            "LOGIN_NAME": connection.text("user"),
            "PASSWORD": connection.text("password"),
            # Else a session starts without the database that does not exist.
            "SESSION_PARAMETERS": {"CLIENT_VALIDATE_DEFAULT_PARAMETERS": True},
        }
        query = urlencode({_CONTEXT[name]: text for name, text in context.items()})
        path = f"/session/v1/login-request?{query}"
        answer = _post(self._check, path, {"data": data}, {}, "password")
        found = answer.get("data")
        if not isinstance(found, Mapping) or not found.get("token"):
            raise _no_answer(connection)
        headers = {"Authorization": f'Snowflake Token="{found["token"]}"'}
        try:
            yield found, headers
        finally:
            # A session that stays open ends by itself.
            with contextlib.suppress(ConnectorError, OSError):
                _post(self._check, "/session?delete=true", {}, headers, "password")


def _post(
    check: Check, path: str, payload: Any, headers: Mapping[str, str], key_field: str
) -> Mapping[str, Any]:
    """Return a successful answer; raises what the number in another one means."""
    connection = check.connection
    field = _address(connection)
    url = f"https://{host_of(connection)}:{connection.text('port')}{path}"
    response = request(check, "POST", url, payload=payload, headers=headers, field=field)
    if response.is_html or not 200 <= response.status < 500:
        expect(response, key_field=key_field, url_field=field)
    answer = response.json(field)
    if not isinstance(answer, Mapping):
        raise _no_answer(connection)
    if response.status >= 400 or answer.get("success") is False:
        number = str(answer.get("code") or "")
        if number in CODES:
            meaning = CODES[number]
            raise meaning._replace(field=meaning.field or key_field).as_error()
        expect(response, key_field=key_field, url_field=field)
        shown = number if number.isdigit() else "unknown"
        raise ConnectorAuthError(
            f"Snowflake refuses this with error {shown}",
            code=f"snowflake.{shown}",
            stage="auth",
            field=key_field,
            remedy="look the number up in the documentation of Snowflake",
        )
    return answer


def _no_answer(connection: ResolvedConnection) -> ConnectorParseError:
    return ConnectorParseError(
        "what came back is JSON, but no answer of Snowflake",
        code="snowflake.answer",
        stage="query",
        field=_address(connection),
        remedy=f"check `{_address(connection)}`: another kind of server may answer there",
    )


def _address(connection: ResolvedConnection) -> str:
    """Return the field that the address is from."""
    return "host" if connection.get("host") else "account"


def host_of(connection: ResolvedConnection) -> str:
    """Return the host of the account; names of organizations may hold what no host may."""
    account = connection.text("account").removesuffix(".snowflakecomputing.com")
    domain = "snowflakecomputing.cn" if ".cn-" in account else "snowflakecomputing.com"
    return connection.text("host") or f"{account.replace('_', '-')}.{domain}"


def _account(connection: ResolvedConnection) -> str:
    """Return the account as tokens and logins name it: without region, in capitals."""
    account = connection.text("account").removesuffix(".snowflakecomputing.com")
    return account.partition("-" if ".global" in account else ".")[0].upper()


def _key_token(check: Check, field: str) -> Secret:
    """Return the token of a check, signed with the key that the connection names."""
    check.at("config", field)
    key = keyfile.rsa_key(check, field, "private_key_passphrase")
    return key_token(check.connection, key)


def key_token(connection: ResolvedConnection, key: "RSAPrivateKey") -> Secret:
    """Return a token for one minute that shows the key pair of the user."""
    subject = f"{_account(connection)}.{connection.text('user').upper()}"
    now = int(time.time())
    issuer = f"{subject}.SHA256:{jwt.fingerprint(key)}"
    return jwt.signed({"iss": issuer, "sub": subject, "iat": now, "exp": now + 60}, key)


def _absent(found: Mapping[str, Any], wanted: Mapping[str, str]) -> str:
    """Return the first thing that was asked for and that the session does not have."""
    return next((name for name in wanted if name in found and found[name] is None), "")


def _first_missing(door: _Door, wanted: Mapping[str, str]) -> str:
    """Return what the server misses, which it does not tell: each more is tried in turn."""
    context: dict[str, str] = {}
    for name, text in wanted.items():
        context[name] = text
        try:
            if _absent(door.ask(context), context):
                return name
        except ConnectorNotFoundError:
            return name
    return "database"


def _unknown(check: Check, door: _Door, name: str) -> ConnectorNotFoundError:
    """Return the error for a database or the like that is not there, or not for this role."""
    if name == "database":
        check.facts["databases"] = door.databases()
    known = ", ".join(check.facts.get("databases", ()))
    return ConnectorNotFoundError(
        f"the {name} `{check.connection.text(name)}` does not exist, or the role may not use it",
        code=f"db.unknown_{name}",
        stage="query",
        field=name,
        remedy=f"check `{name}` and `role`" + (f"; there are: {known}" if known else ""),
    )


def _names(columns: Any, rows: Sequence[Any]) -> list[str]:
    """Return the column `name` of an answer to `show`."""
    titles = [str(column.get("name")).lower() for column in columns or ()]
    index = titles.index("name") if "name" in titles else 1
    return sorted(str(row[index]) for row in rows if len(row) > index)


CONNECTOR: Final = SnowflakeConnector()
