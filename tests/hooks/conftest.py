"""A project with one mistake, and this environment's programs first on PATH."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import CONNECTIONS, PIPELINE, write

ROOT = Path(__file__).parent.parent.parent
HOOKS = ROOT / "hooks"
SCRIPTS = Path(sys.executable).parent


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A project whose pipeline names an alias that there is not."""
    folder = tmp_path / "project"
    pipeline = PIPELINE.replace("mysql.default", "mysql.prod")
    write(folder, {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": pipeline})
    (folder / ".git").mkdir()
    return folder


@pytest.fixture
def variables() -> Mapping[str, str]:
    """The environment without anything that a CI system, a hook or a colour setting left there."""
    foreign = ("GITHUB_", "INPUT_", "RUNNER_", "CI_", "BUILD_", "GIT_", "FORCE_COLOR", "OSIRIS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "PATH": f"{SCRIPTS}{os.pathsep}{kept['PATH']}"}
