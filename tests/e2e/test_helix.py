"""Our settings for Helix in a real one, compared with what the shell says."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import write
from tests.e2e.test_neovim import CONNECTIONS, PIPELINE
from tests.services import helix as editor
from tests.services.plugin import once
from tests.services.run import Run
from tests.services.terminal import Terminal, terminal

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with faults behind emojis."""
    folder = tmp_path / "project"
    write(folder, {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": PIPELINE})
    (folder / ".git").mkdir()
    return folder


@pytest.fixture
def helix(service_run: Run, tmp_path: Path, project: Path) -> Iterator[Terminal]:
    """Helix with our settings and an open pipeline."""
    command, variables = once(service_run, "Helix", lambda _: editor.helix())
    home = tmp_path / "home"
    (home / "helix").mkdir(parents=True)
    shutil.copy(ROOT / "editors/helix/languages.toml", home / "helix")
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    environment: Mapping[str, str] = {
        **variables,
        **dict.fromkeys(homes, str(home)),
        "LC_ALL": "C.UTF-8",
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
    }
    opened = [*command, "pipelines/orders.yaml"]
    with terminal(home / "tmux", project, environment, opened) as window:
        yield window


def findings(project: Path) -> list[dict[str, Any]]:
    """Return what the shell finds in the pipeline."""
    done = subprocess.run(
        [str(SCRIPTS / "osiris-lsp"), "lint", "--no-cache", "--format", "json"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["findings"]
    return [item for item in found if item["path"] == "pipelines/orders.yaml"]


def test_helix_shows_what_the_shell_finds(helix: Terminal, project: Path) -> None:
    """Diagnostics at their places, a hover, a quick fix, and a rename over two files."""
    expected = sorted(findings(project), key=lambda item: (item["line"], item["column"]))
    assert expected
    helix.shows(f"● {len(expected)} ")
    for item in expected:
        helix.keys("]d")  # selects it; the cursor is on its last character, then on its first
        helix.shows(f" {item['end_line']}:{item['end_column'] - 1}\n")
        helix.keys("M-;")
        helix.shows(f" {item['line']}:{item['column']}\n")
    helix.keys("Space", "d")
    helix.shows(*(f"{item['code']} {item['message']}" for item in expected))
    helix.keys("Escape")

    helix.keys("gg", "/", "@mysql.ma", "Enter", "Space", "k")
    helix.shows("db.example.com")
    helix.keys("Escape", "/", "@mysql.mi", "Enter", "Space", "a")
    helix.shows("Change to `@mysql.main`")
    helix.keys("Enter")
    helix.shows('"@mysql.main"}\n')
    helix.keys(":w", "Enter")
    pipeline, fixed = project / "pipelines/orders.yaml", PIPELINE.replace(".mian", ".main")
    helix.wait(lambda: pipeline.read_text() == fixed)

    helix.keys(":o osiris_connections.yaml", "Enter")
    helix.shows("# 😀 ours")
    helix.keys("/", "    main", "Enter", ";", "Space", "r")
    helix.shows("rename-to:main")
    helix.keys("C-u", "prime", "Enter")
    helix.shows("prime:")
    helix.keys(":wa", "Enter")
    renamed = fixed.replace("@mysql.main", "@mysql.prime")
    helix.wait(lambda: pipeline.read_text() == renamed)
    # It writes one file after the other.
    connections = project / "osiris_connections.yaml"
    shop = CONNECTIONS.replace("    main:", "    prime:")
    helix.wait(lambda: connections.read_text() == shop)
