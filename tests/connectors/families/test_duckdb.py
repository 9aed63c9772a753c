"""DuckDB: files that are databases, and all that may be wrong with a path that should be one."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from osiris_lsp.connectors import ResolvedConnection
from osiris_lsp.connectors.families.duckdb import CONNECTOR
from tests.connectors.families.rights import open_folder, unprivileged
from tests.connectors.families.sql import Told, told


def make(path: Path) -> Path:
    """Write a database with one table."""
    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE orders (id INTEGER)")
    return path


@pytest.mark.inventory("S1-CONN010-05", "S1-CONN020-04")
def test_a_database(tmp_path: Path) -> None:
    """The check reads the catalogue; a relative path counts from the connections file."""
    make(tmp_path / "shop.duckdb")
    values = {"path": "./shop.duckdb"}
    result = CONNECTOR.examine(ResolvedConnection("duckdb", "x", values, base=str(tmp_path)))
    facts = {**result.details}
    del facts["elapsed_ms"]
    version = duckdb.__version__
    assert facts == {"server_version": version, "exists": True, "read_only": False, "tables": 1}
    assert os.listdir(tmp_path) == ["shop.duckdb"]


def test_a_database_that_is_still_to_be_made(tmp_path: Path) -> None:
    """A missing file is fine where it may be created, which the check does not do."""
    assert CONNECTOR.examine({"memory": True}).ok
    assert CONNECTOR.examine({"path": ":memory:"}).ok
    result = CONNECTOR.examine({"path": str(tmp_path / "new.duckdb")})
    assert (result.ok, result.details["exists"]) == (True, False)
    assert result.details["hint"] == "the file does not exist yet; the first write creates it"
    assert os.listdir(tmp_path) == []


@pytest.mark.inventory("S1-CONN010-06")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("missing", ("unknown", "file.missing", "config", "path")),
        ("nowhere/new", ("unknown", "file.missing", "config", "path")),
        ("", ("unknown", "config.missing_field", "config", "path")),
        (".", ("unknown", "file.no_file", "config", "path")),
        ("empty", ("unknown", "file.not_a_database", "query", "path")),
        ("text", ("unknown", "file.not_a_database", "query", "path")),
        ("sqlite", ("unknown", "file.not_a_database", "query", "path")),
        ("damaged", ("unknown", "file.damaged", "query", "path")),
        ("short", ("unknown", "file.damaged", "query", "path")),
    ],
)
def test_paths_that_are_no_database(tmp_path: Path, path: str, expected: Told) -> None:
    """Each thing that is wrong with a path has a code of its own; no extension is loaded."""
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("id,name\n" * 1000)
    with closing(sqlite3.connect(tmp_path / "sqlite")) as other:
        other.execute("CREATE TABLE orders (id INTEGER)")
    data = make(tmp_path / "damaged").read_bytes()
    (tmp_path / "damaged").write_bytes(data[:4100] + b"z" * 8000 + data[12100:])
    (tmp_path / "short").write_bytes(data[:5000])
    values = {"path": path, "read_only": True}
    result = CONNECTOR.examine(ResolvedConnection("duckdb", "x", values, base=str(tmp_path)))
    assert told(result) == expected


WRITER = """
import duckdb, sys
database = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_another_program_has_it_open(tmp_path: Path) -> None:
    """The one that writes keeps all others out."""
    path = make(tmp_path / "shop.duckdb")
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        result = CONNECTOR.examine({"path": str(path)})
        writer.communicate()
    assert told(result) == ("unknown", "file.locked", "query", "path")
    assert result.details["retryable"]
    assert CONNECTOR.examine({"path": str(path)}).ok


def test_this_program_has_it_open(tmp_path: Path) -> None:
    """A pipeline that runs in the same process is no failure, and keeps its lock."""
    path = make(tmp_path / "shop.duckdb")
    with duckdb.connect(str(path)):
        result = CONNECTOR.examine({"path": str(path)})
        other = subprocess.run(
            [sys.executable, "-c", WRITER, str(path)], input=b"", capture_output=True, check=False
        )
    assert (result.ok, result.details["hint"]) == (
        True,
        "this program has the database open, with other settings",
    )
    assert other.returncode == 1


@pytest.mark.inventory("S1-CONN010-03")
def test_rights() -> None:
    """DuckDB opens no file for writing that may only be read, unless told so."""
    with open_folder() as folder:
        for name, mode in (("closed", 0o000), ("fixed", 0o444)):
            make(folder / name).chmod(mode)
        folder.chmod(0o555)
        with unprivileged():
            closed, fixed, new = (
                CONNECTOR.examine({"path": str(folder / name)})
                for name in ("closed", "fixed", "new")
            )
            read = CONNECTOR.examine({"path": str(folder / "fixed"), "read_only": True})
        folder.chmod(0o755)
    expected = ("permission", "os.denied", "config", "path")
    assert (told(closed), told(fixed), told(new)) == (expected, expected, expected)
    assert "`read_only: true`" in fixed.details["cause"]
    assert (read.ok, read.details["read_only"]) == (True, True)


def test_the_driver_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without duckdb the check names the extra to install."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    result = CONNECTOR.examine({"path": "x"})
    assert told(result) == ("unknown", "dep.missing", "config", "")
    assert result.details["remedy"] == "install it with `pip install 'osiris-lsp[duckdb]'`"
