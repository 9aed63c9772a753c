"""Supabase: the key is really checked, by an endpoint that refuses a wrong one (R-02, R-47)."""

import socket
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import quote

from osiris_lsp.connectors import jwt
from osiris_lsp.connectors.answers import Response, expect
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorNotFoundError,
    ConnectorPermissionError,
)
from osiris_lsp.connectors.exchange import MAX_BODY, join_url, request, split_url
from osiris_lsp.connectors.health import Check
from osiris_lsp.text import lazy

_HOSTED: Final = ".supabase.co"
_PASSWORD: Final = lazy(r"(?:^|\s)password\s*=")
_PRIVILEGED: Final = frozenset(("service_role", "secret"))


class Key(NamedTuple):
    """A key, the field that holds it and the claims of one that is a JWT.

    `role` is `service_role`, `secret`, `anon`, `publishable`, or empty where the key does not say.
    """

    text: str
    field: str
    role: str
    claims: Mapping[str, Any]


class SupabaseConnector(Connector):
    """One Supabase project: its REST interface, and its database where `pg_dsn` is given."""

    family: ClassVar[str] = "supabase"

    def probe(self, check: Check) -> None:
        """Check key and DSN, whichever are there."""
        connection = check.connection
        key = key_of(connection)
        has_place = bool(connection.text("url") or connection.text("project_id"))
        has_database = bool(connection.text("pg_dsn"))
        if not has_database and not (key and has_place):
            missing = "key" if has_place else "url"
            raise ConnectorConfigError(
                f"the connection lacks `{missing}`",
                code="config.missing_field",
                field=missing,
                remedy="it needs `url` or `project_id` with a key, or `pg_dsn`",
            )
        if key is not None and has_place:
            _probe_key(check, key)
        if has_database:
            _probe_database(check)

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        """Say what a name without host means here, and what the driver of PostgreSQL says."""
        if isinstance(error, socket.gaierror):
            return _without_host(error, check)
        if not check.within:
            return None
        from osiris_lsp.connectors.families import postgres

        return postgres.CONNECTOR.explain(error, check)


def key_of(connection: ResolvedConnection) -> Key | None:
    """Return the key that counts: of several, the one with the most rights (R-02)."""
    for field in ("service_role_key", "anon_key", "key"):
        text = connection.text(field).strip()
        if text:
            claims = jwt.claims(text)
            role = str(claims.get("role") or "")
            for prefix in ("publishable", "secret"):
                role = prefix if text.startswith(f"sb_{prefix}_") else role
            return Key(text, field, role, claims)
    return None


def _probe_key(check: Check, key: Key) -> None:
    connection = check.connection
    url, url_field = address_of(connection)
    host = split_url(url, url_field).hostname or ""
    project = host.removesuffix(_HOSTED) if host.endswith(_HOSTED) else ""
    _refuse_key(key, project)
    if project:
        check.facts["project"] = project
    check.facts["key_role"] = key.role or "unknown"
    opaque = not key.role and key.field != "anon_key"
    if key.role in _PRIVILEGED or opaque:
        response = _ask(check, key, join_url(url, _rest_path(connection), url_field), url_field)
        # The root of the REST interface is for privileged keys: another one got so far.
        if response.status == 403 and opaque:
            check.facts["key_role"] = "anon"
        else:
            _expect(response, connection, key, url_field)
    else:
        response = _ask(check, key, join_url(url, "/auth/v1/settings", url_field), url_field)
        _expect(response, connection, key, url_field)
    _compare_role(check, key)


def address_of(connection: ResolvedConnection) -> tuple[str, str]:
    """Return the address of the project, empty without one, and the field that it is from."""
    url, project = connection.text("url"), connection.text("project_id")
    if url or not project:
        return url, "url"
    return f"https://{project}{_HOSTED}", "project_id"


def headers_of(key: Key) -> dict[str, str]:
    """Return the headers that show a key."""
    headers = {"apikey": key.text}
    if key.claims:  # the newer keys are no JWT, and stay out of this header
        headers["Authorization"] = f"Bearer {key.text}"
    return headers


def _rest_path(connection: ResolvedConnection) -> str:
    return f"/rest/{connection.text('api_version')}/"


def _ask(check: Check, key: Key, url: str, url_field: str) -> Response:
    headers = headers_of(key)
    schema = check.connection.get("schema")
    if schema and "/rest/" in url:
        headers["Accept-Profile"] = str(schema)
    return request(check, "GET", url, headers=headers, field=url_field)


def _refuse_key(key: Key, project: str) -> None:
    """Raise for a key that says itself that it will not do."""
    expires, ref = key.claims.get("exp"), key.claims.get("ref")
    if key.text.startswith("sbp_"):
        code, cause = "access_token", "this is an access token of your account, no key of a project"
        remedy = "take the key from the page Project Settings, API"
    elif isinstance(expires, int | float) and expires < time.time():
        code, cause = "key_expired", "the key has expired"
        remedy = "take the current key from the page Project Settings, API"
    elif project and isinstance(ref, str) and ref.isalnum() and ref != project:
        code = "other_project"
        cause = f"the key belongs to the project `{ref}`, but the address to `{project}`"
        remedy = "take key and address from the same project"
    else:
        return
    raise ConnectorAuthError(
        cause, code=f"supabase.{code}", stage="config", field=key.field, remedy=remedy
    )


def _expect(response: Response, connection: ResolvedConnection, key: Key, url_field: str) -> None:
    """Raise for everything but 2xx, with the statuses that are Supabase's own."""
    if response.status in (503, 540):
        raise ConnectorAPIError(
            f"the project is paused, or just starting (HTTP {response.status})",
            status_code=response.status,
            code="supabase.paused",
            stage="query",
            field=url_field,
            remedy="restore it in the dashboard of Supabase, and wait some minutes",
            retryable=False,
            kind="HTTPStatusError",
        )
    if response.status == 406:
        raise ConnectorNotFoundError(
            f"the schema `{connection.text('schema')}` is not exposed (HTTP 406)",
            status_code=406,
            code="supabase.schema",
            stage="query",
            field="schema",
            remedy="expose it on the page Project Settings, API",
            kind="HTTPStatusError",
        )
    unusual = response.status == 404 and connection.get("api_version") not in (None, "v1")
    expect(response, key_field=key.field, url_field="api_version" if unusual else url_field)
    if len(response.body) < MAX_BODY:  # the root of a large schema describes every column
        response.json(url_field)


def _compare_role(check: Check, key: Key) -> None:
    """Tell where a key works, but is of another kind than its field says."""
    role = check.facts["key_role"]
    if key.field == "service_role_key" and role not in (*_PRIVILEGED, "unknown"):
        raise ConnectorPermissionError(
            f"`service_role_key` holds a key of the role `{role}`, to which row level security "
            "applies",
            code="supabase.key_role",
            stage="auth",
            field=key.field,
            remedy="put the secret key there, or rename the field to `anon_key`",
        )
    if key.field == "anon_key" and role in _PRIVILEGED:
        check.facts["hint"] = (
            f"`anon_key` holds a key of the role `{role}`, which passes row level security: "
            "rename the field to `service_role_key`, and publish the key nowhere"
        )


def _without_host(error: socket.gaierror, check: Check) -> ConnectorNetworkError | None:
    if error.errno != socket.EAI_NONAME or check.field not in ("url", "project_id"):
        return None
    return ConnectorNetworkError(
        "no project has this address; one that is deleted, or was paused for long, loses it",
        code="dns.nxdomain",
        stage="dns",
        remedy=f"check `{check.field}` against the dashboard of Supabase",
        retryable=False,
    )


def _probe_database(check: Check) -> None:
    """Check the DSN, with the facts of the database under `postgres`."""
    from osiris_lsp.connectors.families import postgres

    facts = check.facts
    check.facts = facts["postgres"] = {}
    try:
        postgres.probe_dsn(check, _dsn(check.connection), "pg_dsn")
    finally:
        check.facts = facts


def _dsn(connection: ResolvedConnection) -> str:
    """Return the DSN with `password` in it, where it has none of its own."""
    dsn, password = connection.text("pg_dsn"), connection.text("password")
    if not password:
        return dsn
    if "://" not in dsn:
        escaped = password.replace("\\", "\\\\").replace("'", "\\'")
        return dsn if _PASSWORD.search(dsn) else f"{dsn} password='{escaped}'"
    scheme, _, rest = dsn.partition("://")
    user, at, host = rest.rpartition("@")
    if not at or ":" in user:
        return dsn
    return f"{scheme}://{user}:{quote(password, safe='')}@{host}"


CONNECTOR: Final = SupabaseConnector()
