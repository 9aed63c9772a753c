"""Requests of our own: the list of connections, their usages, new ones, and what has changed."""

import asyncio
from typing import Any

import pytest
from pygls.exceptions import JsonRpcException

from tests.cli.conftest import write
from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor
from tests.lsp.recording import Session

CANARY = "c4n4ry-tractor-9"


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trust store of the test's own, and one of two passwords."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("REPLICA_PASSWORD", CANARY)


@pytest.fixture
def session(editor: Editor) -> Session:
    """A user before the project."""
    return Session(editor)


def _range(editor: Editor, uri: str, before: str, length: int) -> dict[str, Any]:
    start, end = editor.at(uri, before, -length), editor.at(uri, before)
    return {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }


@pytest.mark.asyncio
async def test_connections_are_listed_with_all_that_a_view_shows(session: Session) -> None:
    """As DESIGN section 8 has it; values never, names of variables only."""
    editor = session.editor
    write(editor.folder, {"sub.yaml": PIPELINE.replace("@mysql.default", "@mysql")})
    uri = editor.open("osiris_connections.yaml")
    listed = await session.request("osiris/connections")
    ids = [item.pop("id") for item in listed]
    assert len(set(ids)) == 3
    assert listed == [
        {
            "family": "mysql",
            "alias": "default",
            "uri": uri,
            "range": _range(editor, uri, "mysql:\n    default", 7),
            "default": True,
            "env": {"set": [], "missing": ["MYSQL_DEFAULT_PASSWORD"]},
            "usages": 2,
            "health": None,
        },
        {
            "family": "mysql",
            "alias": "replica",
            "uri": uri,
            "range": _range(editor, uri, "    replica", 7),
            "default": False,
            "env": {"set": ["REPLICA_PASSWORD"], "missing": []},
            "usages": 0,
            "health": None,
        },
        {
            "family": "duckdb",
            "alias": "local",
            "uri": uri,
            "range": _range(editor, uri, "    local", 5),
            "default": False,
            "env": {"set": [], "missing": []},
            "usages": 0,
            "health": None,
        },
    ]
    assert CANARY not in session.traffic


@pytest.mark.asyncio
async def test_health_joins_the_list_and_the_client_is_told(session: Session) -> None:
    """A client that has asked for the list hears of results and of edits, once each."""
    editor = session.editor
    uri = editor.open("osiris_connections.yaml")
    editor.change(uri, CONNECTIONS)
    await asyncio.sleep(0.3)
    assert "osiris/connectionsChanged" not in session.notified
    listed = await session.request("osiris/connections")
    changed = editor.client.protocol.wait_for_notification_async("osiris/connectionsChanged")
    await session.command("osiris.doctor", {"ids": [listed[2]["id"]]})
    await asyncio.wait_for(changed, 5)
    health = (await session.request("osiris/connections"))[2]["health"]
    assert list(health) == ["ok", "category", "message", "latency_ms", "checked_at", "stale"]
    assert (health["ok"], health["stale"]) == (True, False)
    changed = editor.client.protocol.wait_for_notification_async("osiris/connectionsChanged")
    editor.change(uri, CONNECTIONS.replace("./local.duckdb", "./other.duckdb"))
    await asyncio.wait_for(changed, 5)
    health = (await session.request("osiris/connections"))[2]["health"]
    assert health["stale"]


@pytest.mark.asyncio
async def test_usages_are_the_steps_that_name_a_connection(session: Session) -> None:
    """In open and closed files, by opaque id or by reference."""
    editor = session.editor
    write(editor.folder, {"sub.yaml": PIPELINE.replace('"@mysql.default"', '"@mysql"')})
    uri = editor.open("pipelines/orders.yaml", PIPELINE.replace("steps:", "# 😀\nsteps:"))
    found = await session.request("osiris/usages", {"id": "@mysql.default"})
    assert [item["step"] for item in found] == ["extract-orders", "extract-orders"]
    assert found[0]["uri"] == uri
    assert found[0]["range"] == _range(editor, uri, '"@mysql.default"', 16)
    assert found[1]["uri"] == editor.uri("sub.yaml")
    with pytest.raises(JsonRpcException, match="there is no connection"):
        await session.request("osiris/usages", {"id": "nope"})


@pytest.mark.asyncio
async def test_a_connection_is_added_by_an_edit(session: Session) -> None:
    """A skeleton of what the family needs, secrets as variables, into the unsaved text."""
    editor = session.editor
    uri = editor.open(
        "osiris_connections.yaml", CONNECTIONS.replace("  duckdb:", "  # 😀\n  duckdb:")
    )
    done = await session.request("osiris/addConnection", {"family": "shopify", "alias": "eu"})
    assert (done["applied"], done["uri"]) == (True, uri)
    after = session.edited(uri)
    assert after == editor.texts[uri] + (
        "  shopify:\n    eu:\n      shop_domain: my-store.myshopify.com\n"
        '      access_token: "${SHOPIFY_EU_ACCESS_TOKEN}"\n'
    )
    editor.change(uri, after)
    assert done["range"] == _range(editor, uri, "    eu", 2)
    assert done["id"] in [item["id"] for item in await session.request("osiris/connections")]
    for family, alias, message in (
        ("shopfy", "eu", "did you mean `shopify`"),
        ("shopify", "eu", "exists already"),
        ("shopify", "No-Name", "is no alias"),
    ):
        with pytest.raises(JsonRpcException, match=message):
            await session.request("osiris/addConnection", {"family": family, "alias": alias})


@pytest.mark.asyncio
async def test_the_first_connection_makes_the_file(session: Session) -> None:
    """Where the client makes files; others are told to."""
    editor = session.editor
    (editor.folder / "osiris_connections.yaml").unlink()
    editor.open("pipelines/orders.yaml")
    capabilities = editor.client.capabilities
    workspace = capabilities.workspace if capabilities is not None else None
    support = workspace.workspace_edit if workspace is not None else None
    request = {"family": "sqlite", "alias": "local"}
    if support is None or not support.resource_operations:
        with pytest.raises(JsonRpcException, match="make it first"):
            await session.request("osiris/addConnection", request)
        return
    done = await session.request("osiris/addConnection", request)
    assert done["uri"] == editor.uri("osiris_connections.yaml")
    assert session.edited(done["uri"]) == (
        "version: 1\n\nconnections:\n  sqlite:\n    local:\n      path: ./data/local.sqlite\n"
    )
