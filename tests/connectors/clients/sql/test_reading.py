"""What only reads, and what does not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.connectors.clients.sql.reading import validate_read_only
from osiris_lsp.connectors.errors import ConnectorValidationError
from osiris_lsp.sql import MAX_LENGTH

READS = {
    "mysql": [
        "select 1",
        "SELECT 1;",
        "show tables",
        "describe t",
        "explain select 1",
        "with a as (select 1) select * from a",
        "(select 1) union (select 2)",
        "select sleep(1)",
        "select * from t where a in (select b from u) limit 5",
    ],
    "postgres": [
        "values (1)",
        "table t",
        "select a::text from t where b ilike '%x%'",
        "select current_setting('server_version')",
    ],
    "sqlite": ["select sqlite_version()"],
    "duckdb": ["from t", "select {'a': 1}", "summarize t", "select * from read_csv('x.csv')"],
}

# What the words of the seed refuse although it only reads.
REJECTED_BY_WORDS = [
    "select 'DELETE' as x",
    "-- drop\nselect 1",
    "select `create` from t where a = 'insert into x'",
    "select insert('Quadratic', 3, 4, 'What')",
    "select /* alter */ 1",
    "select t.update from t",
]

# What the words of the seed let through although it writes, locks or reaches out.
ACCEPTED_BY_WORDS = {
    "replace into t values (1)": "REPLACE",
    "load data infile 'x' into table t": "LOAD",
    "call p()": "CALL",
    "set global x = 1": "SET",
    "rename table a to b": "RENAME",
    "lock tables a read": "LOCK",
    "select * from t into outfile '/x'": "INTO",
    "/*!50000insert*/ into t values (1)": "/*!",
    "select 1 /*M!into outfile '/x' */": "/*M!",
    "handler t open": "HANDLER",
    "do sleep(1)": "DO",
    "kill 5": "KILL",
    "revoke all on *.* from x": "REVOKE",
    "select load_file('/x')": "LOAD_FILE",
    "select get_lock('a', 1)": "GET_LOCK",
    "select @a := 1": ":=",
    "select * from t lock in share mode": "SHARE",
    "optimize table t": "OPTIMIZE",
    "flush tables": "FLUSH",
    "prepare s from 'x'": "PREPARE",
    "select nextval(s)": "NEXTVAL",
    "use x": "USE",
    "begin": "BEGIN",
    "shutdown": "SHUTDOWN",
    "select 1; select 2": ";",
    "": "(none)",
    "-- nothing": "(none)",
    "select 'open": "SELECT",
}

WRITES = {
    "postgres": {
        "with x as (delete from t returning *) select * from x": "DELETE",
        "select * into n from t": "INTO",
        "explain analyze insert into t values (1)": "INSERT",
        "copy (select 1) to program 'x'": "COPY",
        "do $$ begin end $$": "DO",
        "vacuum": "VACUUM",
        "listen x": "LISTEN",
        "merge into t using s on t.id = s.id when matched then delete": "MERGE",
        "select pg_read_file('/x')": "PG_READ_FILE",
        "select pg_catalog.\"pg_read_file\"('/x')": "PG_READ_FILE",
        "select * from dblink('x', 'y') as t(a int)": "DBLINK",
        "select set_config('a', 'b', false)": "SET_CONFIG",
        "select pg_terminate_backend(1)": "PG_TERMINATE_BACKEND",
        "select * from t for no key update": "UPDATE",
    },
    "sqlite": {
        "pragma query_only = off": "PRAGMA",
        "attach 'x' as y": "ATTACH",
        "vacuum into 'x'": "VACUUM",
        "select load_extension('x')": "LOAD_EXTENSION",
    },
    "duckdb": {
        "install httpfs": "INSTALL",
        "copy t to 'x'": "COPY",
        "from query('delete from t')": "QUERY",
        "select getenv('HOME')": "GETENV",
        "set x = 1": "SET",
    },
}

FORBIDDEN = {
    "INSERT": "insert into t values (1)",
    "UPDATE": "Update t set a = 1",
    "DELETE": "DELETE FROM t",
    "DROP": "drop table t",
    "CREATE": "create table t (a int)",
    "ALTER": "alter table t add b int",
    "TRUNCATE": "truncate table t",
    "GRANT": "grant all on *.* to x",
}


@pytest.mark.inventory("S2-MYSQL-14", "S2-MYSQL-15")
@pytest.mark.parametrize(
    ("dialect", "query"),
    [
        *((dialect, query) for dialect, queries in READS.items() for query in queries),
        *(("mysql", query) for query in REJECTED_BY_WORDS),
    ],
)
def test_reads(dialect: str, query: str) -> None:
    """A statement that only reads is fine, whatever words are in its texts and names."""
    assert validate_read_only(query, dialect) is True


@pytest.mark.inventory("S2-MYSQL-14", "S2-MYSQL-15")
@pytest.mark.parametrize(
    ("dialect", "query", "operation"),
    [
        *(("mysql", query, operation) for operation, query in FORBIDDEN.items()),
        *(("mysql", query, operation) for query, operation in ACCEPTED_BY_WORDS.items()),
        *((name, *item) for name, queries in WRITES.items() for item in queries.items()),
    ],
)
def test_writes(dialect: str, query: str, operation: str) -> None:
    """All else is refused by the word that says what it does, inside of a query, too."""
    for text in (query, f"{query};", f"  {query}\n"):
        with pytest.raises(ValueError, match=r"^Operation ") as refused:
            validate_read_only(text, dialect)
        assert str(refused.value) == f"Operation {operation} not allowed"
        assert isinstance(refused.value, ConnectorValidationError)


@pytest.mark.inventory("S2-MYSQL-15")
@pytest.mark.parametrize("operation", FORBIDDEN)
def test_a_second_statement(operation: str) -> None:
    """Behind one that reads, or in an EXPLAIN that runs it."""
    for text in (f"select 1; {FORBIDDEN[operation]}", f"select 1;;/**/{FORBIDDEN[operation]} -- x"):
        with pytest.raises(ValueError, match=f"^Operation {operation} not allowed$"):
            validate_read_only(text)


def test_a_text_that_is_too_long() -> None:
    """Nobody looks at it, and so it is refused."""
    with pytest.raises(ValueError, match=r"^Operation of more than"):
        validate_read_only(f"select '{'x' * MAX_LENGTH}'")


WORDS = st.sampled_from(
    [*FORBIDDEN.values(), "select 1", "'", '"', "`", "--", "/*", "*/", "/*!", ";", "(", ")", "\\"]
)


@given(pieces=st.lists(WORDS, max_size=6), dialect=st.sampled_from(sorted(READS)))
def test_any_text_is_read_or_refused(pieces: list[str], dialect: str) -> None:
    """Nothing else is raised; and what is accepted begins as a query does."""
    text = " ".join(pieces)
    try:
        validate_read_only(text, dialect)
    except ValueError as error:
        said = str(error)
        assert re.fullmatch(r"Operation .+ not allowed", said)
    else:
        code = re.sub(r"/\*.*?\*/|--[^\n]*", " ", text, flags=re.DOTALL)
        assert re.match(r"[\s(;]*(select|from|\"|`|')", code)
