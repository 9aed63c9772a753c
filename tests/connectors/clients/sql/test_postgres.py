"""PostgreSQL by the variables `POSTGRES_*`."""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from osiris_lsp.connectors import (
    Database,
    Environment,
    LLMConnector,
    create_context,
    delete_records,
    execute_command,
    execute_query,
    get_table_info,
    insert_many,
    update_many,
)
from osiris_lsp.connectors.clients.sql import postgres
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorNotFoundError,
    ConnectorValidationError,
)
from tests.connectors.clients.llm.talk import answer
from tests.connectors.clients.sql.conftest import PASSWORD, Place, account
from tests.connectors.environment.provider import Provider
from tests.doubles.server import Server as HttpServer
from tests.services.certificates import Certificates
from tests.services.processes import Server

AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
KEY = UUID("12345678-1234-5678-1234-567812345678")
CONTEXT: dict[str, Any] = {"execution_id": "run-42", "auth_config": {}, "ssl_config": {}}


@pytest.fixture
def here(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An account on PostgreSQL that the environment describes; all is closed in the end."""
    from osiris_lsp.connectors.clients.sql.postgres import close_all

    with account("postgres", postgres) as place:
        for name in ("host", "port", "database", "user", "password"):
            monkeypatch.setenv(f"POSTGRES_{name.upper()}", str(place.config[name]))
        yield place
        close_all()


@pytest.mark.inventory(
    *("S0-PG-03", "S0-PG-04", "S0-PG-05", "S0-PG-06", "S0-PG-09", "S0-PG-10"),
    *("S0-PG-11", "S0-PG-12", "S0-PG-13", "S0-PG-14"),
)
def test_all_functions(here: Place) -> None:
    """Each does what it is called, with a context and without."""
    table = here.table
    create = f"CREATE TABLE {table} (id int PRIMARY KEY, name text NOT NULL, at timestamptz)"
    assert execute_command(create, None, CONTEXT) == 0
    rows = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "'); DROP TABLE orders; --"}]
    assert insert_many(table, rows, CONTEXT) == 2
    assert insert_many(table, [], CONTEXT) == update_many(table, [], CONTEXT) == 0
    query = f"SELECT id, name FROM {table} WHERE id = :id"
    assert execute_query(query, {"id": 2}, CONTEXT) == [rows[1]]
    assert execute_query("SELECT count(*) AS n FROM orders") == [{"n": 3}]
    assert update_many(table, [{"id": 1, "name": "Eva"}], CONTEXT) == 1
    assert execute_command(f"UPDATE {table} SET name = :n", {"n": "x"}, CONTEXT) == 2
    assert delete_records(table, {"id": 1}, CONTEXT) == 1
    info = get_table_info(table, CONTEXT)
    columns = [(item["name"], item["type"], item["nullable"]) for item in info["columns"]]
    assert columns == [("id", "INTEGER", False), ("name", "TEXT", False), ("at", "TIMESTAMP", True)]
    assert info["primary_key"] == ["id"]
    assert get_table_info(f"public.{table}")["columns"] == info["columns"]
    with pytest.raises(ConnectorNotFoundError):
        get_table_info("nowhere", CONTEXT)
    with pytest.raises(ValueError, match=r"^Operation DELETE not allowed$"):
        execute_query(f"DELETE FROM {table}", {}, CONTEXT)
    with pytest.raises(ConnectorValidationError):
        delete_records(table, {}, CONTEXT)
    with pytest.raises(ConnectorValidationError, match="lack the key column `id`"):
        update_many(table, [{"name": "x"}], CONTEXT)


@pytest.mark.inventory("S0-CTX-01", "S0-CTX-02", "S0-CTX-05")
def test_one_context_for_all(
    here: Place, provider: Provider, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    """OAuth, a model and PostgreSQL take the same; records and errors of all carry its id."""
    variables = provider.variables(SSL_CERT_PATH=str(certificates.ca))
    caplog.set_level(logging.INFO, "osiris_lsp")
    context = create_context(Environment(variables), provider.authenticator())
    assert execute_query("SELECT 1 AS n", None, context) == [{"n": 1}]
    with HttpServer(lambda request: answer()) as server:
        environment = Environment({"OPENAI_BASE_URL": f"{server.url}/v1"})
        connector = LLMConnector(environment, session=provider.session)
        connector.complete([{"role": "user", "content": "?"}], context)
        assert server.requests[0].bearer == provider.tokens.issued[-1]
        provider.session.close_all("llm")
    with pytest.raises(ConnectorNotFoundError) as failed:
        execute_query("SELECT * FROM nowhere", None, context)
    assert failed.value.execution_id == context["execution_id"]
    assert {vars(record)["execution_id"] for record in caplog.records} == {context["execution_id"]}
    assert len(caplog.records) == 3


@pytest.mark.inventory("S0-PG-08", "S1-CONN013-01", "S1-CONN014-01")
def test_one_engine(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """For one server and account, until all is closed; one session serves all calls."""
    engine = postgres.database().engine
    for _ in range(5):
        execute_query("SELECT 1 AS n", None, CONTEXT)
    assert len(here.sessions()) == 1
    assert postgres.database(CONTEXT).engine is engine
    with monkeypatch.context() as other:
        other.setenv("POSTGRES_DATABASE", "postgres")
        assert postgres.database().engine is not engine
    postgres.close_all()
    here.wait_for_sessions(0)
    assert postgres.database().engine is not engine


@pytest.mark.inventory("S0-PG-07")
def test_failures_are_logged(here: Place, caplog: pytest.LogCaptureFixture) -> None:
    """With the id of the execution, and neither secrets nor values."""
    with (
        caplog.at_level(logging.DEBUG, "osiris_lsp"),
        pytest.raises(ConnectorNotFoundError) as failed,
    ):
        execute_query("SELECT * FROM nowhere WHERE a = :v", {"v": "v4lue"}, CONTEXT)
    (record,) = caplog.records
    assert record.__dict__["execution_id"] == "run-42"
    assert record.getMessage() == (
        "execute_query failed: the database has no table of this name, or this account may not "
        "see it (db.unknown_table), execution run-42"
    )
    assert "v4lue" not in caplog.text
    assert PASSWORD not in caplog.text
    assert failed.value.__context__ is None


@pytest.mark.inventory("S0-PG-07")
def test_a_wrong_password(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as it is, with the field."""
    monkeypatch.setenv("POSTGRES_PASSWORD", "wr0ng-c4n4ry")
    with pytest.raises(ConnectorAuthError) as failed:
        execute_query("SELECT 1")
    assert (failed.value.code, failed.value.field) == ("db.login_refused", "password")
    assert "c4n4ry" not in str(failed.value)


@pytest.mark.inventory("S1-CONN017-01")
def test_tls_by_context(here: Place, certificates: Certificates) -> None:
    """`ssl_config` says whether the server is verified, and by which authority."""
    query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"

    def ask(**config: Any) -> bool:
        context = {**CONTEXT, "ssl_config": config}
        return bool(execute_query(query, None, context)[0]["ssl"])

    assert ask(verify=True, cert_path=str(certificates.ca))
    assert ask(verify=str(certificates.ca))
    assert ask(verify=False)
    with pytest.raises(ConnectorNetworkError) as failed:
        ask(verify=True)
    assert failed.value.code == "tls.untrusted"


def test_the_schema_of_a_connection(here: Place) -> None:
    """Tables without a schema in their name are those of the field, whatever it is called."""
    name = f'we"ird %s {here.table}'
    quoted = '"' + name.replace('"', '""') + '"'
    with Database({**here.config, "schema": name}) as database:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {quoted}")
        database.execute_command("CREATE TABLE notes (id int PRIMARY KEY, day date)")
        assert database.insert_many("notes", [{"id": 1, "day": date(2026, 1, 2)}]) == 1
        assert database.execute_query("SELECT day FROM notes") == [{"day": date(2026, 1, 2)}]
        info = database.get_table_info("notes")
        assert (info["schema"], info["primary_key"]) == (name, ["id"])
        assert database.update_many("notes", [{"id": 1, "day": None}]) == 1


@pytest.mark.inventory("S0-PERF-02")
def test_ten_thousand_rows_go_in_batches(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inserted and updated by far fewer statements than there are rows."""
    import pg8000.dbapi

    execute, statements = pg8000.dbapi.Cursor.execute, []

    def counted(cursor: Any, operation: str, *rest: Any, **more: Any) -> Any:
        statements.append(operation)
        return execute(cursor, operation, *rest, **more)

    monkeypatch.setattr(pg8000.dbapi.Cursor, "execute", counted)
    rows = [{"id": number, "name": f"n{number}", "at": None} for number in range(10_000)]
    with Database(here.config) as database:
        database.execute_command(
            f"CREATE TABLE {here.table} (id int PRIMARY KEY, name varchar(9), at date)"
        )
        assert database.insert_many(here.table, rows) == len(rows)
        inserted = len(statements)
        changed = [{"id": row["id"], "name": "x", "at": date(2026, 1, 2)} for row in rows[1:]]
        assert database.update_many(here.table, changed) == len(changed)
        counts = database.execute_query(
            f"SELECT name, count(*) AS n FROM {here.table} GROUP BY name ORDER BY n"
        )
    assert counts == [{"name": "n0", "n": 1}, {"name": "x", "n": 9_999}]
    assert inserted < 100
    assert len(statements) - inserted < 100


KINDS: dict[str, tuple[str, Any, Any]] = {
    "small": ("smallint", 7, 7),
    "whole": ("bigint", 2**40, 2**40),
    "real": ("double precision", 0.25, 0.25),
    "money": ("numeric(10, 2)", "12.345", Decimal("12.35")),
    "flag": ("boolean", True, True),
    "day": ("date", "2026-02-03", date(2026, 2, 3)),
    "at": ("timestamp with time zone", AT, AT),
    "clock": ("time(3)", time(1, 2, 3), time(1, 2, 3)),
    "key": ("uuid", str(KEY), KEY),
    "tree": ("jsonb", '{"a": [1]}', {"a": [1]}),
    'odd "%s" : name': ("varchar(5)", "éü%s", "éü%s"),
    "fixed": ("char(3)", "ab", "ab "),
}


@pytest.mark.parametrize("extra", ["", ", tags text[]"])
def test_values_of_any_type_are_updated(here: Place, extra: str) -> None:
    """At once, or, with a column of a rare type, one by one: what is read is the same."""
    quoted = [f'"{name.replace(chr(34), chr(34) * 2)}" {kind[0]}' for name, kind in KINDS.items()]
    given = {name: kind[1] for name, kind in KINDS.items()}
    read = {name: kind[2] for name, kind in KINDS.items()}
    more = {"tags": ["a", "b"]} if extra else {}
    with Database(here.config) as database:
        with database.engine.begin() as connection:
            columns = ", ".join(quoted)
            connection.exec_driver_sql(
                f"CREATE TABLE {here.table} (id int PRIMARY KEY, {columns}{extra})"
            )
        database.insert_many(here.table, [{"id": 1}, {"id": 2}, {"id": 3}])
        records = [
            {"id": 1, **given, **more},
            {"id": 2, **dict.fromkeys(given), **dict.fromkeys(more)},
        ]
        assert database.update_many(here.table, records) == 2
        rows = database.execute_query(f"SELECT * FROM {here.table} ORDER BY id")
    assert rows[0] == {"id": 1, **read, **more}
    assert set(rows[1].values()) == {2, None}
    assert set(rows[2].values()) == {3, None}


def test_many_updates_are_refused_or_the_last_one_wins(here: Place) -> None:
    """What does not fit changes no row; of two records about one row the later one counts."""
    with Database(here.config) as database:
        database.execute_command(f"CREATE TABLE {here.table} (id int PRIMARY KEY, name varchar(3))")
        database.insert_many(here.table, [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
        with pytest.raises(ConnectorError):
            database.update_many(here.table, [{"id": 1, "name": "new"}, {"id": 2, "name": "long"}])
        assert (
            database.update_many(here.table, [{"id": 2, "name": "c"}, {"id": 2, "name": "d"}]) == 2
        )
        rows = database.execute_query(f"SELECT id, name FROM {here.table} ORDER BY id")
    assert rows == [{"id": 1, "name": "a"}, {"id": 2, "name": "d"}]
