"""Folders: what is told about them, and what keeps them from being used."""

import os
import threading
import time
from pathlib import Path

import pytest

from osiris_lsp.connectors import ResolvedConnection
from osiris_lsp.connectors.families.filesystem import CONNECTOR
from tests.connectors.families.rights import open_folder, unprivileged
from tests.connectors.families.sql import told


@pytest.mark.inventory("S1-CONN009-01", "S1-CONN010-05")
def test_a_folder(tmp_path: Path) -> None:
    """The check counts what is there and writes nothing."""
    (tmp_path / "orders.csv").touch()
    (tmp_path / "archive").mkdir()
    result = CONNECTOR.examine({"base_dir": str(tmp_path)})
    assert told(result) == ("ok", "", "", "")
    facts = {name: result.details[name] for name in ("entries", "writable")}
    assert facts == {"entries": 2, "writable": True}
    assert result.details["free_bytes"] > 0
    assert sorted(os.listdir(tmp_path)) == ["archive", "orders.csv"]


def test_a_relative_path_counts_from_the_connections_file(tmp_path: Path) -> None:
    """Wherever the check runs, `./data` is beside the file that says so."""
    (tmp_path / "data").mkdir()
    values = {"base_dir": "./data"}
    here = ResolvedConnection("filesystem", "here", values, base=str(tmp_path))
    there = ResolvedConnection("filesystem", "there", values, base=str(tmp_path / "data"))
    assert [CONNECTOR.examine(connection).ok for connection in (here, there)] == [True, False]


@pytest.mark.inventory("S1-CONN010-06")
@pytest.mark.parametrize(
    ("base_dir", "code"),
    [
        ("missing", "file.missing"),
        ("file/below", "file.missing"),
        ("file", "file.no_folder"),
        ("x" * 300, "file.unusable"),
        ("a\0b", "config.missing_field"),
        ("", "config.missing_field"),
    ],
)
def test_paths_that_are_no_folder(tmp_path: Path, base_dir: str, code: str) -> None:
    """Each mistake in the path has a code of its own, and the field is named."""
    (tmp_path / "file").touch()
    connection = ResolvedConnection("filesystem", "x", {"base_dir": base_dir}, base=str(tmp_path))
    result = CONNECTOR.examine(connection)
    assert told(result) == ("unknown", code, "config", "base_dir")
    assert result.shown_category == "config"


@pytest.mark.inventory("S1-CONN010-03", "S1-CONN010-09")
def test_rights() -> None:
    """A folder that may not be listed is a failure; one that may only be read is told as such."""
    with open_folder() as folder:
        for name, mode in (("closed", 0o000), ("fixed", 0o555)):
            (folder / name).mkdir()
            (folder / name).chmod(mode)
        with unprivileged():
            closed = CONNECTOR.examine({"base_dir": str(folder / "closed")})
            below = CONNECTOR.examine({"base_dir": str(folder / "closed" / "below")})
            fixed = CONNECTOR.examine({"base_dir": str(folder / "fixed")})
    expected = ("permission", "os.denied", "config", "base_dir")
    assert (told(closed), told(below)) == (expected, expected)
    assert (fixed.ok, fixed.details["writable"]) == (True, False)
    assert fixed.details["hint"] == "this user can read files there, but not write any"


@pytest.mark.inventory("S1-CONN009-05", "S1-CONN010-04")
def test_a_drive_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of the system that never returns ends with the deadline, and is named."""
    release = threading.Event()
    monkeypatch.setattr("osiris_lsp.connectors.paths.os.stat", lambda path: release.wait())
    began = time.monotonic()
    result = CONNECTOR.examine({"base_dir": str(tmp_path)}, 0.2)
    elapsed = time.monotonic() - began
    monkeypatch.undo()
    release.set()
    assert elapsed <= 0.7
    assert told(result) == ("timeout", "query.timeout", "query", "base_dir")
    assert result.details["cause"] == "the file system does not answer (stage query)"
