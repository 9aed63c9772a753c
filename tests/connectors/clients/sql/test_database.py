"""What is done with a database: reading, writing, tables, and what goes wrong."""

import traceback
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osiris_lsp.connectors.clients.sql import tables
from osiris_lsp.connectors.clients.sql.database import Database
from osiris_lsp.connectors.clients.sql.engine import connection_of, make_engine
from osiris_lsp.connectors.errors import (
    ConnectorError,
    ConnectorNotFoundError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
    ConnectorValidationError,
)
from tests.connectors.clients.sql.conftest import FAMILIES, Place

HOSTILE = "x'); DROP TABLE orders; -- \\ \" ` % %s :name ; 🛒"
ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "Ada", "size": 3},
    {"id": 2, "name": HOSTILE, "size": None},
]


@pytest.mark.inventory("S0-PG-03", "S0-PG-04", "S0-PG-05", "S0-PG-10", "S0-PG-11", "S0-PG-12")
def test_rows_in_and_out(place: Place) -> None:
    """Rows are inserted, read, updated and deleted; hostile texts are texts like any other."""
    table = place.make()
    with place.open() as database:
        assert database.insert_many(table, ROWS) == 2
        assert database.execute_query(f"SELECT * FROM {table} ORDER BY id") == ROWS
        found = database.execute_query(f"SELECT id FROM {table} WHERE name = :n", {"n": HOSTILE})
        assert found == [{"id": 2}]
        assert database.update_many(table, [{"id": 1, "size": 4}, {"id": 2, "size": 5}]) == 2
        assert database.update_many(table, [{"name": "Ada", "size": 6}], key="name") == 1
        changed = f"UPDATE {table} SET size = size + :more WHERE id <= :id"
        assert database.execute_command(changed, {"more": 1, "id": 2}) == 2
        sizes = f"SELECT size FROM {table} ORDER BY id"
        assert database.execute_query(sizes) == [{"size": 7}, {"size": 6}]


@pytest.mark.inventory("S0-PG-13")
def test_deleting(place: Place) -> None:
    """Only the rows go that the condition names; without one, none."""
    table = place.make()
    rows = [{"id": number, "name": "x" if number < 5 else None, "size": 1} for number in range(7)]
    with place.open() as database:
        database.insert_many(table, rows)
        conditions: list[Any] = [{}, None, "", "1 = 1", []]
        for condition in conditions:
            with pytest.raises(ConnectorValidationError, match=r"condition") as refused:
                database.delete_records(table, condition)
            assert refused.value.code == "db.condition"
        assert database.delete_records(table, {"id": [0, 1, 99], "name": "x"}) == 2
        assert database.delete_records(table, {"name": None}) == 2
        assert database.delete_records(table, {"name": "x' OR '1'='1"}) == 0
        assert database.delete_records(table, {"id": []}) == 0
        assert database.delete_records(table, {"id": 2}) == 1
        assert database.execute_query(f"SELECT id FROM {table} ORDER BY id") == [
            {"id": 3},
            {"id": 4},
        ]


@pytest.mark.inventory("S0-PG-05", "S0-PG-11", "S0-PG-12", "S2-BP-05")
def test_many_are_written_or_none(place: Place) -> None:
    """A row that is refused takes back those before it, in other batches, too."""
    table = place.make("id int primary key, name varchar(200), size int not null")
    with place.open() as database:
        rows = [{"id": number % 1500, "name": "x", "size": 1} for number in range(1501)]
        with pytest.raises(ConnectorValidationError):
            database.insert_many(table, rows)
        assert database.execute_query(f"SELECT count(*) AS n FROM {table}") == [{"n": 0}]
        assert database.insert_many(table, rows[:-1]) == 1500
        with pytest.raises(ConnectorError):
            database.update_many(table, [{"id": 1, "size": 2}, {"id": 2, "size": None}])
        assert database.execute_query(f"SELECT id FROM {table} WHERE size = 2") == []


def test_nothing_to_write(place: Place) -> None:
    """Without records no statement is made: the table need not be there."""
    with place.open() as database:
        assert (database.insert_many("nowhere", []), database.update_many("nowhere", [])) == (0, 0)
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # QueuePool


@pytest.mark.inventory("S0-PG-06", "S0-PG-14")
def test_tables_are_described(place: Place) -> None:
    """Columns with type and nullability, and the primary key; an unknown table is told."""
    table = place.make("id int not null, name varchar(20), primary key (id)")
    with place.open() as database:
        info = database.get_table_info(table)
        kinds = {item["name"]: (item["type"][:7], item["nullable"]) for item in info["columns"]}
        assert (info["table"], info["primary_key"]) == (table, ["id"])
        assert kinds == {"id": (kinds["id"][0], False), "name": ("VARCHAR", True)}
        assert kinds["id"][0].startswith("INT")
        with pytest.raises(ConnectorNotFoundError) as missing:
            database.get_table_info("nowhere")
        assert missing.value.code == "db.unknown_table"


@pytest.mark.inventory("S0-PG-02", "S2-BP-05", "S0-ERR-03")
def test_a_transaction_is_undone_where_its_block_fails(place: Place) -> None:
    """And its connection is back in the pool; one that ends is kept."""
    table = place.make()
    with place.open() as database:

        def write(number: int, fail: bool) -> None:
            from sqlalchemy import text

            with database.transaction() as connection:
                connection.execute(text(f"INSERT INTO {table} VALUES ({number}, 'x', 1)"))
                if fail:
                    raise KeyError("the caller's own")

        with pytest.raises(KeyError, match="the caller's own"):
            write(1, fail=True)
        write(2, fail=False)
        assert database.execute_query(f"SELECT id FROM {table}") == [{"id": 2}]
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # QueuePool


@pytest.mark.inventory("S0-PG-09")
def test_reading_does_not_write(place: Place) -> None:
    """Neither by a statement that the validator knows, nor in the transaction itself."""
    table = place.make()
    with place.open() as database:
        for query in (f"DELETE FROM {table}", f"SELECT 1; DROP TABLE {table}", "COMMIT"):
            with pytest.raises(ValueError, match=r"^Operation \S+ not allowed$"):
                database.execute_query(query)
        with (
            pytest.raises(Exception, match=r"(?i)read.?only|readonly"),
            database.engine.begin() as connection,
            database._reading(connection),
        ):
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES (1, 'x', 1)")
        database.insert_many(table, ROWS)  # the connection may write again
        assert database.execute_query(f"SELECT count(*) AS n FROM {table}") == [{"n": 2}]


PROBLEMS = [
    ("SELECT * FROM nowhere", {}, {"db.unknown_table", "db.statement"}),
    ("SELECT nothing FROM {table}", {}, {"db.unknown_column", "db.statement"}),
    ("SELECT 1 FROM {table} WHERE id = :a AND size = :b", {"a": 1}, {"db.parameters"}),
    ("INSERT INTO {table} VALUES (1, 'x', 1)", None, {"db.duplicate", "db.check"}),
    ("INSERT INTO {table} VALUES (NULL, 'x', 1)", None, {"db.null", "db.check"}),
    ("INSERT INTO {table} VALUES (3, 'x', :v)", {"v": "c4n4ry"}, {"db.value"}),
    ("SELECT no_function(1)", {}, {"db.unknown_object", "db.unknown_table", "db.statement"}),
    ("CREATE TABLE {table} (a int)", None, {"db.exists", "db.unknown_table", "db.statement"}),
    ("INSRT INTO {table} VALUES (1)", None, {"db.syntax", "db.statement"}),
]


@pytest.mark.inventory("S0-PG-07", "S0-ERR-04")
@pytest.mark.parametrize(("statement", "params", "codes"), PROBLEMS)
def test_what_goes_wrong_is_told_without_values(
    place: Place, statement: str, params: dict[str, Any] | None, codes: set[str]
) -> None:
    """An error of ours with code and remedy, and nothing of the driver in its chain."""
    table = place.make("id int not null primary key, name varchar(200), size int")
    with place.open() as database:
        database.insert_many(table, ROWS)
        query = statement.format(table=table)
        run = database.execute_query if statement.startswith("S") else database.execute_command
        if place.family == "sqlite" and "db.value" in codes:
            return  # it stores a text in a column for numbers
        with pytest.raises(ConnectorError) as failed:
            run(query, params)
        assert failed.value.code in codes
        assert failed.value.remedy
        assert failed.value.stage == "query"
        assert "c4n4ry" not in "".join(traceback.format_exception(failed.value))
        assert failed.value.__cause__ is failed.value.__context__ is None


@pytest.mark.inventory("S0-PG-07")
def test_a_transaction_tells_the_same(place: Place) -> None:
    """Errors of the database inside of a block are errors of ours, with nothing behind them."""
    from sqlalchemy import text

    table = place.make("id int primary key, name varchar(20), size int not null")
    with place.open() as database:
        with (
            pytest.raises(ConnectorValidationError) as failed,
            database.transaction() as connection,
        ):
            values = {"name": "c4n4ry"}
            connection.execute(text(f"INSERT INTO {table} VALUES (1, :name, NULL)"), values)
        assert failed.value.code in ("db.null", "db.check")
        assert failed.value.__cause__ is failed.value.__context__ is None


SLOW = {
    "mysql": "SELECT sleep(20)",
    "postgres": "SELECT pg_sleep(20)",
    "sqlite": "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 1000000000)"
    " SELECT count(*) FROM x",
}
SLOW["duckdb"] = SLOW["sqlite"]


@pytest.mark.inventory("S2-MYSQL-04", "S2-BP-02", "S3-ERR-04")
def test_a_statement_ends_in_time(place: Place) -> None:
    """The server ends what takes too long, and the connection is good for the next one."""
    with place.open() as database:
        database.execute_query("SELECT 1 AS n")
        before = place.sessions() if place.server else []
        for _ in range(2):
            with pytest.raises(ConnectorTimeoutError) as failed:
                database.execute_query(SLOW[place.family], timeout=0.3)
            assert (failed.value.code, failed.value.field) == ("query.timeout", "timeout")
            assert database.execute_query("SELECT 1 AS n") == [{"n": 1}]
        assert (place.sessions() if place.server else []) == before
        with pytest.raises(ValueError, match="above 0"):
            database.execute_query("SELECT 1", timeout=0)


def test_percent_signs_and_colons(place: Place) -> None:
    """A statement without parameters is sent as it is written."""
    with place.open() as database:
        query = "SELECT '100 %' AS a, '%s :b 12:30' AS b, 'x' LIKE '%x%' AS c"
        assert database.execute_query(query) == [{"a": "100 %", "b": "%s :b 12:30", "c": True}]
        with_value = "SELECT '100 %' AS a, :b AS b"
        assert database.execute_query(with_value, {"b": "% :c"}) == [{"a": "100 %", "b": "% :c"}]


NOWHERE = {"path": ":memory:", "host": "db.invalid", "user": "ada", "password": "s3cr3t"}
NAMES = ['we"ird', "back`tick", "per%cent %s", "a:b :c", "select", "žluťoučký", "x'); DROP--", "1"]


@pytest.mark.inventory("S0-PG-11")
@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_quoted(place: Place, name: str) -> None:
    """Of tables and columns: each name is only ever a name."""
    mark = "`" if place.family == "mysql" else '"'
    table = name + place.table
    whole, cell = (mark + item.replace(mark, mark * 2) + mark for item in (table, name))

    def run(database: Database, statement: str) -> None:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    with place.open() as database:
        run(database, f"CREATE TABLE {whole} ({cell} int primary key, b int)")
        try:
            assert database.insert_many(table, [{name: 1, "b": 1}, {name: 2, "b": 2}]) == 2
            assert database.update_many(table, [{name: 1, "b": 9}]) == 1
            assert database.delete_records(table, {name: 2}) == 1
            columns = database.get_table_info(table)["columns"]
            assert [item["name"] for item in columns] == [name, "b"]
        finally:
            run(database, f"DROP TABLE {whole}")


@pytest.mark.inventory("S0-PG-11")
@pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "x" * 300, "a.b.c", "a.", ".", None])
def test_what_is_no_name_is_refused(place: Place, name: Any) -> None:
    """Before anything is sent, for tables and columns."""
    with place.open() as database:
        if name is not None:
            with pytest.raises(ConnectorValidationError):
                database.insert_many(name, [{"id": 1}])
        if name not in ("a.b.c", "a.", "."):
            with pytest.raises(ConnectorValidationError):
                database.insert_many("orders", [{name: 1}])
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # QueuePool


@pytest.mark.inventory("S0-PG-12")
def test_records_have_to_fit(place: Place) -> None:
    """Each has the same columns, and the key; else nothing is sent."""
    table = place.make()
    with place.open() as database:
        wrong: list[Any] = [
            [{"id": 1}, {"id": 2, "name": "x"}],
            [{"id": 1, "name": "x"}, {"id": 2, "size": 1}],
            [{}],
            [3],
        ]
        for records in wrong:
            with pytest.raises(ConnectorValidationError) as refused:
                database.insert_many(table, records)
            assert refused.value.code == "db.records"
        with pytest.raises(ConnectorValidationError, match="lack the key column `id`"):
            database.update_many(table, [{"name": "x"}])
        with pytest.raises(ConnectorValidationError, match="no column beside the key"):
            database.update_many(table, [{"id": 1}])
        with pytest.raises(ConnectorNotFoundError):
            database.update_many("nowhere", [{"id": 1, "name": "x"}])


@settings(max_examples=150)
@given(name=st.text(min_size=1, max_size=60))
def test_any_name_is_quoted_or_refused(name: str) -> None:
    """Whatever a name is, a row goes into the table of that name, or nothing happens."""
    with Database({"family": "sqlite", "path": ":memory:"}) as database:
        quoted = '"' + name.replace('"', '""') + '"'
        database.execute_command("CREATE TABLE victim (id int)")
        try:
            with database.engine.begin() as connection:
                connection.exec_driver_sql(f"CREATE TABLE {quoted} ({quoted} int)")
        except Exception:
            connected = False  # SQLite itself does not take it
        else:
            connected = True
        try:
            database.insert_many(name, [{name: 7}])
        except ConnectorError as error:
            refused = error.code in ("db.name", "db.unknown_table", "db.statement")
            assert refused
        else:
            assert connected
            with database.engine.connect() as connection:
                assert connection.exec_driver_sql(f"SELECT * FROM {quoted}").all() == [(7,)]
        assert database.execute_query("SELECT count(*) AS n FROM victim") == [{"n": 0}]


@settings(max_examples=100)
@given(name=st.text(min_size=1, max_size=40), family=st.sampled_from(FAMILIES))
def test_any_name_is_one_name_for_every_server(name: str, family: str) -> None:
    """What is sent is one statement about that table and that column, and nothing else."""
    import sqlglot
    from sqlglot import exp

    dialect = make_engine(connection_of({**NOWHERE, "family": family})).dialect
    try:
        statement = tables.deletion(name, {name: 1}, family)
    except ConnectorValidationError:
        return
    sent = str(statement.compile(dialect=dialect)).replace("%s", "1").replace("?", "1")
    if dialect.identifier_preparer._double_percents:
        sent = sent.replace("%%", "%")
    if "%s" in name or "?" in name:
        return  # a value was put into the name, by this test
    (tree,) = sqlglot.parse(sent, read=family)
    assert isinstance(tree, exp.Delete)
    schema, _, own = name.rpartition(".")
    assert [(item.db, item.name) for item in tree.find_all(exp.Table)] == [(schema, own)]
    columns = {item.name for item in tree.find_all(exp.Column)}
    assert columns == {name}


def test_a_right_that_is_missing(served: Place) -> None:
    """The account may read orders, and no more."""
    with served.open() as database:
        assert len(database.execute_query("SELECT * FROM orders")) == 3
    reader = {**served.config, "user": "reader", "password": served.server.password}  # type: ignore[union-attr]  # served
    with Database(reader) as database:
        with pytest.raises(ConnectorPermissionError) as failed:
            database.execute_command("DELETE FROM orders")
        assert failed.value.code == "db.no_privilege"


@pytest.mark.inventory("S2-BP-04")
def test_nothing_shows_a_secret(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """No text of a database, its engine or its pool, and no log of SQLAlchemy."""
    with caplog.at_level("DEBUG"), place.open() as database:
        database.execute_query("SELECT :v AS n", {"v": "v4lue"})
        shown = [repr(database), repr(database.connection), repr(database.engine)]
        shown += [str(database.engine.url), repr(database.engine.pool), caplog.text]
        shown += [database.engine.pool.status()]
    assert [text for text in shown if "c4n4ry" in text or "v4lue" in text] == []
