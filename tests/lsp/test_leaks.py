"""No answer of the server, and nothing that it says by itself, shows a secret."""

import json
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import pytest

from osiris_lsp.text import LineIndex
from tests.lsp.raw import Raw
from tests.secrets.planted import Planted, declared, plant, positions, rules, showing

_ABLE: Final = {
    "workspace": {"symbol": {}, "codeLens": {}, "executeCommand": {}},
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "refactor"]}},
            "resolveSupport": {"properties": ["edit"]},
            "dataSupport": True,
        },
        "completion": {"completionItem": {"snippetSupport": True}},
        "diagnostic": {"relatedDocumentSupport": True},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "hover": {"contentFormat": ["markdown"]},
        "publishDiagnostics": {"relatedInformation": True, "dataSupport": True},
    },
}
_ABOUT_FILES: Final = (
    "textDocument/diagnostic",
    "textDocument/documentSymbol",
    "textDocument/semanticTokens/full",
    "textDocument/documentLink",
    "textDocument/foldingRange",
)
_ABOUT_PLACES: Final = (
    "textDocument/hover",
    "textDocument/completion",
    "textDocument/definition",
    "textDocument/references",
    "textDocument/documentHighlight",
    "textDocument/prepareRename",
    "textDocument/selectionRange",
)


class Listener(Raw):
    """A client that keeps all that the server says, by what it was asked last."""

    said: dict[str, list[str]]
    about = "initialize"

    def note(self, message: Any) -> None:
        """Keep a message."""
        heard = self.__dict__.setdefault("heard", {})
        heard.setdefault(message.get("method", self.about), []).append(json.dumps(message))

    def request(self, method: str, params: Any = None) -> Any:
        """Send a request and return its result."""
        self.about = method
        return super().request(method, params).get("result")

    def text(self, method: str) -> str:
        """Return what was said with a method."""
        return "\n".join(self.__dict__["heard"][method])


def ask_everything(client: Listener, file: Planted, uri: str) -> None:
    """Make each request about a file: of it as a whole, and before, in and behind its secrets."""
    document = {"textDocument": {"uri": uri}}
    for method in _ABOUT_FILES:
        client.request(method, document)
    lines = LineIndex(file.text)
    last = lines.position(len(file.text))
    whole = {"start": {"line": 0, "character": 0}, "end": _place(last)}
    client.request("textDocument/inlayHint", {**document, "range": whole})
    for lens in client.request("textDocument/codeLens", document) or ():
        client.request("codeLens/resolve", lens)
    found = client.request("textDocument/diagnostic", document)["items"]
    context = {"diagnostics": found, "triggerKind": 1}
    asked = {**document, "range": whole, "context": context}
    for action in client.request("textDocument/codeAction", asked) or ():
        if "data" in action:
            client.request("codeAction/resolve", action)
    for offset, method in zip(_places(file), cycle(_ABOUT_PLACES), strict=False):
        place = _place(lines.position(offset))
        more = {"context": {"includeDeclaration": True}, "positions": [place]}
        client.request(method, {**document, "position": place, **more})


def _places(file: Planted) -> Iterator[int]:
    for number, mark in enumerate(file.marks):
        at = file.text.find(mark)
        if at >= 0:
            yield (max(at - 3, 0), at, at + 2, at + len(mark))[number % 4]


def _place(position: tuple[int, int]) -> dict[str, int]:
    return {"line": position[0], "character": position[1]}


def ask_about_the_project(client: Listener) -> None:
    """Make the requests that are about no single file."""
    client.request("workspace/diagnostic", {"previousResultIds": []})
    client.request("workspace/symbol", {"query": ""})
    command = "workspace/executeCommand"
    client.request(command, {"command": "osiris.debugInformation", "arguments": []})
    for entry in client.request("osiris/connections", {})[::8]:
        client.request("osiris/usages", {"id": entry["id"]})
        given = [{"id": entry["id"]}]
        client.request(command, {"command": "osiris.showResolved", "arguments": given})


def chosen(broken: bool) -> Sequence[Planted]:
    """Return what is planted: every place; where text does not parse, some of the rules only."""
    if broken:
        return [*declared(broken), *[file for file in rules(broken) if len(file.text) < 1000][::5]]
    return [*declared(), *rules(), *positions()[::2]]


@pytest.mark.parametrize(
    ("broken", "settings"), [(False, ""), (True, ""), (True, 'ignore = ["OSR3"]\n')]
)
def test_no_message_shows_one(tmp_path: Path, broken: bool, settings: str) -> None:
    """Whatever is asked, about text that parses or not, with the rules for secrets or without."""
    (tmp_path / "osiris-lsp.toml").write_text(settings)
    files = chosen(broken)
    plant(tmp_path, files)
    client = Listener(tmp_path)
    try:
        client.initialize(capabilities=_ABLE)
        for file in files:
            uri = client.open(file.path, file.text)
            ask_everything(client, file, uri)
        ask_about_the_project(client)
        shown = {method: client.text(method) for method in client.__dict__["heard"]}
        code, shown["log"] = client.end()
    finally:
        client.kill()
    assert (code, showing(shown, files)) == (0, [])
