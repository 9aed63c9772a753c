"""One login by any SQLAlchemy driver, in a process of its own that ends at the deadline.

Run as `python -I -m osiris_lsp.connectors.isolated`, with the URL on standard input. The answer is
one line of JSON: `{"server_version"}`, or what failed as `{"type", "code", "errno", "missing"}`.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorError
from osiris_lsp.connectors.health import Check, causes

_READ_ONLY: Final = {"sqlite": "mode=ro", "duckdb": "access_mode=read_only"}
"""Dialects that create a missing file, and what a URL has to say against it."""


def login(check: Check, url: str, field: str) -> None:
    """Log in to a database in a child process; `field` is the YAML field to mark."""
    dialect, _, rest = url.partition("://")
    wanted = _READ_ONLY.get(dialect.partition("+")[0])
    if wanted and wanted not in rest:
        raise ConnectorConfigError(
            f"`x-doctor` would create the file of `{dialect}` where there is none",
            code="config.doctor",
            field=field,
            remedy=f"add `{wanted}` to its URL, with `file:` and `uri=true` for sqlite",
        )
    check.at("auth", field)
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", "osiris_lsp.connectors.isolated"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=check.connection.base,
    )
    check.on_close(lambda: _end(child))
    try:
        output, _ = child.communicate(url, timeout=check.deadline.remaining())
    except subprocess.TimeoutExpired:
        # The error of `subprocess` is none of the family of TimeoutError.
        raise TimeoutError("the login did not end in time") from None
    try:
        answer = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        answer = {"type": "CrashedDriver"}
    if "type" in answer:
        raise _failure(answer, dialect, field)
    check.facts.update({name: value for name, value in answer.items() if value})


def _end(child: "subprocess.Popen[str]") -> None:
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()


def _failure(answer: Mapping[str, Any], dialect: str, field: str) -> Exception:
    if answer.get("missing"):
        return ConnectorConfigError(
            f"no driver for `{dialect}` is installed: `{answer['missing']}` is missing",
            code="dep.missing",
            remedy="install its package into the environment of osiris-lsp",
        )
    if answer["type"] in ("TimeoutError", "timeout"):
        return TimeoutError("the driver gave up")
    if answer["type"] == "gaierror":
        return socket.gaierror(answer["errno"], "")
    if answer.get("errno"):
        return OSError(answer["errno"], os.strerror(answer["errno"]))
    code = answer.get("code")
    said = f"{answer['type']} {code}" if code else str(answer["type"])
    return ConnectorError(
        f"the driver of `{dialect}` refuses: {said}",
        code=f"db.{code}" if code else "db.failed",
        field=field,
        remedy="check the login with the client of the database; its message is not shown, as it "
        "may hold secrets",
        kind=str(answer["type"]),
    )


def main() -> None:
    """Answer one request."""
    try:
        answer: dict[str, Any] = _ask(sys.stdin.read())
    except Exception as error:
        answer = _told(error)
    print("\n" + json.dumps(answer))


def _ask(url: str) -> dict[str, Any]:
    import sqlalchemy

    parsed = sqlalchemy.make_url(url)
    if "plugin" in parsed.query:
        raise ValueError("plugins of SQLAlchemy run code, and are none of a check")
    engine = sqlalchemy.create_engine(parsed, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        connection.scalar(sqlalchemy.select(sqlalchemy.literal(1)))
    version = getattr(engine.dialect, "server_version_info", None)
    return {"server_version": ".".join(map(str, version or ()))}


def _told(error: BaseException) -> dict[str, Any]:
    """Return what may be told of an error: types and codes, never its text."""
    from sqlalchemy.exc import DBAPIError, NoSuchModuleError

    for item in causes(error):
        if isinstance(item, NoSuchModuleError):
            return {"type": type(item).__name__, "missing": "its SQLAlchemy dialect"}
        if isinstance(item, ImportError):
            return {"type": type(item).__name__, "missing": item.name or "a module"}
        if isinstance(item, OSError) and item.errno is not None:
            return {"type": type(item).__name__, "errno": item.errno}
    driver = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return {"type": type(driver).__name__, "code": _code(driver)}


def _code(error: BaseException) -> str | None:
    for name in ("sqlstate", "pgcode", "sqlite_errorname", "errno"):
        value = getattr(error, name, None)
        if isinstance(value, str | int):
            return str(value)
    first = error.args[0] if error.args else None
    return str(first) if isinstance(first, int) else None


if __name__ == "__main__":
    main()
