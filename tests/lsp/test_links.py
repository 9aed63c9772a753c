"""Document links in three editors: only to files that are there, inside the project."""

import os

import pytest
from lsprotocol import types

from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor


async def links(editor: Editor, uri: str) -> list[tuple[str, str | None, str | None]]:
    """Return the text, target and tooltip of each link."""
    found = await editor.client.text_document_document_link_async(
        types.DocumentLinkParams(editor.document(uri))
    )
    return [(editor.text(uri, link.range), link.target, link.tooltip) for link in found or ()]


@pytest.mark.asyncio
async def test_fields_with_paths_link(editor: Editor) -> None:
    """Databases, TLS files, nested ones too, and folders; what is not there does not link."""
    for name in ("local.duckdb", "ca.pem", "key 😀.pem"):
        (editor.folder / name).touch()
    (editor.folder / "exports").mkdir()
    text = CONNECTIONS.replace(
        "port: 3306", 'ssl: {ca: ca.pem, cert: missing.pem, key: "😀/../key 😀.pem"}'
    )
    text += "  filesystem:\n    out: {base_dir: ./exports}\n"
    uri = editor.open("osiris_connections.yaml", text)
    assert [link[:2] for link in await links(editor, uri)] == [
        ("ca.pem", editor.uri("ca.pem")),
        ("😀/../key 😀.pem", editor.uri("key 😀.pem")),
        ("./local.duckdb", editor.uri("local.duckdb")),
        ("./exports", editor.uri("exports")),
    ]


@pytest.mark.asyncio
async def test_paths_of_a_step_count_from_its_connection(editor: Editor) -> None:
    """`base_dir` comes first, then the root of the project; tooltips for clients that show them."""
    exports = editor.folder / "exports"
    exports.mkdir()
    (exports / "orders.csv").touch()
    editor.open(
        "osiris_connections.yaml",
        CONNECTIONS + "  filesystem:\n    default: {base_dir: ./exports}\n",
    )
    uri = editor.open("pipelines/orders.yaml")
    capabilities = editor.client.capabilities
    assert capabilities is not None
    assert capabilities.text_document is not None
    support = capabilities.text_document.document_link
    tooltip = "Open the file" if support is not None and support.tooltip_support else None
    target = editor.uri("exports/orders.csv")
    assert await links(editor, uri) == [("./orders.csv", target, tooltip)]


@pytest.mark.asyncio
async def test_comments_link_the_schema_and_the_connections(editor: Editor) -> None:
    """A modeline by URL or path, and the connections file by its name."""
    (editor.folder / "own.json").touch()
    text = (
        "# yaml-language-server: $schema=https://example.com/s.json\n"
        "# yaml-language-server: $schema=../own.json\n"
        f"# 😀 see ../osiris_connections.yaml\n{PIPELINE}"
    )
    uri = editor.open("pipelines/orders.yaml", text)
    assert [link[:2] for link in await links(editor, uri)] == [
        ("https://example.com/s.json", "https://example.com/s.json"),
        ("../own.json", editor.uri("own.json")),
        ("../osiris_connections.yaml", editor.uri("osiris_connections.yaml")),
    ]


@pytest.mark.asyncio
async def test_nothing_outside_the_project_links(editor: Editor) -> None:
    """Neither by `..`, nor by an absolute path, a symbolic link, a variable or a scheme."""
    outside = editor.folder.parent / f"{editor.folder.name}-outside.pem"
    outside.touch()
    os.symlink(outside, editor.folder / "link.pem")
    names = (f"../{outside.name}", str(outside), "link.pem", "${HOME}", "file:///etc/passwd")
    entries = "".join(
        f'    a{index}: {{host: h, ssl_ca: "{name}"}}\n' for index, name in enumerate(names)
    )
    text = (
        "# yaml-language-server: $schema=command:x\n"
        "# yaml-language-server: $schema=file:///etc/passwd\n"
        f"version: 1\nconnections:\n  mysql:\n{entries}"
    )
    uri = editor.open("osiris_connections.yaml", text)
    assert await links(editor, uri) == []
