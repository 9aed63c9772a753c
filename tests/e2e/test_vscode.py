"""The extension in the real VS Code, in a browser: what a person sees and does."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.cli.conftest import write
from tests.services import vscode
from tests.services.browser import chromium
from tests.services.processes import Server
from tests.services.workbench import Workbench

CONNECTIONS = """\
version: 1
connections:
  mysql:
    shop:
      host: {mariadb.host}
      port: {mariadb.port}
      database: shop
      user: reader
      password: ${{SHOP_PASSWORD}}
  postgres:
    billing:
      host: {postgres.host}
      port: {postgres.port}
      database: shop
      user: reader
      password: ${{BILLING_PASSWORD}}
"""
PIPELINE = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.shpo"
      table: orders
"""
STRANGE = """\
version: 1
connections:
  sqlite:
    shop: {path: shop.sqlite}
"""
MENDED = PIPELINE.replace("shpo", "shop")
MORE = MENDED.replace("name: orders", "name: more")


@pytest.fixture
def project(tmp_path: Path, mariadb: Server, postgres: Server) -> Path:
    """A project with a wrong alias in a pipeline, and a wrong password in `.env`."""
    folder = tmp_path / "project"
    dotenv = f"SHOP_PASSWORD='{mariadb.password}'\nBILLING_PASSWORD=wrong\n"
    write(
        folder,
        {
            "osiris_connections.yaml": CONNECTIONS.format(mariadb=mariadb, postgres=postgres),
            "pipelines/orders.yaml": PIPELINE,
            "pipelines/more.yaml": MORE,
            ".env": dotenv,
            ".gitignore": ".env\n",
        },
    )
    return folder


def test_a_project_in_vscode(tmp_path: Path, project: Path, extension: Path) -> None:
    """Squiggle, hover, quick fix, completion, definition, rename, and the Connections view."""
    settings = {"osiris.path": str(Path(sys.executable).with_name("osiris-lsp"))}
    variables = {name: str(tmp_path / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    serving = vscode.serving(
        tmp_path / "vscode", [extension], settings, variables, "--disable-workspace-trust"
    )
    with serving as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 620})
        bench = Workbench(page, address, project, "pipelines/orders.yaml")
        with bench.pictured(tmp_path / "failed.png"):
            bench.shown("orders.yaml")
            find(bench, tmp_path)
            fix(bench, project)
            complete(bench, project)
            rename(bench, project)
            examine(bench, tmp_path)


def test_a_strangers_project_in_vscode(tmp_path: Path, extension: Path) -> None:
    """Without trust only the extension's own server runs, the doctor is off, and checks work."""
    folder = tmp_path / "project"
    write(folder, {"osiris_connections.yaml": STRANGE, "pipelines/orders.yaml": PIPELINE})
    write(folder, {"osiris_lsp/__init__.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n"})
    settings = {"osiris.path": str(Path(sys.executable).with_name("osiris-lsp"))}
    variables = {name: str(tmp_path / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    with (
        vscode.serving(tmp_path / "vscode", [extension], settings, variables) as address,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1100, "height": 620})
        bench = Workbench(page, address, folder, "pipelines/orders.yaml")
        with bench.pictured(tmp_path / "failed.png"):
            page.locator(".monaco-dialog-box .monaco-button", has_text="No, I don").click()
            own = page.get_by_role("button", name="by environment of this extension")
            expect(own).to_be_visible(timeout=240_000)
            expect(page.locator(".squiggly-error")).to_have_count(1)
            bench.command("Osiris: Run Doctor on All Connections")
            told = page.locator(".notifications-toasts")
            expect(told).to_contain_text("the doctor is off because this workspace is not trusted")

            # Trust is what the setting waits for.
            bench.command("Workspaces: Manage Workspace Trust")
            page.locator(".workspace-trust-editor .monaco-button", has_text="Trust").first.click()
            expect(page.get_by_role("button", name="by setting osiris.path")).to_be_visible()
    assert not (tmp_path / "ran").exists()


def find(bench: Workbench, pictures: Path) -> None:
    """The wrong alias is underlined from its first to its last character; a hover says why."""
    page = bench.page
    # The line is `      connection: "@mysql.shpo"`.
    expect(page.locator(".squiggly-error")).to_have_count(1)
    start, end = bench.go(8, 19), bench.go(8, 32)
    bench.go(8, 24)
    page.keyboard.press("Control+K")
    page.keyboard.press("Control+I")
    hover = page.locator(".monaco-hover:visible", has_text="is not defined")
    expect(hover).to_contain_text("did you mean `@mysql.shop`")
    page.screenshot(path=pictures / "findings.png")
    page.keyboard.press("Escape")
    assert bench.squiggles(8) == [pytest.approx((start["x"], end["x"]), abs=2.0)]


def fix(bench: Workbench, project: Path) -> None:
    """The quick fix, from the keyboard, leaves nothing underlined."""
    page = bench.page
    bench.go(8, 24)
    page.keyboard.press("Control+.")
    chosen = page.locator(".action-widget .monaco-list-row.focused")
    expect(chosen).to_contain_text("Change to `@mysql.shop`")
    page.keyboard.press("Enter")
    expect(page.locator(".squiggly-error")).to_have_count(0)
    bench.saved({project / "pipelines/orders.yaml": MENDED})


def complete(bench: Workbench, project: Path) -> None:
    """Aliases are offered behind `@`, and the chosen one stands there once."""
    page = bench.page
    bench.go(8, 32)
    page.keyboard.press("Shift+Home")
    page.keyboard.type('connection: "@')
    bench.suggestion("mysql.shop").click()
    expect(page.locator(".squiggly-error")).to_have_count(0)
    bench.saved({project / "pipelines/orders.yaml": MENDED})


def rename(bench: Workbench, project: Path) -> None:
    """The definition is in another file, and renaming it there changes both pipelines."""
    page, connections = bench.page, project / "osiris_connections.yaml"
    before = connections.read_text()
    bench.go(8, 28)
    page.keyboard.press("F12")
    bench.shown("osiris_connections.yaml")
    bench.at(4, 5)
    page.keyboard.press("F2")
    page.locator(".rename-box input").fill("store")
    page.keyboard.press("Enter")
    expect(page.locator(".view-line", has_text="store:")).to_be_visible()
    renamed = {
        project / "pipelines/orders.yaml": MENDED.replace("shop", "store"),
        project / "pipelines/more.yaml": MORE.replace("shop", "store"),
        connections: before.replace("    shop:\n", "    store:\n"),
    }
    bench.saved(renamed)


def examine(bench: Workbench, pictures: Path) -> None:
    """The doctor asks before it connects; the view tells what it found and where that stands."""
    page = bench.page
    bench.command("Osiris: Run Doctor on All Connections")
    question = page.locator(".notifications-toasts")
    expect(question).to_contain_text("@postgres.billing")
    question.locator(".monaco-button", has_text="Allow").click()
    expect(bench.row("store")).to_contain_text(" ms · just now")
    expect(bench.row("billing")).to_contain_text("auth · just now")
    expect(bench.row("store").locator(".codicon-pass-filled")).to_have_count(1)
    expect(bench.row("billing").locator(".codicon-error")).to_have_count(1)
    expect(page.locator(".squiggly-error")).to_have_count(1)
    page.screenshot(path=pictures / "connections.png")
    bench.row("billing").click()
    bench.at(11, 12)  # the alias is selected

    bench.command("Notifications: Clear All Notifications")
    bench.go(11, 8)
    page.keyboard.press("Control+K")
    page.keyboard.press("Control+I")
    page.locator(".monaco-hover:visible a", has_text="Run doctor").click()
    expect(bench.row("billing")).to_contain_text("auth")
