"""Statements about tables that are named by a program: names are quoted, or refused."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.errors import ConnectorValidationError
from osiris_lsp.text import lazy

if TYPE_CHECKING:
    from sqlalchemy import Delete, TableClause, Update

Record = Mapping[str, Any]

LONGEST: Final = {"mysql": 64, "postgres": 63, "sqlite": 255, "duckdb": 255}
"""Longest names that a kind of server tells apart, in characters (PostgreSQL: bytes)."""


def table_of(name: str, family: str, columns: Sequence[str] = ()) -> "TableClause":
    """Return a table by its name, `schema.table` or `table`; every part will be quoted."""
    from sqlalchemy import column, table
    from sqlalchemy.sql import quoted_name

    schema, dot, own = name.partition(".")
    if not dot:
        schema, own = "", name
    for part in (own, *((schema,) if dot else ())):
        _check_name(part, "table", family)
    for item in columns:
        _check_name(item, "column", family)
    return table(
        quoted_name(own, quote=True),
        *(column(quoted_name(item, quote=True)) for item in columns),
        schema=quoted_name(schema, quote=True) if dot else None,
    )


def _check_name(name: object, what: str, family: str) -> None:
    """Raise ConnectorValidationError for what is no name, or would be cut to another one."""
    if not isinstance(name, str) or not name:
        raise wrong(f"a {what} needs a name", "db.name", "give its name as a text")
    size = len(name.encode("utf-8", "replace")) if family == "postgres" else len(name)
    if size > LONGEST[family]:
        raise wrong(
            f"a {what} has a name of more than {LONGEST[family]} characters",
            "db.name",
            "the server would cut it, and take another one",
        )
    if "." in name and what == "table":
        raise wrong("a table has more than one dot in its name", "db.name", "write `schema.table`")
    if not name.isprintable() or (family == "mysql" and (name[-1] == " " or max(name) > "\uffff")):
        raise wrong(
            f"a {what} has a name with characters that names cannot have",
            "db.name",
            "take out control characters and the like",
        )


def wrong(cause: str, code: str, remedy: str) -> ConnectorValidationError:
    """Return the error for arguments of which no statement is made."""
    return ConnectorValidationError(cause, code=code, stage="query", remedy=remedy)


def columns_of(records: Sequence[Any]) -> list[str]:
    """Return the columns of records; all have to have the same."""
    first = list(records[0]) if isinstance(records[0], Mapping) else []
    if not first:
        raise wrong("a record is empty", "db.records", "give a value for a column at least")
    names = set(first)
    for number, record in enumerate(records):
        if not isinstance(record, Mapping) or record.keys() != names:
            raise wrong(
                f"record {number} does not have the same columns as record 0",
                "db.records",
                "give each record all columns, with None where there is no value",
            )
    return first


def update(name: str, columns: Sequence[str], keys: Sequence[str], family: str) -> "Update":
    """Return the statement that updates the row of a key; its parameters are `k0`, `v0` and so on.

    Raises ConnectorValidationError where a key or all else is missing.
    """
    from sqlalchemy import bindparam

    missing = [key for key in keys if key not in columns]
    if missing or not keys:
        raise wrong(
            f"the records lack the key column `{missing[0]}`" if missing else "no key is known",
            "db.key",
            "give each record the columns of the key, or name others with `key`",
        )
    changed = [item for item in columns if item not in keys]
    if not changed:
        raise wrong("the records have no column beside the key", "db.records", "give new values")
    found = table_of(name, family, columns)
    statement = found.update().values(
        {found.c[item]: bindparam(f"v{columns.index(item)}") for item in changed}
    )
    for item in keys:
        statement = statement.where(found.c[item] == bindparam(f"v{columns.index(item)}"))
    return statement


_CASTS: Final = lazy(
    r"(SMALLINT|INTEGER|BIGINT|REAL|DOUBLE PRECISION|NUMERIC|BOOLEAN|DATE|UUID|JSONB?"
    r"|TIME(?:STAMP)?(?:\(\d\))?(?: WITH(?:OUT)? TIME ZONE)?)(?:\(\d+(?:, ?\d+)?\))?"
)


def cast_type(kind: str) -> str | None:
    """Return the type that a value is cast to for a column of PostgreSQL, or None for a rare one.

    Texts are not cut to the length of the column, and numbers are left to its precision.
    """
    if kind.startswith(("VARCHAR", "CHAR", "TEXT")):
        return "TEXT"
    match = _CASTS.fullmatch(kind)
    return match[1] if match is not None else None


def update_rows(
    name: str, casts: Mapping[str, str], keys: Sequence[str], rows: int, quote: Callable[[str], str]
) -> str:
    """Return the statement of PostgreSQL that updates many rows at once, with `%s` for values.

    `casts` are the columns of the records with the types of their values.
    """
    columns = [*casts]
    table_of(name, "postgres", columns)  # refuses what is no name
    table = ".".join(map(quote, name.split(".", 1)))
    fields = {item: f"v{number}" for number, item in enumerate(columns)}
    changes = ", ".join(f"{quote(c)} = given.{v}" for c, v in fields.items() if c not in keys)
    row = f"({', '.join(f'CAST(%s AS {cast})' for cast in casts.values())})"
    return (
        f"UPDATE {table} AS kept SET {changes} "
        f"FROM (VALUES {', '.join([row] * rows)}) AS given({', '.join(fields.values())}) "
        f"WHERE {' AND '.join(f'kept.{quote(key)} = given.{fields[key]}' for key in keys)}"
    )


def positional(records: Sequence[Record], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return records with the parameters of `update`: names of columns may be anything."""
    names = [f"v{number}" for number in range(len(columns))]
    return [dict(zip(names, [record[item] for item in columns], strict=True)) for record in records]


def deletion(name: str, condition: Record, family: str) -> "Delete":
    """Return the statement that deletes the rows whose columns have these values.

    None means NULL, a list any of its values. An empty condition would delete all: it is refused.
    """
    if not isinstance(condition, Mapping):
        raise wrong(
            "the condition is no mapping of columns to values",
            "db.condition",
            "write `{column: value}`; for other conditions there is `execute_command`",
        )
    if not condition:
        raise wrong(
            "without a condition all rows would be deleted",
            "db.condition",
            "name the rows; to delete all, run `DELETE FROM …` with `execute_command`",
        )
    found = table_of(name, family, list(condition))
    statement = found.delete()
    for item, value in condition.items():
        cell = found.c[item]
        if isinstance(value, list | tuple | set | frozenset):
            statement = statement.where(cell.in_(list(value)))
        else:
            statement = statement.where(cell.is_(None) if value is None else cell == value)
    return statement
