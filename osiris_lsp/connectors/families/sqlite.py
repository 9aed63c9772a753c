"""SQLite: opens the file for reading only and reads its schema."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final
from urllib.parse import quote

from osiris_lsp.connectors import paths
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorError
from osiris_lsp.connectors.health import Check

# Primary result codes (https://www.sqlite.org/rescode.html).
_FAILURES: Final[Mapping[int, tuple[str, str, str]]] = {
    5: (
        "file.locked",
        "another program has the database locked",
        "close that program, or wait until it has written",
    ),
    8: (
        "file.needs_recovery",
        "a program was ended while it wrote, and the database has to be repaired before reading",
        "open the database once for writing, which repairs it",
    ),
    10: ("file.unreadable", "the file could not be read", "look at the drive that it is on"),
    11: ("file.damaged", "the database is damaged", "restore it from a backup"),
    14: (
        "file.cannot_open",
        "the file, or a `-wal` or `-journal` file beside it, cannot be opened",
        "look at the rights of the file and its folder",
    ),
    26: (
        "file.not_a_database",
        "the file is no SQLite database, or it is encrypted",
        "check `path`, and that no other kind of database wrote the file",
    ),
}
_RETRYABLE: Final = frozenset((5,))


class SQLiteConnector(Connector):
    """A database in a file, or in memory."""

    family: ClassVar[str] = "sqlite"

    def probe(self, check: Check) -> None:
        """Count the tables; a file that is missing but may be created is fine."""
        check.facts["server_version"] = sqlite3.sqlite_version
        if check.connection.text("path") == ":memory:":
            return
        path = paths.database(check)
        if path is None:
            return
        # Half of the time is for a lock to go away, the other half to say that it did not.
        patience = check.deadline.remaining() / 2
        with _no_traces(path), contextlib.closing(_open(path, "ro", patience)) as database:
            query = "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
            check.facts["tables"] = database.execute(query).fetchone()[0]
            check.facts["charset"] = database.execute("PRAGMA encoding").fetchone()[0]

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        """Say what a result code of SQLite means."""
        number = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if number not in _FAILURES:
            return None
        code, cause, remedy = _FAILURES[number]
        return ConnectorError(
            cause,
            code=code,
            stage="query",
            field="path",
            remedy=remedy,
            retryable=number in _RETRYABLE,
        )


def _open(path: str, mode: str, patience: float) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(path)}?mode={mode}", uri=True, timeout=patience)


@contextlib.contextmanager
def _no_traces(path: str) -> Iterator[None]:
    """Have SQLite remove the files again that reading a database in WAL mode leaves beside it.

    They go when the last one that could write closes; nothing is written into the database.
    """
    log = f"{path}-wal"
    before = os.path.exists(log)
    try:
        yield
    finally:
        if not before and os.path.exists(log) and os.access(path, os.W_OK):
            with (
                contextlib.suppress(sqlite3.Error),
                contextlib.closing(_open(path, "rw", 0)) as database,
            ):
                database.execute("SELECT count(*) FROM sqlite_master")


CONNECTOR: Final = SQLiteConnector()
