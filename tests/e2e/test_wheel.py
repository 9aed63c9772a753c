"""The built wheel in a clean environment, with no checkout on the path."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from osiris_lsp.rules import RULES
from osiris_lsp.specs import schema_names

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the scripts of a clean environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    command = [str(scripts / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return scripts


def _run(scripts: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [str(scripts / args[0]), *args[1:]]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=environment
    )


def test_the_wheel_carries_schemas_rule_pages_and_demo(wheel: Path) -> None:
    """Everything that the package reads at run time is in it."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for family in schema_names("families"):
        assert f"osiris_lsp/_schemas/families/{family}.json" in names
    for rule in RULES:
        assert f"osiris_lsp/_docs/rules/{rule}.md" in names
    assert [name for name in names if name.endswith("data/share/man/man1/osiris-lsp.1")]
    assert "osiris_lsp/demo/osiris_connections.yaml" in names
    assert "osiris_lsp/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "schemas/"))]


def test_the_installed_commands_work(scripts: Path, tmp_path: Path) -> None:
    """Demo, lint, rule, schema and version run from the wheel alone."""
    demo = _run(scripts, tmp_path, "osiris-lsp", "demo", "example")
    assert demo.returncode == 0, demo.stderr
    assert "unknown-alias" in demo.stdout
    linted = _run(scripts, tmp_path / "example", "osiris-lsp", "lint", "--format", "json")
    assert linted.returncode == 1
    assert json.loads(linted.stdout)["summary"]["errors"] > 0
    assert json.loads(_run(scripts, tmp_path, "osiris-lsp", "schema", "connections").stdout)
    version = _run(scripts, tmp_path, "osiris-lsp", "version").stdout
    assert "osiris-lsp 0." in version
    assert "complete " in _run(scripts, tmp_path, "osiris-lsp", "completions", "bash").stdout
    assert (scripts.parent / "share/man/man1/osiris-lsp.1").is_file()
    page = "from osiris_lsp.ruledoc import page; print(page('unknown-alias'))"
    shown = Path(_run(scripts, tmp_path, "python", "-c", page).stdout.strip())
    assert shown.is_relative_to(scripts.parent)
    assert shown.read_text().startswith("# unknown-alias")
    missing = _run(scripts, tmp_path, "osiris", "run")
    assert missing.returncode == 2
    where = "import osiris_lsp; print(osiris_lsp.__file__)"
    found = _run(scripts, tmp_path, "python", "-c", where).stdout
    assert str(ROOT) not in found
