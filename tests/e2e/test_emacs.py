"""Our set-up for Emacs in a real one, with each of its clients, compared with the shell."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import write
from tests.e2e.test_neovim import CONNECTIONS, FOREIGN, PIPELINE
from tests.services import emacs as editor
from tests.services.plugin import once
from tests.services.run import Run

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = Path(sys.executable).parent


@pytest.fixture(scope="session")
def emacs(service_run: Run) -> tuple[list[str], Mapping[str, str]]:
    """The command of Emacs and its variables."""
    return once(service_run, "Emacs", lambda _: editor.emacs())


# lsp-mode 8.0 counts in UTF-16 what Emacs counts in characters: behind an emoji it is off by one.
@pytest.mark.parametrize(
    ("client", "pipeline", "shown"),
    [
        ("eglot", PIPELINE, "osiris [{code}]: {message}"),
        ("lsp-mode", PIPELINE.replace("😀", "é"), "{message}"),
    ],
    ids=["eglot", "lsp-mode"],
)
def test_emacs_shows_what_the_shell_finds(
    emacs: tuple[list[str], Mapping[str, str]],
    client: str,
    pipeline: str,
    shown: str,
    tmp_path: Path,
) -> None:
    """Diagnostics, a hover, a quick fix and a rename in ours; no server for foreign YAML."""
    folder, home = tmp_path / "project", tmp_path / "home"
    home.mkdir()
    files = {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": pipeline, **FOREIGN}
    write(folder, files)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    command, variables = emacs
    foreign = [path for path in FOREIGN if path.endswith((".yaml", ".yml"))]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OSIRIS_")},
        **dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), str(home)),
        "LC_ALL": "C.UTF-8",
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
        "OSIRIS_EL": str(ROOT / "editors/emacs/osiris.el"),
        "OSIRIS_CLIENT": client,
        "OSIRIS_ANSWER": str(home / "answer.json"),
        "OSIRIS_FOREIGN": "\n".join(foreign),
    }
    done = subprocess.run(
        [*command, "-Q", "--batch", "-l", str(Path(__file__).with_name("emacs.el"))],
        cwd=folder,
        env={**environment, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads((home / "answer.json").read_text(encoding="utf-8"))
    linted = subprocess.run(
        [str(SCRIPTS / "osiris-lsp"), "lint", "--no-cache", "--format", "json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [item for item in json.loads(linted.stdout)["findings"] if "orders" in item["path"]]
    places = ("line", "column", "end_line", "end_column")
    expected = sorted([shown.format_map(item), *(item[name] for name in places)] for item in found)
    assert expected
    assert sorted(told["diagnostics"]) == expected
    assert told["foreign"] == []
    assert "db.example.com" in told["hover"].replace("\\", "")
    fixed = pipeline.replace("@mysql.mian", "@mysql.main")
    assert (told["before"], told["after"]) == (pipeline, fixed)
    assert told["renamed"] == fixed.replace("extract-orders", "read-orders")
