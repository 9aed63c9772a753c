"""What goes wrong with statements, as errors of ours: by numbers and codes, never by texts."""

from collections.abc import Mapping
from typing import Final

from osiris_lsp.connectors.clients.sql.wire import CONNECTORS
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    ConnectorError,
    ConnectorNetworkError,
    ConnectorNotFoundError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
    ConnectorValidationError,
)
from osiris_lsp.connectors.health import Check, Deadline, causes, failure_of
from osiris_lsp.connectors.meanings import Meaning

UNDONE: Final = frozenset(("db.deadlock", "db.serialization"))
"""Failures of which the server says that it has undone the whole transaction."""


def _wrong(code: str, cause: str, remedy: str) -> Meaning:
    return Meaning(ConnectorValidationError, code, "query", "", cause, remedy)


_TABLE: Final = Meaning(
    ConnectorNotFoundError,
    "db.unknown_table",
    "query",
    "",
    "the database has no table of this name, or this account may not see it",
    "check the name of the table and its schema",
)
_COLUMN: Final = _wrong(
    "db.unknown_column", "the table has no column of this name", "check the names of the columns"
)
_OBJECT: Final = _wrong(
    "db.unknown_object",
    "the server has no function, type or setting of this name",
    "check the names in the statement, and the types of what a function is given",
)
_EXISTS: Final = _wrong(
    "db.exists", "something of this name is there already", "take another name, or drop it first"
)
_UNABLE: Final = _wrong(
    "db.unsupported", "the server cannot do what the statement asks for", "look at its log"
)
_SYNTAX: Final = _wrong(
    "db.syntax", "the server cannot read the statement", "check its syntax for this kind of server"
)
_DUPLICATE: Final = _wrong(
    "db.duplicate",
    "a row with this key is there already",
    "update it instead, or give the new row another key",
)
_REFERENCE: Final = _wrong(
    "db.reference",
    "a foreign key does not allow it",
    "write the row that is referred to first, or delete those that refer to it",
)
_NULL: Final = _wrong(
    "db.null", "a column that has to have a value would have none", "give a value for it"
)
_RULE: Final = _wrong(
    "db.check", "a rule of the table does not allow these values", "look at its CHECK constraints"
)
_VALUE: Final = _wrong(
    "db.value",
    "a value does not fit: it is too long, out of range, or of another type",
    "compare the values with the types of the columns",
)
_PARAMETERS: Final = _wrong(
    "db.parameters",
    "the statement and its parameters do not fit together",
    "give a value for each `:name` of the statement, of a type that the driver knows",
)
_DEADLOCK: Final = Meaning(
    ConnectorNetworkError,
    "db.deadlock",
    "query",
    "",
    "the server undid the transaction, for it and another one waited for each other",
    "try again; change rows in the same order everywhere",
    retryable=True,
)
_SERIALIZATION: Final = _DEADLOCK._replace(
    code="db.serialization",
    cause="the server undid the transaction, for another one has changed the same rows",
    remedy="try again",
)
_LOCKED: Final = Meaning(
    ConnectorTimeoutError,
    "db.lock_timeout",
    "query",
    "",
    "another transaction holds a lock on these rows",
    "try again when it has ended",
    retryable=False,
)
_SLOW: Final = Meaning(
    ConnectorTimeoutError,
    "query.timeout",
    "query",
    "timeout",
    "the statement took longer than it may",
    "raise `timeout`, or have the statement do less",
    retryable=False,
)
_STOPPED: Final = Meaning(
    ConnectorNetworkError,
    "tcp.closed",
    "query",
    "",
    "the server ended the connection",
    "look at the log of the server; an administrator may have ended the session",
)
_READ_ONLY: Final = Meaning(
    ConnectorPermissionError,
    "db.read_only",
    "query",
    "",
    "the server, the file or the transaction only allows reading",
    "write to the main server, or with `execute_command`",
)
_NO_RIGHT: Final = Meaning(
    ConnectorPermissionError,
    "db.no_privilege",
    "query",
    "user",
    "the account lacks the right to do this",
    "have it granted to the account",
)
_LOCKED_FILE: Final = _LOCKED._replace(
    code="file.locked",
    cause="another session has the database locked",
    remedy="wait until it has written",
)

MYSQL: Final[Mapping[int, Meaning]] = {
    **dict.fromkeys((1051, 1146), _TABLE),
    **dict.fromkeys((1054, 1091), _COLUMN),
    **dict.fromkeys((1193, 1305), _OBJECT),
    **dict.fromkeys((1007, 1050, 1060, 1061, 1304), _EXISTS),
    **dict.fromkeys((1064, 1149), _SYNTAX),
    **dict.fromkeys((1231, 1235), _UNABLE),
    **dict.fromkeys((1022, 1062, 1586), _DUPLICATE),
    **dict.fromkeys((1216, 1217, 1451, 1452), _REFERENCE),
    **dict.fromkeys((1048, 1364), _NULL),
    **dict.fromkeys((3819, 4025), _RULE),
    **dict.fromkeys((1264, 1265, 1292, 1366, 1367, 1406), _VALUE),
    **dict.fromkeys((1053, 1317, 1927, 4031), _STOPPED),
    **dict.fromkeys((1290, 1792, 1836), _READ_ONLY),
    **dict.fromkeys((1142, 1143, 1227, 1370), _NO_RIGHT),
    **dict.fromkeys((1969, 3024), _SLOW),
    0: _STOPPED,  # a session of which PyMySQL has closed the socket
    1205: _LOCKED,
    1213: _DEADLOCK,
}
POSTGRES: Final[Mapping[str, Meaning]] = {
    "42P01": _TABLE,
    "3F000": _TABLE,
    "42703": _COLUMN,
    **dict.fromkeys(("42704", "42883"), _OBJECT),
    **dict.fromkeys(("42P04", "42P06", "42P07", "42701", "42710", "42723"), _EXISTS),
    **dict.fromkeys(("0A000", "08P01"), _UNABLE),
    "42601": _SYNTAX,
    "23505": _DUPLICATE,
    "23503": _REFERENCE,
    "23502": _NULL,
    "23514": _RULE,
    "42804": _VALUE,
    "40P01": _DEADLOCK,
    "40001": _SERIALIZATION,
    "55P03": _LOCKED,
    "57014": _SLOW,
    "25006": _READ_ONLY,
    "42501": _NO_RIGHT,
    "XX000": Meaning(
        ConnectorError,
        "postgres.XX000",
        "query",
        "",
        "the server has a fault of its own",
        "look at its log; where two sessions changed the same definition, try again",
    ),
    **dict.fromkeys(("57P01", "57P02", "57P05", "25P03"), _STOPPED),
}
SQLITE: Final[Mapping[int, Meaning]] = {
    1: _wrong(
        "db.statement",
        "SQLite cannot run the statement: its syntax is wrong, or a table or column is not there",
        "check the names, and the syntax of SQLite",
    ),
    5: _LOCKED_FILE,
    6: _LOCKED_FILE,
    8: _READ_ONLY,
    9: _SLOW,
    18: _VALUE,
    19: _RULE,
    20: _VALUE,
}
# The extended codes of SQLite for constraints.
SQLITE_CONSTRAINT: Final[Mapping[int, Meaning]] = {
    787: _REFERENCE,
    1299: _NULL,
    1555: _DUPLICATE,
    2067: _DUPLICATE,
}
DUCKDB: Final[Mapping[str, Meaning]] = {
    "CatalogException": _TABLE._replace(
        cause="the database has no table, function or type of this name, or has one already"
    ),
    "BinderException": _COLUMN,
    "ParserException": _SYNTAX,
    "SyntaxException": _SYNTAX,
    "ConstraintException": _RULE,
    "ConversionException": _VALUE,
    "OutOfRangeException": _VALUE,
    "TypeMismatchException": _VALUE,
    "InvalidInputException": _READ_ONLY,
    "InterruptException": _SLOW,
    "TransactionException": _SERIALIZATION,
}


def failure(error: BaseException, connection: ResolvedConnection) -> ConnectorError:
    """Say what an error of SQLAlchemy or of a driver means; its own text is not used.

    Raise it outside of the handler of the error, which else would be its context.
    """
    from sqlalchemy import exc

    inner = getattr(error, "orig", None) or error  # the driver's, where SQLAlchemy has wrapped it
    chain = list(causes(inner))
    for item in chain:
        if isinstance(item, ConnectorError):
            return item
    if isinstance(error, exc.TimeoutError):
        return _exhausted()
    for item in chain:
        meaning = _meaning(item, connection.family)
        if meaning is not None:
            return _named(meaning.as_error(), item)
    if any(isinstance(item, TimeoutError) for item in chain):
        return _named(_SLOW.as_error(), inner)
    if isinstance(error, exc.NoSuchTableError):
        return _TABLE.as_error()
    if isinstance(error, exc.SQLAlchemyError) and not isinstance(error, exc.DBAPIError):
        return _named(_PARAMETERS.as_error(), error)
    check = Check(connection, Deadline(60.0))
    check.at("query")
    found = failure_of(inner, check, CONNECTORS[connection.family])
    found.stage = found.stage or "query"
    return found


def is_lost(error: BaseException, family: str) -> bool:
    """Tell whether a session is over, where SQLAlchemy cannot know it."""
    return _meaning(error, family) is _STOPPED


def _exhausted() -> ConnectorTimeoutError:
    return ConnectorTimeoutError(
        "all connections of the pool are in use",
        code="pool.exhausted",
        stage="tcp",
        field="pool_size",
        remedy="give connections back sooner, or raise `pool_size` or `max_overflow`",
        retryable=False,
    )


def _named(error: ConnectorError, cause: BaseException) -> ConnectorError:
    error.kind = type(cause).__name__
    return error


def _meaning(error: BaseException, family: str) -> Meaning | None:
    first = error.args[0] if error.args else None
    if family == "mysql":
        if not _of(error, "pymysql"):
            return None
        # Without a number it comes from PyMySQL's own formatting.
        return MYSQL.get(first) if isinstance(first, int) else _PARAMETERS
    if family == "postgres":
        state = str(first.get("C", "")) if isinstance(first, dict) else ""
        return POSTGRES.get(state) or (_VALUE if state[:2] == "22" else None)
    if family == "duckdb":
        return DUCKDB.get(type(error).__name__)
    number = getattr(error, "sqlite_errorcode", None)
    if not isinstance(number, int):
        return None
    return SQLITE_CONSTRAINT.get(number) or SQLITE.get(number & 0xFF)


def _of(error: BaseException, package: str) -> bool:
    return type(error).__module__.partition(".")[0] == package
