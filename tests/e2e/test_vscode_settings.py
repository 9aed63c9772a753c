"""What the extension declares, beside what the server takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.lsp import options

PACKAGE = Path(__file__).parent.parent.parent / "editors/vscode/package.json"
OWN = {"osiris.path", "osiris.interpreter", "osiris.trace.server"}


@pytest.fixture
def settings() -> dict[str, Any]:
    """The settings of the extension."""
    package = json.loads(PACKAGE.read_text("utf-8"))
    found: dict[str, Any] = package["contributes"]["configuration"]["properties"]
    return found


def test_settings_are_those_of_the_server(settings: dict[str, Any]) -> None:
    """Each setting of the server is offered with its values and its default, and no other."""
    offered = {
        name.removeprefix("osiris."): (tuple(item.get("enum", ())), item["default"])
        for name, item in settings.items()
        if name not in OWN
    }
    defaults = options.Options()._asdict()
    known = {key: (values, defaults[name]) for key, (name, values) in options._KNOWN.items()}
    assert known == offered


def test_a_folder_chooses_no_program_and_no_doctor(settings: dict[str, Any]) -> None:
    """What runs, and whether something connects, is set for the machine only."""
    scopes = {name: item["scope"] for name, item in settings.items()}
    close = {name for name in scopes if name.startswith(("osiris.doctor.", "osiris.trace"))}
    close |= {"osiris.path", "osiris.interpreter"}
    assert {name for name, scope in scopes.items() if scope == "machine"} == close
    assert all(
        item.get("description", item.get("markdownDescription")) for item in settings.values()
    )
