"""The gateway of a Supabase project in front of PostgREST and GoTrue, with tables in memory.

https://supabase.com/docs/guides/api/api-keys
https://supabase.com/changelog/42949-breaking-change-removing-access-to-openapi-spec-via-the-anon-key
https://supabase.com/docs/guides/platform/http-status-codes
https://docs.postgrest.org/en/stable/references/errors.html
https://docs.postgrest.org/en/stable/references/api/openapi.html
"""

from typing import Any

from tests.doubles.messages import CANARY, Answer, Request, as_json
from tests.doubles.tokens import look_alike

REF = "abcdefghijklmnopqrst"


def legacy_key(role: str) -> str:
    """A key of the older kind: a JWT that names its role."""
    issued, expires = 1767225600, 2082758400
    claims = {"iss": "supabase", "ref": REF, "role": role, "iat": issued, "exp": expires}
    return look_alike(claims)


ANON_KEY = legacy_key("anon")
SERVICE_ROLE_KEY = legacy_key("service_role")
PUBLISHABLE_KEY = f"sb_publishable_{CANARY}Supabase_publish"
SECRET_KEY = f"sb_secret_{CANARY}Supabase_secret0"

ROLES = {
    ANON_KEY: "anon",
    PUBLISHABLE_KEY: "anon",
    SERVICE_ROLE_KEY: "service_role",
    SECRET_KEY: "service_role",
}

PAUSED = as_json(540, {"message": "Project paused"})
RESTRICTED = as_json(402, {"message": "exceed_egress_quota"})
UNAVAILABLE = as_json(503, {"message": "name resolution failed"})

_NO_KEY = as_json(
    401,
    {
        "message": "No API key found in request",
        "hint": "No `apikey` request header or url param was found.",
    },
)
_WRONG_JWT = as_json(
    401,
    {
        "message": "Invalid API key",
        "hint": "Double check your Supabase `anon` or `service_role` API key.",
    },
)
_WRONG_KEY = as_json(
    401, {"message": "Unregistered API key", "hint": "Double check your Supabase API key."}
)
_WRONG_BEARER = as_json(
    401,
    {"code": "PGRST301", "details": None, "hint": None, "message": "JWSError JWSInvalidSignature"},
)
_NO_SCHEMA_ACCESS = as_json(
    403,
    {
        "message": "Access to schema is forbidden",
        "hint": "Accessing the schema via the Data API is only allowed using a secret API key.",
    },
)

Row = dict[str, Any]


class Supabase:
    """A project whose tables all have the primary key `id` and no policy for `anon`."""

    def __init__(self, tables: dict[str, list[Row]] | None = None, schema: str = "public") -> None:
        self.tables = tables if tables is not None else {"orders": [{"id": 1, "total": 9}]}
        self._schema = schema

    def __call__(self, request: Request) -> Answer:
        """Answer as the gateway: the key first, then the service behind the path."""
        if request.path == "/auth/v1/health":  # public: 200 even with a wrong key
            about = {"name": "GoTrue", "version": "v2.180.0", "description": "GoTrue"}
            return as_json(200, about)
        key = request.headers.get("apikey") or request.query.get("apikey")
        if not key:
            return _NO_KEY
        if key not in ROLES:
            return _WRONG_KEY if key.startswith("sb_") else _WRONG_JWT
        if request.path == "/auth/v1/settings":
            return as_json(200, {"external": {"email": True}, "disable_signup": False})
        role = ROLES.get(request.bearer or key)
        service, _, table = request.path.partition("/rest/v1/")
        if service or not request.path.startswith("/rest/v1"):
            return as_json(404, {"message": "no Route matched with those values"})
        if role is None:
            return _WRONG_BEARER
        return self._rest(request, table, may_write=role == "service_role")

    def _rest(self, request: Request, table: str, *, may_write: bool) -> Answer:
        if not table and not may_write:
            return _NO_SCHEMA_ACCESS
        profile = "Accept-Profile" if request.method in ("GET", "HEAD") else "Content-Profile"
        schema = request.headers.get(profile, self._schema)
        if schema != self._schema:
            hint = f"Only the following schemas are exposed: {self._schema}"
            return _problem(406, "PGRST106", f"Invalid schema: {schema}", hint)
        if not table:
            paths: dict[str, object] = {"/": {}, **{f"/{name}": {} for name in self.tables}}
            definitions = {name: _definition(rows) for name, rows in self.tables.items()}
            return as_json(200, {"swagger": "2.0", "paths": paths, "definitions": definitions})
        if table not in self.tables:
            text = f"Could not find the table '{schema}.{table}' in the schema cache"
            return _problem(404, "PGRST205", text)
        if request.method in ("GET", "HEAD"):
            rows = self.tables[table] if may_write else []
            return as_json(200, _select(rows, request.query))
        if request.method != "POST":
            return _problem(405, "PGRST117", f"Unsupported HTTP method: {request.method}")
        if not may_write:
            text = f'new row violates row-level security policy for table "{table}"'
            return _problem(401, "42501", text)
        return self._insert(request, table)

    def _insert(self, request: Request, table: str) -> Answer:
        content = request.json()
        rows: list[Row] = content if isinstance(content, list) else [content]
        if not all(isinstance(row, dict) for row in rows):
            return _problem(400, "PGRST102", "Empty or invalid json")
        keys = request.query.get("on_conflict", "id").split(",")
        prefer = request.headers.get("Prefer", "")
        stored = {_key(row, keys): row for row in self.tables[table]}
        if "resolution=merge-duplicates" not in prefer and (
            any(_key(row, keys) in stored for row in rows)
        ):
            text = f'duplicate key value violates unique constraint "{table}_pkey"'
            return _problem(409, "23505", text)
        for row in rows:
            stored[_key(row, keys)] = {**stored.get(_key(row, keys), {}), **row}
        self.tables[table] = list(stored.values())
        return as_json(201, rows) if "return=representation" in prefer else Answer(201)


_FORMATS: dict[type, tuple[str, str]] = {
    bool: ("boolean", "boolean"),
    int: ("integer", "bigint"),
    float: ("number", "double precision"),
    str: ("string", "text"),
}


def _definition(rows: list[Row]) -> dict[str, object]:
    """A table as PostgREST describes it: what is `required` is not null, the key `id` here."""
    columns = {name: value for row in rows for name, value in row.items()}
    properties = {}
    for name, value in columns.items():
        kind, stored = _FORMATS.get(type(value), ("string", "text"))
        note = {"description": "Note:\nThis is a Primary Key.<pk/>"} if name == "id" else {}
        properties[name] = {"format": stored, "type": kind, **note}
    required = [name for name in columns if name == "id"]
    return {"type": "object", "required": required, "properties": properties}


def _key(row: Row, names: list[str]) -> tuple[object, ...]:
    return tuple(row.get(name) for name in names)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _select(rows: list[Row], query: dict[str, str]) -> list[Row]:
    filters = {name: value[3:] for name, value in query.items() if value.startswith("eq.")}
    nulls = [name for name, value in query.items() if value == "is.null"]
    found = [row for row in rows if all(_text(row.get(k)) == v for k, v in filters.items())]
    found = [row for row in found if all(row.get(name) is None for name in nulls)]
    columns = query.get("select", "*").split(",")
    limit = int(query.get("limit", len(found)))
    return [row if columns == ["*"] else {c: row.get(c) for c in columns} for row in found[:limit]]


def _problem(status: int, code: str, message: str, hint: str | None = None) -> Answer:
    return as_json(status, {"code": code, "details": None, "hint": hint, "message": message})
