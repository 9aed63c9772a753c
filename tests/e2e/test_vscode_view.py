"""The Connections view and the walkthrough in the real VS Code, beside another YAML extension."""

import sys
from pathlib import Path

from playwright.sync_api import expect

from tests.cli.conftest import write
from tests.services import vscode
from tests.services.browser import chromium
from tests.services.workbench import Workbench

CONNECTIONS = """\
version: 1
connections:
  sqlite:
    shop: {path: shop.sqlite}
"""
PIPELINE = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: sqlite.extractor
    mode: read
    config: &unused
      connection: "@sqlite.shpo"
      query: SELECT 1
"""
MENDED = PIPELINE.replace("shpo", "shop")


def test_the_view_beside_another_extension(
    tmp_path: Path, extension: Path, yaml_extension: Path
) -> None:
    """Both servers answer, each for what it knows; connections are added and looked up."""
    folder = tmp_path / "project"
    write(folder, {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": PIPELINE})
    settings = {"osiris.path": str(Path(sys.executable).with_name("osiris-lsp"))}
    variables = {name: str(tmp_path / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    extensions = [extension, yaml_extension]
    serving = vscode.serving(
        tmp_path / "vscode", extensions, settings, variables, "--disable-workspace-trust"
    )
    with serving as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 620})
        bench = Workbench(page, address, folder, "pipelines/orders.yaml")
        with bench.pictured(tmp_path / "failed.png"):
            bench.shown("orders.yaml")
            share(bench, folder, tmp_path)
            add(bench, folder)
            look_up(bench, tmp_path)
            start(bench, tmp_path)


def share(bench: Workbench, folder: Path, pictures: Path) -> None:
    """Each server offers fixes for its own findings; what both answer does no harm."""
    page = bench.page
    expect(page.locator(".squiggly-error")).to_have_count(1)
    bench.go(7, 14)  # in `&unused`
    page.keyboard.press("Control+.")
    actions = page.locator(".action-widget")
    expect(actions).to_contain_text("unused anchor")
    expect(actions).not_to_contain_text("@sqlite.shop")
    page.keyboard.press("Escape")
    bench.go(8, 24)
    page.keyboard.press("Control+.")
    expect(actions).to_contain_text("Change to `@sqlite.shop`")
    expect(actions).not_to_contain_text("anchor")
    page.screenshot(path=pictures / "beside.png")
    page.keyboard.press("Enter")
    expect(page.locator(".squiggly-error")).to_have_count(0)
    bench.saved({folder / "pipelines/orders.yaml": MENDED})

    bench.go(8, 33)
    page.keyboard.press("Shift+Home")
    page.keyboard.type('connection: "@')
    bench.suggestion("sqlite.shop").click()
    bench.saved({folder / "pipelines/orders.yaml": MENDED})
    bench.go(8, 29)
    page.keyboard.press("F2")
    page.locator(".rename-box input").fill("store")
    page.keyboard.press("Enter")
    expect(page.locator(".view-line", has_text="@sqlite.store")).to_be_visible()
    bench.saved(
        {
            folder / "pipelines/orders.yaml": MENDED.replace("shop", "store"),
            folder / "osiris_connections.yaml": CONNECTIONS.replace("shop:", "store:"),
        }
    )


def add(bench: Workbench, folder: Path) -> None:
    """The button of the view asks for family and alias; the entry is written and shown."""
    page = bench.page
    bench.command("Osiris: Focus on Connections View")
    expect(bench.row("store")).to_be_visible()
    page.get_by_role("button", name="Add a Connection").click()
    given = page.locator(".quick-input-widget input").first
    given.fill("duckdb")
    expect(page.locator(".quick-input-list .monaco-list-row").first).to_contain_text("duckdb")
    page.keyboard.press("Enter")
    expect(page.locator(".quick-input-widget")).to_contain_text("@duckdb.ALIAS")
    page.keyboard.type("archive")
    page.keyboard.press("Enter")
    bench.shown("osiris_connections.yaml")
    expect(page.locator(".view-line", has_text="archive:")).to_be_visible()
    expect(bench.row("archive")).to_be_visible()


def look_up(bench: Workbench, pictures: Path) -> None:
    """The button of a row shows which steps use the connection."""
    page, row = bench.page, bench.row("store")
    row.hover()
    row.get_by_role("button", name="Show Usages").click()
    peek = page.locator(".reference-zone-widget")
    expect(peek).to_contain_text("orders.yaml")
    expect(peek.locator(".preview .view-line", has_text="@sqlite.store")).to_be_visible()
    page.screenshot(path=pictures / "usages.png")
    page.keyboard.press("Escape")


def start(bench: Workbench, pictures: Path) -> None:
    """The walkthrough has its steps and their pictures."""
    page = bench.page
    bench.command("Welcome: Open Walkthrough...")
    page.locator(".quick-input-widget input").first.fill("Start with Osiris")
    expect(page.locator(".quick-input-list .monaco-list-row").first).to_contain_text("Osiris")
    page.keyboard.press("Enter")
    page.locator(".getting-started-step", has_text="Ask the doctor").click()
    shown = page.locator(".getting-started-media img")
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("image => image.naturalWidth") > 0
    page.screenshot(path=pictures / "walkthrough.png")
