"""Storing a secret in `.env`: nothing is lost, leaked or half-written."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.envfile import EnvFileError, parse, store


def test_a_value_is_added_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """Comments and order stay; git ignores the file afterwards."""
    path = tmp_path / ".env"
    path.write_text("# mine\nA=1\nB='x'")
    (tmp_path / ".gitignore").write_text("*.log")
    store(str(path), "PW", "p@ss/w:rd#1%")
    store(str(path), "PW", "p@ss/w:rd#1%")
    assert path.read_text() == "# mine\nA=1\nB='x'\nPW='p@ss/w:rd#1%'\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (tmp_path / ".gitignore").read_text() == "*.log\n.env\n"
    assert sorted(os.listdir(tmp_path)) == [".env", ".gitignore"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_what_is_stored_reads_back(value: str) -> None:
    """Whatever it holds; what `.env` cannot hold is refused and changes nothing."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, ".env")
        try:
            store(path, "PW", value)
        except EnvFileError:
            assert not os.path.exists(path)
        else:
            with open(path, encoding="utf-8", newline="") as file:
                assert parse(file.read()) == {"PW": value}


def test_another_value_is_never_overwritten(tmp_path: Path) -> None:
    """The message names the variable, not what it holds."""
    path = tmp_path / ".env"
    path.write_text("PW=one\n")
    with pytest.raises(EnvFileError, match="`PW` has another value") as caught:
        store(str(path), "PW", "c4n4ry")
    assert "c4n4ry" not in str(caught.value)
    assert path.read_text() == "PW=one\n"


def test_a_link_is_left_alone(tmp_path: Path) -> None:
    """A repository could make `.env` point anywhere."""
    (tmp_path / "target").write_text("")
    (tmp_path / ".env").symlink_to(tmp_path / "target")
    with pytest.raises(EnvFileError, match="is a link"):
        store(str(tmp_path / ".env"), "PW", "x")
    assert (tmp_path / "target").read_text() == ""


def test_a_tracked_file_is_left_alone(tmp_path: Path) -> None:
    """A secret in it would be in the next commit."""
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    for command in (["init", "-q"], ["add", ".env"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    with pytest.raises(EnvFileError, match="is tracked by git"):
        store(str(path), "PW", "x")
    assert path.read_text() == "A=1\n"


@pytest.mark.parametrize("later", ["", "C=3\n"])
@pytest.mark.parametrize("ignored", [None, "*.log", "*.log\n"])
@pytest.mark.parametrize("before", [None, "", "XPW=1\n# PW=1\n", "A=1"])
def test_what_is_stored_can_be_taken_back(
    tmp_path: Path, before: str | None, ignored: str | None, later: str
) -> None:
    """Both files are as they were, with what came later; once it is gone nothing happens."""
    path, listed = tmp_path / ".env", tmp_path / ".gitignore"
    for file, text in ((path, before), (listed, ignored)):
        if text is not None:
            file.write_text(text)
    withdraw = store(str(path), "PW", "1")
    assert withdraw is not None
    assert store(str(path), "PW", "1") is None
    path.write_text(path.read_text() + later)
    withdraw()
    if later:
        assert path.read_text() == (f"{before}\n" if before == "A=1" else before or "") + later
    else:
        assert (path.read_text() if path.exists() else None) == before
    assert (listed.read_text() if listed.exists() else None) == ignored
    if path.exists():
        withdraw()
        assert "\nPW=" not in f"\n{path.read_text()}"


def test_lines_that_make_no_sense_are_left_out_quietly(caplog: pytest.LogCaptureFixture) -> None:
    """The names and values of the others are there; nothing is logged."""
    assert parse("A=1\n= ?\nB=2\n'") == {"A": "1", "B": "2"}
    assert caplog.text == ""
