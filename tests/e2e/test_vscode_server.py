"""Which server the extension takes in the real VS Code, and what it says where there is none."""

import os
import sys
from pathlib import Path

from playwright.sync_api import expect

from tests.cli.conftest import write
from tests.services import vscode
from tests.services.browser import chromium
from tests.services.processes import free_port
from tests.services.workbench import Workbench

SCRIPTS = Path(sys.executable).parent
MAKING = 240_000  # milliseconds, in which an environment is made, or cannot be
PIPELINE = """\
oml_version: "0.1.0"
name: orders
steps: []
"""
PYTHON = {
    "publisher": "ms-python",
    "name": "python",
    "contributes": {
        "commands": [
            {
                "command": "python.setInterpreter",
                "category": "Python",
                "title": "Select Interpreter",
            }
        ]
    },
}


def test_the_server_is_chosen_in_order(tmp_path: Path, extension: Path) -> None:
    """Offline nothing serves and it is said; then `PATH`, an interpreter, and a setting do."""
    folder, programs = tmp_path / "project", tmp_path / "bin"
    write(folder, {"pipelines/orders.yaml": PIPELINE})
    programs.mkdir()
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    variables = {
        "PATH": f"{programs}{os.pathsep}{os.defpath}",
        "PIP_INDEX_URL": f"http://127.0.0.1:{free_port()}/",  # where nothing listens
        "PIP_RETRIES": "0",
        **{name: str(tmp_path / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")},
    }
    stand_in = vscode.packed(tmp_path, PYTHON, Path(__file__).with_name("python.js"))
    data = tmp_path / "vscode"
    serving = vscode.serving(
        data, [extension, stand_in], {}, variables, "--disable-workspace-trust"
    )
    with serving as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 620})
        bench = Workbench(page, address, folder, "pipelines/orders.yaml")
        with bench.pictured(tmp_path / "failed.png"):
            bench.shown("orders.yaml")
            told = page.locator(".notifications-toasts")
            failed = "the environment of the server could not be made"
            expect(told).to_contain_text(failed, timeout=MAKING)
            expect(told).to_contain_text("offline, install `osiris-lsp`")
            page.screenshot(path=tmp_path / "offline.png")
            assert not list(data.glob("data/User/globalStorage/osiris-lsp.*/osiris_lsp-*"))

            (programs / "osiris-lsp").symlink_to(SCRIPTS / "osiris-lsp")
            bench.command("Osiris: Restart Server")
            serves(bench, "PATH")

            bench.command("Python: Select Interpreter")
            page.locator(".quick-input-widget input").first.fill(sys.executable)
            page.keyboard.press("Enter")
            serves(bench, "interpreter of the Python extension")

            vscode.configure(data, {"osiris.interpreter": sys.executable})
            serves(bench, "setting osiris.interpreter")
            bench.command("Osiris: Show Debug Information")
            line = page.locator(".view-line", has_text='"chosen"')
            expect(line).to_contain_text("setting osiris.interpreter")
            expect(page.locator(".view-line", has_text='"trusted": true')).to_be_visible()
            page.screenshot(path=tmp_path / "debug.png")
            expect(page.locator(".notification-list-item", has_text="failed")).to_have_count(0)

            vscode.configure(data, {"osiris.path": str(tmp_path / "none")})
            expect(page.get_by_role("button", name="which does not exist")).to_be_visible()
            vscode.configure(data, {"osiris.path": str(SCRIPTS / "osiris-lsp")})
            serves(bench, "setting osiris.path")


def serves(bench: Workbench, reason: str) -> None:
    """Wait until the item in the status bar says that the server runs, and why this one."""
    item = bench.page.get_by_role("button", name=f"by {reason}")
    expect(item).to_be_visible(timeout=MAKING)
