"""SQL as far as rules must understand it: what is no read, and which tables are read.

A scanner that knows quotes and comments decides most queries. Only what looks suspicious goes to
sqlglot, which is slow to import.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from osiris_lsp.text import lazy

DIALECTS: Final[Mapping[str, str]] = {
    "bigquery": "bigquery",
    "duckdb": "duckdb",
    "mysql": "mysql",
    "postgres": "postgres",
    "snowflake": "snowflake",
    "sqlite": "sqlite",
    "supabase": "postgres",
}
"""Families whose queries are SQL, with the dialect."""

MAX_LENGTH: Final = 100_000
"""Characters up to which a query goes to sqlglot."""

_WRITES: Final = "INSERT|UPDATE|DELETE|REPLACE|MERGE"
_FORBIDDEN: Final = (
    _WRITES + "|DROP|CREATE|ALTER|TRUNCATE|RENAME|GRANT|REVOKE|CALL|EXEC|EXECUTE|DO|LOAD|COPY|LOCK"
    "|VACUUM|ATTACH|DETACH|INSTALL"
)
_WORD: Final = lazy(r"\w+")
_SUSPECT: Final = frozenset((*_FORBIDDEN.split("|"), "INTO"))
_START: Final = lazy(rf"[\s(]*(?:({_FORBIDDEN})\b|(EXPLAIN)\b|\S)", re.IGNORECASE)
_EXPLAINED: Final = lazy(
    rf"(?=.*?\bANALY[SZ]E\b)\s*(?:\([^)]*\)\s*|(?:ANALY[SZ]E|VERBOSE)\s+)*({_FORBIDDEN})\b",
    re.IGNORECASE | re.DOTALL,
)
# Inside a SELECT or WITH a write stands in parentheses or behind the common table expressions.
_INNER: Final = lazy(rf"[()]\s*({_WRITES})\b(?!\s*\()|(?<![.\w])(INTO)\s+(?!@)", re.IGNORECASE)
_TO_FILE: Final = lazy(r"\bINTO\s+(OUTFILE|DUMPFILE)\b", re.IGNORECASE)

_OPENING: Final = lazy(r"""['"`#]|--|/\*|\$\{|\$[A-Za-z_]*\$""")
_QUOTED: Final = {
    (quote, escapes): re.compile(
        f"{quote}(?:[^{quote}\\\\]|{quote}{quote}|\\\\.)*{quote}?"
        if escapes
        else f"{quote}(?:[^{quote}]|{quote}{quote})*{quote}?",
        re.DOTALL,
    )
    for quote in "'\"`"
    for escapes in (True, False)
}
_COMMENT_MARK: Final = lazy(r"/\*|\*/")
_SOURCE: Final = lazy(r"\b(FROM|JOIN)\b\s*(?:([A-Za-z_]\w*)(?![\w.(]|\s*\())?", re.IGNORECASE)
_COMMA: Final = lazy(r"(?:\s+(?:AS\s+)?\w+)?\s*,", re.IGNORECASE)
_NAME: Final = lazy(r"[A-Za-z_]\w*")
_VARIABLE: Final = lazy(r"\$\{[^}]*\}")
_BUILT_IN: Final = ("duckdb_", "pg_", "sqlite_")


class Offence(NamedTuple):
    """What makes a query more than one read; `start` and `end` are offsets in the query."""

    start: int
    end: int
    message: str


class Relation(NamedTuple):
    """A table that a query reads; `start` and `end` are offsets in the query."""

    name: str
    start: int
    end: int


def mask(text: str, dialect: str) -> str:
    """Return a query of the same length without what is no code.

    Comments become spaces, strings and quoted names `'`, and variables (`${...}`) `x`. MySQL's
    executable comments stay.
    """
    pieces: list[str] = []
    at = 0
    while match := _OPENING.search(text, at):
        start = match.start()
        filler, end = _piece(text, start, match[0], dialect)
        pieces.append(text[at:start])
        pieces.append(filler * (end - start) if filler else text[start:end])
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def _piece(text: str, start: int, token: str, dialect: str) -> tuple[str, int]:
    """Return what stands in for the piece that a token opens (empty: itself), and its end."""
    if token in ("'", '"', "`"):
        escapes = dialect in ("mysql", "bigquery") and token != "`"
        if (
            token == "'"
            and text[start - 1 : start] in ("e", "E")
            and not text[start - 2 : start - 1].isalnum()
        ):
            escapes = True
        match = _QUOTED[token, escapes].match(text, start)
        return "'", match.end() if match else len(text)
    if token == "${":
        close = text.find("}", start)
        return "x", len(text) if close < 0 else close + 1
    if token == "/*":
        if dialect == "mysql" and text.startswith(("/*!", "/*M!"), start):
            return "", start + 2
        return " ", _end_of_comment(text, start, nested=dialect in ("postgres", "duckdb"))
    if token == "#" and dialect not in ("mysql", "bigquery"):
        return "", start + 1
    if token in ("#", "--"):
        following = text[start + 2 : start + 3]
        if token == "--" and dialect == "mysql" and following and not following.isspace():
            return "", start + 2
        stop = text.find("\n", start)
        return " ", len(text) if stop < 0 else stop
    if dialect not in ("postgres", "duckdb", "snowflake"):
        return "", start + 1
    close = text.find(token, start + len(token))
    return "'", len(text) if close < 0 else close + len(token)


def _end_of_comment(text: str, start: int, nested: bool) -> int:
    depth = 0
    for mark in _COMMENT_MARK.finditer(text, start):
        if mark[0] == "*/":
            depth -= 1
        elif depth == 0 or nested:
            depth += 1
        if depth == 0:
            return mark.end()
    return len(text)


def offence(text: str, dialect: str) -> Offence | None:
    """Return the first thing in a query that is no read, or a second statement; else None."""
    if not _is_suspect(text):
        return None
    masked = mask(text, dialect)
    for mark in ("/*!", "/*M!"):
        at = masked.find(mark)
        if at >= 0:
            message = f"MySQL executes a comment that starts with `{mark}`; write it as plain SQL"
            return Offence(at, at + len(mark), message)
    second: Offence | None = None
    at, count = 0, 0
    for statement in masked.split(";"):
        end = at + len(statement)
        if statement.strip():
            count += 1
            found = _in_statement(text, masked, at, end, dialect)
            if found is not None:
                return found
            if count == 2:
                start = end - len(statement.lstrip())
                word = _NAME.match(masked, start, end)
                message = "a second statement starts here; `query` takes one"
                second = Offence(start, word.end() if word else start + 1, message)
        at = end + 1
    return second


def _is_suspect(text: str) -> bool:
    """Tell whether a query may be more than a read; most hold no word that says so."""
    upper = text.upper()
    return (
        not _SUSPECT.isdisjoint(_WORD.findall(upper))
        or ";" in upper.rstrip()[:-1]
        or "/*!" in upper
        or "/*M!" in upper
    )


def _in_statement(text: str, masked: str, start: int, end: int, dialect: str) -> Offence | None:
    first = _START.match(masked, start, end)
    if first is not None and first[1]:
        return _not_a_read(first[1], *first.span(1))
    if first is not None and first[2]:
        explained = _EXPLAINED.match(masked, first.end(), end)
        if explained is not None:
            return _not_a_read(explained[1], *explained.span(1))
    file = _TO_FILE.search(masked, start, end) if dialect == "mysql" else None
    if file is not None:
        message = (
            f"`INTO {file[1].upper()}` writes a file on the server; a read step may only select"
        )
        return Offence(*file.span(), message)
    inner = list(_INNER.finditer(masked, start, end))
    if not inner:
        return None
    kinds = {kind for tree in _parse(text[start:end], dialect) for kind in _written(tree)}
    for match in inner:
        group = 1 if match[1] else 2
        if match[group].upper() in kinds:
            return _not_a_read(match[group], *match.span(group))
    return None


def _not_a_read(word: str, start: int, end: int) -> Offence:
    message = f"`{word.upper()}` is no read; the `query` of a read step may only select"
    return Offence(start, end, message)


def _written(tree: Any) -> Iterator[str]:
    """Yield the keywords of the writes in a statement."""
    from sqlglot import exp

    for node in tree.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into):
        yield node.key.upper()
        if isinstance(node, exp.Insert):
            yield "REPLACE"


def relations(text: str, dialect: str, known: Collection[str]) -> Sequence[Relation]:
    """Return the tables that a query reads and that are not known (names in lower case).

    Common table expressions, functions, files, names with a schema and tables that the query itself
    creates do not count; neither does anything in a query that sqlglot cannot read.
    """
    masked = mask(text, dialect)
    if not _is_suspicious(masked, known):
        return ()
    from sqlglot import exp

    own: set[str] = set()
    found: list[Relation] = []
    for tree in _parse(text, dialect):
        own.update(cte.alias.lower() for cte in tree.find_all(exp.CTE))
        own.update(made.this.name.lower() for made in tree.find_all(exp.Create) if made.this)
        for table in tree.find_all(exp.Table):
            name, place = table.name, table.this
            if not isinstance(place, exp.Identifier) or table.db or not _NAME.fullmatch(name):
                continue
            start, end = place.meta.get("start"), place.meta.get("end")
            if start is None or end is None or "${" in text[start : end + 1]:
                continue
            if text[start] == '"':
                start, end = start + 1, end - 1
            if text[start : end + 1] == name:
                found.append(Relation(name, start, end + 1))
    own.update(known)
    return [
        item
        for item in sorted(found, key=lambda item: item.start)
        if item.name.lower() not in own and not item.name.lower().startswith(_BUILT_IN)
    ]


def _is_suspicious(masked: str, known: Collection[str]) -> bool:
    """Tell whether a masked query may read something else than known tables."""
    for match in _SOURCE.finditer(masked):
        if match[2] is None or match[2].lower() not in known:
            return True
        if _COMMA.match(masked, match.end()):
            return True
    return False


def _parse(text: str, dialect: str) -> Sequence[Any]:
    """Return the trees of the statements of a query; none where sqlglot cannot read it."""
    if len(text) > MAX_LENGTH:
        return ()
    try:
        trees = parser().parse(_VARIABLE.sub(lambda match: "x" * len(match[0]), text), read=dialect)
    except Exception:  # a parser of so many dialects fails in many ways; none is the user's fault
        return ()
    return [tree for tree in trees if tree is not None]


@cache
def parser() -> Any:
    """Import sqlglot; its warnings about statements that it does not know would show the query."""
    import logging

    import sqlglot

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    return sqlglot
