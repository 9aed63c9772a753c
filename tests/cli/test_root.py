"""`osiris-lsp root`: which files an editor starts the server for."""

import subprocess
import sys
from pathlib import Path

import pytest

from osiris_lsp.discovery import detect_kind
from tests import golden
from tests.cli.conftest import PIPELINE, Run, write
from tests.rules.test_golden import CASES
from tests.test_discovery import FOREIGN, OURS, families


def asked(path: Path, text: str) -> tuple[int, str]:
    """Return the exit code and what is printed for a text that is not on disk."""
    done = subprocess.run(
        [sys.executable, "-m", "osiris_lsp", "root", "--stdin", str(path)],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_yaml_has_no_root(name: str, tmp_path: Path, run: Run) -> None:
    """It is not ours, wherever it lies."""
    path, text = FOREIGN[name]
    write(tmp_path, {".git/HEAD": "", path: text})
    result = run("root", str(tmp_path / path))
    assert (result.code, result.out, result.err) == (1, "", "")


@pytest.mark.parametrize("name", OURS)
def test_ours_has_the_root_of_its_project(name: str, tmp_path: Path, run: Run) -> None:
    """The nearest marker, else the repository."""
    path, text, _ = OURS[name]
    write(tmp_path, {".git/HEAD": "", "a/osiris.yaml": "", f"a/b/{path}": text})
    root = tmp_path / "a"
    if path == "osiris_connections.yaml":
        root = (root / "b" / path).parent
    result = run("root", str(tmp_path / "a/b" / path))
    assert (result.code, result.out) == (0, f"{root}\n")


def test_the_files_of_rules_are_told_as_the_linter_tells_them(tmp_path: Path, run: Run) -> None:
    """Each input of each rule is ours exactly where the linter says so."""
    told, expected = {}, {}
    for path in CASES:
        case = golden.read(path)
        for name, text in case.files.items():
            if not name.endswith((".yaml", ".yml")) or not text.strip():
                continue
            place = tmp_path / case.rule / path.stem / name
            write(place.parent, {place.name: text})
            told[place] = run("root", str(place)).code
            expected[place] = int(detect_kind(str(place), text, families) == "other")
    assert set(expected.values()) == {0, 1}
    assert expected == told


def test_a_text_that_is_not_on_disk_is_read_from_standard_input(tmp_path: Path) -> None:
    """An empty one is ours in a project of ours only."""
    write(tmp_path, {"ours/osiris.yaml": "", "other/pyproject.toml": "[project]\n"})
    ours, other = tmp_path / "ours", tmp_path / "other"
    assert asked(ours / "pipelines/new.yaml", "") == (0, f"{ours}\n")
    assert asked(other / "pipelines/new.yaml", "") == (1, "")
    assert asked(other / "new.yaml", PIPELINE) == (0, f"{other}\n")


def test_a_dotenv_is_ours_in_a_project_only(tmp_path: Path, run: Run) -> None:
    """Nothing else that is not YAML is."""
    write(
        tmp_path, {"ours/osiris-lsp.toml": "", "ours/.env": "", "ours/a.sh": "", "other/.env": ""}
    )
    assert run("root", str(tmp_path / "ours/.env")).code == 0
    assert run("root", str(tmp_path / "ours/a.sh")).code == 1
    assert run("root", str(tmp_path / "other/.env")).code == 1


def test_a_family_of_the_project_counts(tmp_path: Path, run: Run) -> None:
    """What only the settings know is known."""
    family = '{"x-family": "acme", "type": "object", "properties": {}}'
    settings = 'families = ["families/*.json"]\n'
    text = "connections:\n  acme:\n    main: {}\n"
    write(tmp_path, {"families/acme.json": family, "osiris-lsp.toml": settings, "x.yaml": text})
    assert run("root", str(tmp_path / "x.yaml")).code == 0


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, run: Run) -> None:
    """The message says how to give a text."""
    result = run("root", str(tmp_path / "none.yaml"))
    assert (result.code, "`--stdin` takes its text" in result.err) == (2, True)
