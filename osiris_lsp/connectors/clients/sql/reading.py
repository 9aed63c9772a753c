"""Statements that only read: what is none is refused, and so is what cannot be understood."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from osiris_lsp.connectors.errors import ConnectorValidationError
from osiris_lsp.sql import DIALECTS, MAX_LENGTH, mask, parser
from osiris_lsp.text import lazy

if TYPE_CHECKING:
    from sqlglot import exp


class OperationNotAllowedError(ConnectorValidationError, ValueError):
    """A statement that does more than read; the message is `Operation {op} not allowed`."""

    def __init__(self, operation: str) -> None:
        super().__init__(
            f"Operation {operation} not allowed", code="sql.not_read_only", stage="query"
        )
        self.operation = operation


# Functions that reach out of a READ ONLY transaction: files, other servers, locks, settings.
_FUNCTIONS: Final[Mapping[str, str]] = {
    "mysql": r"load_file|get_lock|release_lock|release_all_locks|sys_exec|sys_eval|sys_get|sys_set"
    r"|master_pos_wait|wait_for_executed_gtid_set|nextval|setval|lastval",
    "postgres": r"pg_read_\w+|pg_ls_\w+|pg_stat_file|pg_file_\w+|pg_logfile\w*|lo_\w+|dblink\w*"
    r"|pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_rotate_logfile|pg_promote"
    r"|pg_(try_)?advisory_\w+|pg_switch_wal|pg_create_\w+|pg_drop_\w+|pg_logical_\w+"
    r"|pg_replication_\w+|pg_backup_\w+|pg_start_backup|pg_stop_backup|pg_wal_replay_\w+|pg_notify"
    r"|pg_export_snapshot|pg_import_\w+|pg_sync_\w+|pg_stat_reset\w*|set_config|nextval|setval"
    r"|query_to_xml\w*|cursor_to_xml\w*|table_to_xml\w*|schema_to_xml\w*|database_to_xml\w*",
    "sqlite": r"load_extension|readfile|writefile|edit|fts3_tokenizer|zipfile|fsdir",
    "duckdb": r"getenv|nextval|setval|force_checkpoint|checkpoint|query|query_table|\w+_scan"
    r"|\w+_query|\w+_execute|\w+_attach",
}
_WORD: Final = lazy(r"[A-Za-z_]\w*")
_WORDS: Final = lazy(
    r"\b(INSERT|UPDATE|DELETE|DROP|CREATE|ALTER|TRUNCATE|GRANT|REVOKE|REPLACE|MERGE|CALL|LOAD|COPY"
    r"|INTO|HANDLER|DO|EXEC|EXECUTE)\b",
    re.IGNORECASE,
)


def validate_read_only(query: str, dialect: str = "mysql") -> Literal[True]:
    """Return True for one statement that only reads; else raise OperationNotAllowedError.

    `dialect` is a family such as `postgres`. What cannot be parsed is refused, and so are comments
    that MySQL executes, locks, assignments, and functions that reach out of a transaction.
    """
    name = DIALECTS.get(dialect, dialect)
    masked = mask(query, name)
    if len(query) > MAX_LENGTH:
        raise OperationNotAllowedError(f"of more than {MAX_LENGTH} characters")
    for mark in ("/*!", "/*M!"):
        if mark in masked:
            raise OperationNotAllowedError(mark)
    try:
        trees = [tree for tree in parser().parse(query, read=name) if tree is not None]
    except Exception:  # a parser of so many dialects fails in many ways
        trees = []
    if not trees:
        raise OperationNotAllowedError(_word(masked))
    for tree in trees:
        _refuse(tree, masked, name)
    if len(trees) > 1:
        raise OperationNotAllowedError(";")
    return True


def _refuse(tree: Any, masked: str, dialect: str) -> None:
    from sqlglot import exp

    query = tree
    if isinstance(tree, exp.Describe) and dialect in ("mysql", "duckdb"):
        query = tree.this if isinstance(tree.this, exp.Expression) else None
    elif isinstance(tree, exp.Summarize):
        query = tree.this
    reads = isinstance(query, exp.Query | exp.Values)
    reads = reads or (query is not tree and isinstance(query, exp.Table))
    reads = reads or (isinstance(tree, exp.Show) and dialect == "mysql")
    if not reads:
        raise OperationNotAllowedError(_operation(tree, masked))
    for node in tree.walk():
        operation = _inner(node, dialect)
        if operation is not None:
            raise OperationNotAllowedError(operation)


def _inner(node: Any, dialect: str) -> str | None:
    """Return what a node inside of a query does beyond reading."""
    from sqlglot import exp

    if isinstance(node, exp.DML | exp.DDL) and not isinstance(node, exp.Query):
        return _KEYWORDS.get(node.key, node.key.upper())
    if isinstance(node, exp.Into):
        return "INTO"
    if isinstance(node, exp.Lock):
        return "UPDATE" if node.args.get("update") else "SHARE"
    if isinstance(node, exp.PropertyEQ) and isinstance(node.this, exp.Parameter | exp.Var):
        return ":="
    if isinstance(node, exp.NextValueFor):
        return "NEXT VALUE"
    if isinstance(node, exp.Command):
        return str(node.this).upper()
    if isinstance(node, exp.Func):
        return _function(node, dialect)
    return None


def _function(node: "exp.Func", dialect: str) -> str | None:
    from sqlglot import exp

    known = not isinstance(node, exp.Anonymous | exp.AnonymousAggFunc)
    names = node.sql_names() if known else [node.name]
    for name in names:
        if re.fullmatch(_FUNCTIONS.get(dialect, ""), name, re.IGNORECASE):
            return name.upper()
    return None


_KEYWORDS: Final = {"truncatetable": "TRUNCATE", "loaddata": "LOAD"}


def _operation(tree: Any, masked: str) -> str:
    """Return the word that says what a statement does."""
    from sqlglot import exp

    inner = tree.this if isinstance(tree, exp.Describe) else tree
    if isinstance(inner, exp.DML | exp.DDL):
        return _KEYWORDS.get(inner.key, inner.key.upper())
    return _word(masked)


def _word(masked: str) -> str:
    """Return the word that says what a text does which nobody can parse."""
    first = _WORD.search(masked)
    if first is None:
        return "(none)"
    if first[0].upper() in ("SELECT", "WITH", "EXPLAIN", "DESCRIBE", "DESC", "VALUES", "TABLE"):
        found = _WORDS.search(masked)
        return found[0].upper() if found is not None else first[0].upper()
    return first[0].upper()
