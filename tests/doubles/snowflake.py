"""A Snowflake account: its SQL API, and the login and query endpoints of the drivers.

https://docs.snowflake.com/en/developer-guide/sql-api/reference
https://docs.snowflake.com/en/developer-guide/sql-api/authenticating
The drivers' endpoints have no page: they follow what the open-source drivers send and are tested
against (snowflakedb/snowflake-connector-python, test/data/wiremock): always 200, with `success`.
"""

import time
from collections.abc import Mapping

from tests.doubles.messages import CANARY, Answer, Request, as_json
from tests.doubles.tokens import fingerprint, private_key, verify

ACCOUNT = "ACME-ANALYTICS"
USER = "REPORTING"
PASSWORD = f"p@ss-{CANARY}-snowflake"
OAUTH_TOKEN = f"ver:1-hint:1-ETMs{CANARY}Oauth"
PROGRAMMATIC_TOKEN = f"eyJraWQiOiJ{CANARY}.pat.snowflake"
SESSION_TOKEN = f"ver:3-hint:1-{CANARY}-session"
ROLES = ("REPORTER", "PUBLIC")
WAREHOUSES = ("ETL_WH",)
DATABASES = ("ANALYTICS",)
SCHEMAS = ("PUBLIC",)

VERSION = "9.38.1"


def failure(
    code: str, message: str, status: int = 200, data: Mapping[str, object] | None = None
) -> Answer:
    """An error; the drivers' endpoints give it with status 200."""
    body = {"data": data, "code": code, "message": message, "success": False, "headers": None}
    return as_json(status, body)


_RETRY = {"nextAction": "RETRY_LOGIN", "signInOptions": {}}

WRONG_PASSWORD = failure("390100", "Incorrect username or password was specified.", data=_RETRY)
LOCKED = failure("390102", "User temporarily locked. Try again later.", data=_RETRY)
NO_SINGLE_SIGN_ON = failure(
    "390190",
    "There was an error related to the SAML Identity Provider account parameter. "
    "Contact Snowflake support.",
)
MFA_REQUIRED = failure(
    "390197",
    "Multi-factor authentication is required for this account. Log in to Snowsight to enroll.",
)
ADDRESS_REFUSED = failure(
    "390422", "Incoming request with IP/Token 203.0.113.7 is not allowed to access Snowflake."
)
NO_WAREHOUSE = failure(
    "000606",
    "No active warehouse selected in the current session.",
    data={"sqlState": "57P03", "internalError": False},
)
UNKNOWN_ACCOUNT = Answer(404, b"<html>404 Not Found</html>", {"Content-Type": "text/html"})
# Code and text of a refused token, by the kind of token.
REFUSALS = {
    "KEYPAIR_JWT": ("390144", "JWT token is invalid."),
    "OAUTH": ("390303", "Invalid OAuth access token."),
    "PROGRAMMATIC_ACCESS_TOKEN": ("394400", "Programmatic access token is invalid."),
}

_CONTEXT = {"role": ROLES, "warehouse": WAREHOUSES, "database": DATABASES, "schema": SCHEMAS}
_LOGIN_NAMES = {"warehouse": "warehouse"}


class Snowflake:
    """An account whose user has a password, a key pair and both kinds of token."""

    def __call__(self, request: Request) -> Answer:
        """Answer by path."""
        if request.method == "POST" and request.path == "/api/v2/statements":
            return _statement(request)
        if request.method == "POST" and request.path == "/session/v1/login-request":
            return _login(request)
        if request.headers.get("Authorization") != f'Snowflake Token="{SESSION_TOKEN}"':
            return failure("390104", "Session token is invalid.")
        if request.path == "/session" and request.query.get("delete") == "true":
            return _success(None)
        if request.path == "/queries/v1/query-request":
            return _query(request)
        return UNKNOWN_ACCOUNT


def accepts_jwt(token: str) -> bool:
    """Whether a key-pair token names account, user and key, is signed by it and not expired."""
    key = private_key("snowflake")
    claims = verify(token, key) or {}
    subject = f"{ACCOUNT}.{USER}"
    names = claims.get("iss") == f"{subject}.{fingerprint(key)}" and claims.get("sub") == subject
    return bool(names and claims.get("iat", 0) - 60 <= time.time() < claims.get("exp", 0))


def _accepts(kind: str, token: str) -> bool:
    if kind == "KEYPAIR_JWT":
        return accepts_jwt(token)
    return token == {"OAUTH": OAUTH_TOKEN, "PROGRAMMATIC_ACCESS_TOKEN": PROGRAMMATIC_TOKEN}[kind]


def _statement(request: Request) -> Answer:
    if request.bearer is None:
        return failure("390101", "Authorization header not found in the request data.", 401)
    # Left out, the kind is taken from the token itself.
    kind = request.headers.get("X-Snowflake-Authorization-Token-Type")
    if kind is None:
        looks = "KEYPAIR_JWT" if request.bearer.count(".") == 2 else "OAUTH"
        kind = next((kind for kind in REFUSALS if _accepts(kind, request.bearer)), looks)
    if kind not in REFUSALS or not _accepts(kind, request.bearer):
        return failure(*REFUSALS.get(kind, REFUSALS["OAUTH"]), status=401)
    content = request.json() or {}
    statement = str(content.get("statement", ""))
    problem = _sql_problem(statement)
    if not all(content.get(name, names[0]) in names for name, names in _CONTEXT.items()):
        text = "SQL compilation error:\nObject does not exist, or operation cannot be performed."
        problem = ("002043", "02000", text)
    if problem:
        code, state, message = problem
        failed = {"code": code, "sqlState": state, "message": message, "statementHandle": "01b-2"}
        return as_json(422, failed)
    columns, rows = _result(statement, content)
    kinds = [{"name": column, "type": "text", "nullable": True} for column in columns]
    answer = {
        "code": "090001",
        "sqlState": "00000",
        "message": "Statement executed successfully.",
        "statementHandle": "01b-1",
        "resultSetMetaData": {"numRows": len(rows), "format": "jsonv2", "rowType": kinds},
        "data": rows,
    }
    return as_json(200, answer)


def _result(statement: str, context: Mapping[str, str]) -> tuple[list[str], list[list[str | None]]]:
    """Columns and rows of `show databases`, or of functions such as `current_user()`."""
    if statement.lower().startswith("show"):
        return ["created_on", "name"], [["1767225600.000", name] for name in DATABASES]
    known = {"version": VERSION, "user": USER, "role": ROLES[0], **context}
    columns = statement.partition(" ")[2].split(", ")
    names = [column.lower().removeprefix("current_").removesuffix("()") for column in columns]
    return [column.upper() for column in columns], [[known.get(name) for name in names]]


def _login(request: Request) -> Answer:
    data = (request.json() or {}).get("data", {})
    method = str(data.get("AUTHENTICATOR") or "SNOWFLAKE").upper()
    kind = "KEYPAIR_JWT" if method == "SNOWFLAKE_JWT" else method
    if kind in REFUSALS:
        if not _accepts(kind, str(data.get("TOKEN", ""))):
            return failure(*REFUSALS[kind], data=_RETRY)
    elif method == "EXTERNALBROWSER":
        return NO_SINGLE_SIGN_ON
    elif (str(data.get("LOGIN_NAME")).upper(), data.get("PASSWORD")) != (USER, PASSWORD):
        return WRONG_PASSWORD
    role = request.query.get("roleName") or ROLES[0]
    if role not in ROLES:
        text = f"Role '{role}' specified in the connect string does not exist or not authorized."
        return failure("390189", text)
    validates = data.get("SESSION_PARAMETERS", {}).get("CLIENT_VALIDATE_DEFAULT_PARAMETERS")
    session = {
        f"{name}Name": request.query.get(_LOGIN_NAMES.get(name, f"{name}Name")) for name in _CONTEXT
    }
    for name, names in _CONTEXT.items():
        if session[f"{name}Name"] not in (None, *names):
            if validates:
                return failure("390201", f"The requested {name} does not exist or not authorized.")
            session[f"{name}Name"] = None
    return _success(
        {
            "token": SESSION_TOKEN,
            "masterToken": f"ver:3-hint:2-{CANARY}-master",
            "validityInSeconds": 3600,
            "masterValidityInSeconds": 14400,
            "displayUserName": USER,
            "serverVersion": VERSION,
            "sessionId": 1172562260498,
            "parameters": [{"name": "AUTOCOMMIT", "value": True}],
            "sessionInfo": {**session, "roleName": role},
        }
    )


def _query(request: Request) -> Answer:
    statement = str((request.json() or {}).get("sqlText", ""))
    if problem := _sql_problem(statement):
        code, state, message = problem
        return failure(code, message, data={"sqlState": state, "internalError": False})
    columns, rows = _result(statement, {})
    kind = {"type": "text", "nullable": True, "length": 16777216}
    kind |= {"scale": None, "precision": None, "byteLength": None}
    types = [{"name": column, **kind} for column in columns]
    result = {"rowtype": types, "rowset": rows, "total": len(rows), "returned": len(rows)}
    common = {"parameters": [], "queryResultFormat": "json", "queryId": "01b-1"}
    return _success({**result, **common, "statementTypeId": 4096, "version": 1})


def _sql_problem(statement: str) -> tuple[str, str, str] | None:
    """Code, SQLSTATE and text of what is wrong: a statement may select, but from nothing."""
    if not statement.lower().startswith(("select", "show")):
        text = (
            f"SQL compilation error:\nsyntax error line 1 at position 0 unexpected '{statement}'."
        )
        return "001003", "42000", text
    _, selects_from, name = statement.upper().partition(" FROM ")
    if selects_from:
        text = f"SQL compilation error:\nObject '{name}' does not exist or not authorized."
        return "002003", "42S02", text
    return None


def _success(data: object) -> Answer:
    return as_json(200, {"data": data, "code": None, "message": None, "success": True})
