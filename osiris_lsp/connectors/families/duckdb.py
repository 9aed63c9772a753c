"""DuckDB: opens the file for reading only, with everything switched off that reaches beyond it."""

from typing import TYPE_CHECKING, Any, ClassVar, Final

from osiris_lsp.connectors import paths
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorError, MissingDependencyError
from osiris_lsp.connectors.health import Check

if TYPE_CHECKING:
    import duckdb

_SEALED: Final[dict[str, Any]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
}


class DuckDBConnector(Connector):
    """A database in a file, or in memory."""

    family: ClassVar[str] = "duckdb"

    def probe(self, check: Check) -> None:
        """Count the tables; a file that is missing but may be created is fine."""
        try:
            import duckdb
        except ImportError as error:
            raise MissingDependencyError("duckdb", "duckdb") from error

        check.facts["server_version"] = duckdb.__version__
        connection = check.connection
        if connection.value("memory") is True or connection.text("path") == ":memory:":
            return
        path = paths.database(check)
        if path is None:
            return
        if check.facts["read_only"] and connection.value("read_only") is not True:
            cause = f"this user may read {path}, but not write to it, and DuckDB would not open it"
            raise paths.denied("path", f"{cause} without `read_only: true`")
        try:
            with duckdb.connect(path, read_only=True, config=_SEALED) as database:
                _count(check, database)
        except duckdb.ConnectionException:
            check.facts["hint"] = "this program has the database open, with other settings"
        except duckdb.Error as error:
            # One class stands for most failures, so that the file itself has to tell.
            raise _diagnosis(path, duckdb.__version__) from error


def _count(check: Check, database: "duckdb.DuckDBPyConnection") -> None:
    counted = database.execute("SELECT count(*) FROM duckdb_tables()").fetchone()
    check.facts["tables"] = counted[0] if counted else 0


def _diagnosis(path: str, version: str) -> ConnectorError:
    """Say why a file could not be opened.

    DuckDB does not have it open in this process, which would lose its lock on it here.
    """
    with open(path, "rb") as file:
        locked = _is_locked(file.fileno())
        head = file.read(20)
    if locked:
        code, cause = "file.locked", "another program has the database open for writing"
        remedy = f"close that program: `lsof {path}` names it"
    elif head[8:12] != b"DUCK":
        code, cause = "file.not_a_database", "the file is no DuckDB database"
        remedy = "check `path`, and that no other kind of database wrote the file"
    else:
        code, cause = "file.damaged", f"DuckDB {version} cannot read the database"
        remedy = "a newer DuckDB may have written it: upgrade `duckdb`; else restore a backup"
    return ConnectorError(
        cause,
        code=code,
        stage="query",
        field="path",
        remedy=remedy,
        retryable=locked,
        kind="IOException",
    )


def _is_locked(file: int) -> bool:
    """Tell whether another process has a write lock, by asking for the lock of a reader."""
    try:
        import fcntl
    except ImportError:  # on Windows a file in use cannot be opened in the first place
        return False
    try:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


CONNECTOR: Final = DuckDBConnector()
