"""No answer of the server, and nothing that it says by itself, shows a secret."""

import json
from collections.abc import Iterator, Sequence
from itertools import cycle, product
from pathlib import Path
from typing import Any, Final

import pytest

from osiris_lsp.text import LineIndex, Position
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
    "textDocument/rename",
    "textDocument/selectionRange",
)
_FEW: Final = 4
"""Places of a file at each of which everything is asked; at more of them it is asked in turns."""
_MOVED: Final = 3
"""Secrets of a file that are moved into `.env`."""


class Listener(Raw):
    """A client that keeps all that the server says, by what it was asked last."""

    about = "initialize"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.heard: dict[str, list[str]] = {}
        self.texts: dict[str, str] = {}
        self.version = 1

    def send(self, message: Any) -> None:
        """Send a message, and keep it where it is none about the text of a document."""
        if not message.get("method", "").startswith("textDocument/did"):
            self.note({"method": "sent", "message": message})
        super().send(message)

    def open(self, name: str, text: str) -> str:
        """Open a document and return its URI."""
        uri = super().open(name, text)
        self.texts[uri] = text
        return uri

    def change(self, uri: str) -> None:
        """Tell the server the text that a document has now."""
        self.version += 1
        document = {"uri": uri, "version": self.version}
        changes = [{"text": self.texts[uri]}]
        changed = {"textDocument": document, "contentChanges": changes}
        self.notify("textDocument/didChange", changed)

    def note(self, message: Any) -> None:
        """Keep a message."""
        about = message.get("method", self.about)
        self.heard.setdefault(about, []).append(json.dumps(message))

    def answer(self, message: Any) -> Any:
        """Make the edits that the server asks for."""
        if message["method"] != "workspace/applyEdit":
            return None
        for uri, edits in message["params"]["edit"]["changes"].items():
            text = self.texts[uri]
            lines = LineIndex(text)
            spans = [(_offsets(lines, edit["range"]), edit["newText"]) for edit in edits]
            for (start, end), new in sorted(spans, reverse=True):
                text = text[:start] + new + text[end:]
            self.texts[uri] = text
        return {"applied": True}

    def request(self, method: str, params: Any = None) -> Any:
        """Send a request and return its result."""
        self.about = method
        return super().request(method, params).get("result")

    def text(self, method: str) -> str:
        """Return what was said with a method."""
        return "\n".join(self.heard[method])


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
    places = [_place(lines.position(offset)) for offset in _places(file)]
    more = {"context": {"includeDeclaration": True}, "newName": "other"}
    in_turns = zip(places, cycle(_ABOUT_PLACES), strict=False)
    for place, method in product(places, _ABOUT_PLACES) if len(places) <= _FEW else in_turns:
        client.request(method, {**document, "position": place, "positions": [place], **more})


def _places(file: Planted) -> Iterator[int]:
    for number, mark in enumerate(file.marks):
        at = file.text.find(mark)
        if at >= 0:
            yield (max(at - 3, 0), at, at + 2, at + len(mark))[number % 4]


def _offsets(lines: LineIndex, found: Any) -> tuple[int, int]:
    return _offset(lines, found["start"]), _offset(lines, found["end"])


def _offset(lines: LineIndex, place: Any) -> int:
    return lines.decode(Position(place["line"], place["character"]), "utf-16")


def _place(position: tuple[int, int]) -> dict[str, int]:
    return {"line": position[0], "character": position[1]}


def move_secrets(client: Listener, file: Planted, uri: str) -> int:
    """Move some secrets of a file into `.env`; returns how many have gone there."""
    moved = 0
    for mark in file.marks[:_MOVED]:
        text = client.texts[uri]
        place = _place(LineIndex(text).position(max(text.find(mark), 0)))
        given = [{"uri": uri, "position": place}]
        command = {"command": "osiris.moveSecretToEnv", "arguments": given}
        done = client.request("workspace/executeCommand", command)
        if done is not None:
            assert client.texts[uri].count(mark) == text.count(mark) - 1
            assert mark in Path(done["path"]).read_text()
            client.change(uri)
            moved += 1
    return moved


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
    moved = 0
    try:
        client.initialize(capabilities=_ABLE)
        for file in files:
            uri = client.open(file.path, file.text)
            ask_everything(client, file, uri)
            moved += move_secrets(client, file, uri)
        ask_about_the_project(client)
        shown = {method: client.text(method) for method in client.heard}
        code, shown["log"] = client.end()
    finally:
        client.kill()
    assert (code, showing(shown, files)) == (0, [])
    assert moved > 20
