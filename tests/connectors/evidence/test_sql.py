"""Rows of databases: read, and nothing but read."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine, text

from osiris_lsp.connectors import (
    ConnectorConfigError,
    ConnectorError,
    ConnectorTimeoutError,
    ConnectorValidationError,
    ResolvedConnection,
    SQLConnector,
    evidence_connector,
)
from tests.connectors.evidence.notes import quiet
from tests.connectors.evidence.test_base import behind
from tests.doubles.messages import CANARY
from tests.services.certificates import Certificates
from tests.services.processes import Server


def run(work: Any) -> Any:
    """Run one coroutine in an event loop of its own."""
    return asyncio.run(work)


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[SQLConnector]:
    """A connector to a database with three notes."""
    engine = create_engine(f"sqlite:///{tmp_path}/notes.sqlite")
    with engine.begin() as made:
        made.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, body BLOB)"))
        made.execute(text("INSERT INTO notes VALUES (1,'A','tea'), (2,'B','cake'), (3,'C',x'ff')"))
    connector = SQLConnector(
        engine=engine,
        fetch_query="SELECT * FROM notes WHERE id = :id",
        content_columns=["body"],
        **quiet(),
    )
    yield connector
    run(connector.close())
    assert engine.pool.status().startswith("Pool size: 5  Connections in pool: 1")  # not closed
    engine.dispose()


@pytest.mark.inventory("S3-TYPE-04", "S3-BASE-04", "S3-BASE-06", "S3-BASE-07")
def test_search_and_fetch(notes: SQLConnector) -> None:
    """A query with parameters gives rows as evidence; one can be found again by its id."""
    query = "SELECT id, title, body FROM notes WHERE body LIKE :word"
    found = run(notes.search(query, parameters={"word": "%a%"}))
    assert [(item.id, item.title, item.content) for item in found] == [
        ("1", "A", "body: tea"),
        ("2", "B", "body: cake"),
    ]
    assert found[0].metadata == {"id": 1, "title": "A", "body": "tea"}
    assert (found[0].source_id, notes.is_available) == ("sqlite:1", True)
    assert run(notes.fetch("3")).content == "body: \ufffd"
    assert run(notes.fetch("1 OR 1=1")) is None
    assert len(run(notes.search("SELECT * FROM notes", limit=2))) == 2


def test_rows_without_an_id(notes: SQLConnector) -> None:
    """They have one that is made from what they say, and stay in the cache."""
    bare = SQLConnector(engine=notes._engine, **quiet())
    found = run(bare.search("SELECT title FROM notes ORDER BY title", limit=1))[0]
    assert (len(found.id), found.content) == (32, "title: A")
    assert run(bare.fetch(found.id)) == found
    assert run(bare.fetch("1")) is None


WRITES = (
    "DELETE FROM notes",
    "UPDATE notes SET title = 'x'",
    "INSERT INTO notes VALUES (9, 'x', 'x')",
    "DROP TABLE notes",
    "CREATE TABLE t (id int)",
    "SELECT 1; DELETE FROM notes",
    "SELECT 1; SELECT 2",
    "WITH x AS (DELETE FROM notes RETURNING *) SELECT * FROM x",
    "SELECT * INTO t FROM notes",
    "SELECT * FROM notes FOR UPDATE",
    "EXPLAIN ANALYZE DELETE FROM notes",
    "PRAGMA writable_schema = 1",
    "ATTACH 'x' AS y",
    "VACUUM",
    "SET ROLE admin",
    "COPY notes TO '/tmp/x'",
    "COPY notes TO PROGRAM 'sh'",
    "CALL f()",
    "DO $$ BEGIN DELETE FROM notes; END $$",
    "BEGIN",
    "this is no SQL at all (",
    "-- only a comment",
)


OWN = {
    "postgres": ("SELECT pg_read_file('/etc/passwd')", "SELECT * FROM dblink('x', 'DELETE')"),
    "mysql": ("SELECT 1 /*! INTO OUTFILE '/tmp/x' */", "SELECT LOAD_FILE('/etc/passwd')"),
    "sqlite": ("SELECT load_extension('x')", "SELECT writefile('x', 'y')"),
}


@pytest.mark.parametrize("dialect", OWN)
def test_what_is_no_read(dialect: str) -> None:
    """It is refused before anything is sent, in the ways of each database."""
    asked = []

    def rows(sql: str, parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        asked.append(sql)
        return []

    connector = SQLConnector(rows=rows, dialect=dialect, **quiet())
    for query in (*WRITES, *OWN[dialect]):
        with pytest.raises(ConnectorValidationError) as caught:
            run(connector.search(query))
        assert caught.value.code == "sql.not_read_only"
    assert asked == []
    run(connector.search("SELECT 'DELETE FROM notes; DROP TABLE x' -- update"))
    assert len(asked) == 1


def test_the_database_refuses_as_well(notes: SQLConnector) -> None:
    """What would get past the check fails in the database, and the next writer is not hindered."""
    with pytest.raises(ConnectorError):
        run(notes._read("search", "DELETE FROM notes", {}, 1))
    assert len(run(notes.search("SELECT * FROM notes"))) == 3
    assert notes._engine is not None
    with notes._engine.begin() as connection:
        connection.execute(text("DELETE FROM notes WHERE id = 1"))
    assert len(run(notes.search("SELECT * FROM notes"))) == 2


def test_errors_show_nothing(notes: SQLConnector) -> None:
    """The text of the driver holds the query and its values; ours does not."""
    with pytest.raises(ConnectorError) as caught:
        run(notes.search("SELECT nothing FROM nowhere WHERE x = :x", parameters={"x": CANARY}))
    assert CANARY not in f"{caught.value} {caught.value!r}"
    with pytest.raises(ConnectorValidationError):
        run(notes.search(" "))


@pytest.mark.inventory("S3-BASE-12")
def test_rows_of_the_caller() -> None:
    """A function that gives rows is enough; it is called again after failures of the network."""
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def rows(sql: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        asked.append((sql, parameters))
        if len(asked) == 1:
            raise ConnectionResetError
        while True:
            yield {"id": "7", "body": "tea"}

    connector = SQLConnector(rows=rows, dialect="postgresql", **quiet())
    found = run(connector.search("SELECT 1", limit=3, parameters={"a": 1}))
    assert ([item.id for item in found], asked) == (["7"] * 3, [("SELECT 1", {"a": 1})] * 2)
    with pytest.raises(ConnectorValidationError):
        run(connector.search("DELETE FROM x"))
    assert len(asked) == 2


def test_a_query_that_takes_too_long() -> None:
    """It is left after `timeout`."""
    import threading

    done = threading.Event()

    def rows(sql: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        done.wait(5)
        yield {}

    async def main() -> None:
        try:
            connector = SQLConnector(
                rows=rows, dialect="sqlite", timeout=0.05, **quiet(max_retries=0)
            )
            await connector.search("SELECT 1")
        finally:
            done.set()

    with pytest.raises(ConnectorTimeoutError):
        run(main())


def test_what_a_connector_needs() -> None:
    """An engine or a function, never both; a `fetch_query` has to be a read."""
    engine = create_engine("sqlite://")
    for options in ({}, {"engine": engine, "rows": lambda sql, parameters: []}):
        with pytest.raises(ConnectorConfigError):
            SQLConnector(**options)  # type: ignore[arg-type]
    with pytest.raises(ConnectorValidationError):
        SQLConnector(engine=engine, fetch_query="DELETE FROM x WHERE id = :id")


def of(dsn: str, base: Path | None = None, **more: Any) -> SQLConnector:
    """The connector of a connection."""
    values = {"dsn": dsn, **more}
    connection = ResolvedConnection("sql", "main", values, base=str(base) if base else None)
    made = evidence_connector(connection, **quiet(max_retries=0))
    assert isinstance(made, SQLConnector)
    return made


def test_from_a_connection(notes: SQLConnector, tmp_path: Path) -> None:
    """A relative path counts from the connections file; what is no DSN is refused unseen."""
    made = of("sqlite:///notes.sqlite", tmp_path, content_columns=["title"])
    found = run(made.search("SELECT * FROM notes", limit=1))
    assert [item.content for item in found] == ["title: A"]
    run(made.close())
    for dsn in (f"oracle://u:{CANARY}@h/x", f"{CANARY}", f"postgresql://u:{CANARY}@h:x/y"):
        with pytest.raises(ConnectorConfigError) as caught:
            of(dsn)
        assert caught.value.field == "dsn"
        assert CANARY not in "".join(map(repr, behind(caught.value)))


@pytest.mark.parametrize("option", ["sslmode=disable", "sslmode=require", "sslmode=prefer",
                                    "sslmode=verify-full&sslrootcert={ca}"])  # fmt: skip
def test_postgres(postgres: Server, certificates: Certificates, option: str) -> None:
    """PostgreSQL, with TLS as the DSN wants it; the transaction is read only."""
    options = option.replace("{ca}", str(certificates.ca))
    login = f"reader:{quote(postgres.password, safe='')}"
    made = of(f"postgresql://{login}@127.0.0.1:{postgres.port}/shop?{options}")
    query = "SELECT current_user AS id, current_setting('transaction_read_only') AS title"
    try:
        found = run(made.search(query))[0]
        assert (found.id, found.title) == ("reader", "on")
        with pytest.raises(ConnectorError):
            run(made._read("search", "CREATE TABLE evidence_test (id int)", {}, 1))
    finally:
        run(made.close())


@pytest.mark.parametrize("option", ["", "?ssl-mode=VERIFY_IDENTITY&ssl_ca={ca}"])
def test_mysql(mariadb: Server, certificates: Certificates, option: str) -> None:
    """MariaDB, with TLS as the DSN wants it; a write fails in the transaction."""
    options = option.replace("{ca}", str(certificates.ca))
    login = f"reader:{quote(mariadb.password, safe='')}"
    made = of(f"mysql://{login}@127.0.0.1:{mariadb.port}/shop{options}")
    try:
        query = "SELECT 'ü' AS title, 7 AS id"
        found = run(made.search(query))[0]
        assert (found.id, found.title) == ("7", "ü")
        with pytest.raises(ConnectorError):
            run(made._read("search", "CREATE TABLE evidence_test (id int)", {}, 1))
    finally:
        run(made.close())
