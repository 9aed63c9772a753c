"""What tests of editors share."""

from pathlib import Path

import pytest

from tests.services import vscode
from tests.services.plugin import once
from tests.services.run import Run

ROOT = Path(__file__).parent.parent.parent
LOCK = ROOT / "editors/vscode/package-lock.json"
YAML_FILES = ["onLanguage:yaml"]
YAML_SERVER = "1.25.0"  # the last one for Node 20


@pytest.fixture(scope="session")
def extension(service_run: Run) -> Path:
    """The built extension; skipped, or failed in CI, where npm cannot give what it needs."""

    def make(folder: Path) -> Path:
        vscode.program()
        return vscode.built(ROOT, folder, vscode.extension_packages(LOCK))

    return once(service_run, "vscode", make)


@pytest.fixture(scope="session")
def yaml_extension(service_run: Run) -> Path:
    """An extension for all YAML, with the server of the one that most people have."""

    def make(folder: Path) -> Path:
        server = vscode.installed("yaml-language-server", YAML_SERVER) / "out/server/src/server.js"
        modules = vscode.extension_packages(LOCK)
        script = Path(__file__).with_name("yaml.js")
        main = vscode.bundled(script, folder / "main.js", modules, SERVER=str(server))
        about = {"publisher": "redhat", "name": "vscode-yaml", "activationEvents": YAML_FILES}
        return vscode.packed(folder, about, main)

    return once(service_run, "yaml extension", make)
