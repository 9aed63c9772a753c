"""SQLite: files that are databases, and all that may be wrong with a path that should be one."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from osiris_lsp.connectors import ResolvedConnection
from osiris_lsp.connectors.families.sqlite import CONNECTOR
from tests.connectors.families.rights import open_folder, unprivileged
from tests.connectors.families.sql import Told, told


def make(path: Path, *statements: str) -> Path:
    """Write a database with one table."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in (*statements, "CREATE TABLE orders (id INTEGER)"):
            database.execute(statement)
    return path


@pytest.mark.inventory("S1-CONN010-05", "S1-CONN020-04")
@pytest.mark.parametrize("name", ["shop.sqlite", "my shop%20#1.db", "nach-Köln.db"])
def test_a_database(tmp_path: Path, name: str) -> None:
    """The check reads the schema, whatever characters are in the path."""
    make(tmp_path / name)
    values = {"path": f"./{name}", "read_only": True}
    result = CONNECTOR.examine(ResolvedConnection("sqlite", "x", values, base=str(tmp_path)))
    facts = {**result.details}
    del facts["elapsed_ms"]
    assert facts == {
        "server_version": sqlite3.sqlite_version,
        "exists": True,
        "read_only": True,
        "tables": 1,
        "charset": "UTF-8",
    }
    assert os.listdir(tmp_path) == [name]


def test_a_database_that_is_still_to_be_made(tmp_path: Path) -> None:
    """A missing file is fine where it may be created, which the check does not do."""
    assert CONNECTOR.examine({"path": ":memory:"}).ok
    result = CONNECTOR.examine({"path": str(tmp_path / "new.db")})
    assert (result.ok, result.details["exists"]) == (True, False)
    assert result.details["hint"] == "the file does not exist yet; the first write creates it"
    assert os.listdir(tmp_path) == []
    (tmp_path / "empty.db").touch()
    assert CONNECTOR.examine({"path": str(tmp_path / "empty.db")}).details["tables"] == 0


@pytest.mark.inventory("S1-CONN010-06")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("missing.db", ("unknown", "file.missing", "config", "path")),
        ("nowhere/new.db", ("unknown", "file.missing", "config", "path")),
        ("text/new.db", ("unknown", "file.missing", "config", "path")),
        ("", ("unknown", "config.missing_field", "config", "path")),
        (".", ("unknown", "file.no_file", "config", "path")),
        ("fifo", ("unknown", "file.no_file", "config", "path")),
        ("text", ("unknown", "file.not_a_database", "query", "path")),
        ("damaged", ("unknown", "file.damaged", "query", "path")),
    ],
)
def test_paths_that_are_no_database(tmp_path: Path, path: str, expected: Told) -> None:
    """Each thing that is wrong with a path has a code of its own."""
    (tmp_path / "text").write_text("id,name\n" * 1000)
    os.mkfifo(tmp_path / "fifo")
    data = bytearray(make(tmp_path / "damaged").read_bytes())
    data[100:400] = b"z" * 300
    (tmp_path / "damaged").write_bytes(data)
    values = {"path": path, "read_only": True}
    result = CONNECTOR.examine(ResolvedConnection("sqlite", "x", values, base=str(tmp_path)))
    assert told(result) == expected


@pytest.mark.inventory("S1-CONN009-05")
def test_a_lock(tmp_path: Path) -> None:
    """A lock is waited for, but not longer than the check may take."""
    path = make(tmp_path / "shop.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        result = CONNECTOR.examine({"path": str(path)}, 0.4)
        assert 0.1 <= time.monotonic() - began <= 0.9
    assert told(result) == ("unknown", "file.locked", "query", "path")
    assert result.details["retryable"]


def test_a_write_ahead_log_leaves_no_traces(tmp_path: Path) -> None:
    """SQLite puts two files beside a database in WAL mode; those of others stay, ours go."""
    path = make(tmp_path / "shop.db", "PRAGMA journal_mode = WAL")
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert CONNECTOR.examine({"path": str(path)}).details["tables"] == 1
    assert os.listdir(tmp_path) == ["shop.db"]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE more (id INTEGER)")
        assert CONNECTOR.examine({"path": str(path)}).details["tables"] == 2
        assert sorted(os.listdir(tmp_path)) == ["shop.db", "shop.db-shm", "shop.db-wal"]


BROKEN_OFF = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN")
database.executemany("INSERT INTO orders VALUES (?)", [("x" * 1000,)] * 500)
os._exit(0)
"""


def test_a_writer_that_was_ended(tmp_path: Path) -> None:
    """What a crash leaves behind is told, and not repaired: that would be writing."""
    path = make(tmp_path / "shop.db")
    subprocess.run([sys.executable, "-c", BROKEN_OFF, str(path)], check=True)
    files = {file: file.read_bytes() for file in tmp_path.iterdir()}
    result = CONNECTOR.examine({"path": str(path)})
    assert told(result) == ("unknown", "file.needs_recovery", "query", "path")
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == files


@pytest.mark.inventory("S1-CONN010-03")
def test_rights() -> None:
    """A file that may not be read, one that may not be written, and one that cannot be made."""
    with open_folder() as folder:
        for name, mode in (("closed.db", 0o000), ("fixed.db", 0o444)):
            make(folder / name).chmod(mode)
        folder.chmod(0o555)
        with unprivileged():
            closed, fixed, new = (
                CONNECTOR.examine({"path": str(folder / name)})
                for name in ("closed.db", "fixed.db", "new.db")
            )
        folder.chmod(0o755)
    expected = ("permission", "os.denied", "config", "path")
    assert (told(closed), told(new)) == (expected, expected)
    assert (fixed.ok, fixed.details["read_only"]) == (True, True)
