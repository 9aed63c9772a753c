"""What tests of editors share."""

from pathlib import Path

import pytest

from tests.services import vscode
from tests.services.plugin import once
from tests.services.run import Run

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def extension(service_run: Run) -> Path:
    """The built extension; skipped, or failed in CI, where npm cannot give what it needs."""

    def make(folder: Path) -> Path:
        vscode.program()
        modules = vscode.extension_packages(ROOT / "editors/vscode/package-lock.json")
        return vscode.built(ROOT, folder, modules)

    return once(service_run, "vscode", make)
