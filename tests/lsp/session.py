"""A client for the soak test: it holds documents, sees what a server shows, and compares."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.lsp.raw import Raw
from tests.lsp.soak import FILES, UNTITLED, Found, closed_files, expected, position

_SEVERITIES: Final = {1: "error", 2: "warning", 3: "info", 4: "hint"}

# What a request may fail with: it was cancelled, it is out of date, or it says why it cannot be.
_REFUSED: Final = (-32800, -32801, -32803)

_PATIENCE: Final = 10.0
"""Seconds until diagnostics that are pushed, or a wish to pull again, have to be there."""


class Client(NamedTuple):
    """What a client can do."""

    pulls: bool
    watches: bool
    encoding: str

    def capabilities(self) -> Mapping[str, Any]:
        """Return what it says of itself."""
        refresh = {"refreshSupport": True}
        workspace: dict[str, Any] = {"configuration": True, "codeLens": refresh}
        workspace["didChangeWatchedFiles"] = {"dynamicRegistration": self.watches}
        text_document: dict[str, Any] = {"synchronization": {"didSave": True}}
        if self.pulls:
            workspace["diagnostics"] = refresh
            text_document["diagnostic"] = {}
        general = {"positionEncodings": [self.encoding]}
        return {"general": general, "workspace": workspace, "textDocument": text_document}


class Shown(NamedTuple):
    """What was pulled for a document that had this text."""

    text: str
    result: str | None
    items: Found


class Session(Raw):
    """A server with a client over one folder; `edits` counts what was done to documents."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.root = os.path.realpath(folder)
        self.configuration: dict[str, Any] = {}
        self.texts: dict[str, str] = {}
        self.edits = 0
        self.sizes: dict[int, int] = {}
        self._versions: dict[str, int] = {}
        self._waiting: dict[int, str] = {}
        self._published: dict[str, Found] = {}
        self._pulled: dict[str, Shown] = {}
        self._problems: list[Any] = []
        self._refreshes = self._configured = 0
        self._clock = time.time_ns()
        self.errors = open(folder.parent / f"{folder.name}.log", "w+b")  # noqa: SIM115
        self.configure("openFiles")
        super().__init__(Path(self.root), errors=self.errors)
        folders = [{"uri": Path(self.root).as_uri(), "name": "soak"}]
        self.initialize(capabilities=client.capabilities(), workspaceFolders=folders)

    # What comes from the server

    def note(self, message: Any) -> None:
        """Take in a message: diagnostics, answers to requests, wishes."""
        method = message.get("method")
        if method == "textDocument/publishDiagnostics":
            self._published[message["params"]["uri"]] = _found(message["params"]["diagnostics"])
        elif method == "workspace/diagnostic/refresh":
            self._refreshes += 1
        elif method is None and message.get("id") in self._waiting:
            asked = self._waiting.pop(message["id"])
            code = message.get("error", {}).get("code")
            if code is not None and code not in _REFUSED:
                self._problems.append((asked, message["error"]))

    def answer(self, message: Any) -> Any:
        """Return the settings, where they are asked for."""
        if message["method"] == "workspace/configuration":
            self._configured -= 1
            return [self.configuration]
        return None

    # What an editor does

    def uri(self, name: str) -> str:
        """Return the URI of a file, or of the document that is in none."""
        return name if name == UNTITLED else (Path(self.root) / name).as_uri()

    def path(self, name: str) -> str:
        """Return the path of a file; the document that is in none counts as one of the root."""
        name = f"{name.partition(':')[2]}.yaml" if name == UNTITLED else name
        return os.path.join(self.root, name)

    def open_document(self, name: str, text: str) -> None:
        """Open a document with the text of its file, or with another."""
        uri = self.uri(name)
        self.texts[name], self._versions[name] = text, 1
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def replace(self, name: str, start: int, end: int, piece: str, whole: bool = False) -> None:
        """Replace a range of an open document, as a change of that range or of everything."""
        text = self.texts[name]
        start, end = (_between_lines(text, at) for at in (start, end))
        change: dict[str, Any] = {"text": text[:start] + piece + text[end:]}
        self.texts[name] = change["text"]
        if not whole:
            places = [position(text, at, self.client.encoding) for at in (start, end)]
            ends = [{"line": line, "character": character} for line, character in places]
            change = {"range": {"start": ends[0], "end": ends[1]}, "text": piece}
        self._versions[name] += 1
        document = {"uri": self.uri(name), "version": self._versions[name]}
        self.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
        )

    def save(self, name: str) -> None:
        """Write a document to its file."""
        self.write(name, self.texts[name], quiet=True)
        self.notify("textDocument/didSave", {"textDocument": {"uri": self.uri(name)}})
        self._tell(name, 2)

    def close(self, name: str) -> None:
        """Close a document; what was not saved is gone."""
        del self.texts[name]
        self._pulled.pop(name, None)
        self.notify("textDocument/didClose", {"textDocument": {"uri": self.uri(name)}})

    def write(self, name: str, text: str | None, quiet: bool = False) -> None:
        """Give a file another text on disk, or delete it, behind the back of the editor."""
        path = Path(self.path(name))
        existed = path.exists()
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            # Clocks of file systems are coarse; two changes by hand are further apart.
            self._clock += 10_000_000
            os.utime(path, ns=(self._clock, self._clock))
        if not quiet and (existed or text is not None):
            self._tell(name, 3 if text is None else 2 if existed else 1)

    def _tell(self, name: str, kind: int) -> None:
        if self.client.watches:
            change = {"uri": self.uri(name), "type": kind}
            self.notify("workspace/didChangeWatchedFiles", {"changes": [change]})

    def disk(self, name: str) -> str | None:
        """Return the text of a file on disk, or None."""
        path = Path(self.path(name))
        return path.read_bytes().decode("utf-8-sig") if path.exists() else None

    def configure(self, scope: str) -> None:
        """Change the settings of the editor; a bad one is said once and does no harm."""
        self.configuration = {"lint": {"debounce": 0, "scope": scope}, "nonsense": scope}
        self._configured += 1
        if hasattr(self, "process"):
            self.notify("workspace/didChangeConfiguration", {"settings": None})

    def ask_about(self, method: str, name: str, at: int, cancel: bool) -> None:
        """Send a request about a place of an open document, and take it back if told so."""
        line, character = position(
            self.texts[name], _between_lines(self.texts[name], at), self.client.encoding
        )
        place = {"line": line, "character": character}
        params = {
            "textDocument": {"uri": self.uri(name)},
            "position": place,
            "range": {"start": {"line": 0, "character": 0}, "end": place},
            "context": {"includeDeclaration": True, "diagnostics": [], "triggerKind": 1},
            "query": "",
            "previousResultIds": [],
        }
        asked = self.ask(method, params)
        self._waiting[asked] = method
        if cancel:
            self.notify("$/cancelRequest", {"id": asked})

    def reset(self) -> None:
        """Start anew: no document is open, each file has its first text."""
        for name in tuple(self.texts):
            self.close(name)
        self.configure("openFiles")
        for name, variants in FILES.items():
            self.write(name, variants[0])

    # What is compared

    def shown(self, name: str) -> Found:
        """Return what is shown of a file since `compare`."""
        if not self.client.pulls:
            return self._published.get(self.uri(name), [])
        return self._pulled[name].items

    def compare(self) -> None:
        """Compare what the client shows of each document with a fresh lint of the same texts."""
        self._until(lambda: not self._configured, "settings that nobody asked for")
        self._meet()
        self._until(lambda: not self._waiting, lambda: self._waiting)
        assert not self._problems
        texts = {self.path(name): text for name, text in self.texts.items()}
        wanted = {
            self.uri(name): expected(self.root, self.path(name), texts, self.client.encoding)
            for name in self.texts
        }
        closed = {}
        if self.configuration["lint"]["scope"] == "workspace":
            for path in closed_files(self.root, texts):
                closed[Path(path).as_uri()] = expected(self.root, path, texts, self.client.encoding)
        if self.client.pulls:
            self._compare_pulled(wanted, closed)
        else:
            self._compare_pushed({**wanted, **closed})

    def _compare_pushed(self, wanted: Mapping[str, Found]) -> None:
        def differences() -> Mapping[str, Any]:
            return {
                uri: (_short(self._published.get(uri, [])), _short(wanted.get(uri, [])))
                for uri in {*wanted, *self._published}
                if self._published.get(uri, []) != wanted.get(uri, [])
            }

        if not self.client.watches:
            # What changed on disk is seen when the editor comes by.
            for name in self.texts:
                self.notify("textDocument/didSave", {"textDocument": {"uri": self.uri(name)}})
        self._until(lambda: not differences(), differences)
        self._meet()
        assert not differences()

    def _compare_pulled(self, wanted: Mapping[str, Found], closed: Mapping[str, Found]) -> None:
        if self.client.watches:
            # An editor pulls what was edited; all else only when it is told to.
            old = [
                name
                for name, shown in self._pulled.items()
                if shown.text == self.texts[name] and shown.items != wanted[self.uri(name)]
            ]
            self._until(lambda: not old or self._refreshes > 0, f"no refresh for {old}")
        self._refreshes = 0
        for name, text in self.texts.items():
            shown = self._pulled.get(name)
            params: dict[str, Any] = {"textDocument": {"uri": self.uri(name)}}
            if shown is not None and shown.result is not None:
                params["previousResultId"] = shown.result
            report = self.request("textDocument/diagnostic", params)["result"]
            same = report["kind"] == "unchanged"
            items = shown.items if same and shown is not None else _found(report["items"])
            found = wanted[self.uri(name)]
            assert items == found, (name, same, _short(items), _short(found), text)
            self._pulled[name] = Shown(text, report.get("resultId"), items)
        answer = self.request("workspace/diagnostic", {"previousResultIds": []})["result"]
        pulled = {item["uri"]: _found(item["items"]) for item in answer["items"]}
        assert pulled == {uri: found for uri, found in closed.items() if uri in pulled}
        assert not [uri for uri, found in closed.items() if found and uri not in pulled]

    def _meet(self) -> None:
        """Wait until the server has seen all that was sent: it reads in order."""
        document = {"uri": "file:///nowhere.yaml"}
        self.request("textDocument/foldingRange", {"textDocument": document})

    def _until(self, done: Any, problem: Any) -> None:
        end = time.monotonic() + _PATIENCE
        while not done():
            left = end - time.monotonic()
            assert left > 0, problem() if callable(problem) else problem
            self.next(min(left, 0.5))

    def count(self) -> None:
        """Count an edit; remember how much memory the server has now and then."""
        self.edits += 1
        if self.edits % 500 == 0:
            self.sizes[self.edits] = self.size()

    def size(self) -> int:
        """Return the memory that the server has resident, in kB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def said(self) -> str:
        """Return what the server wrote to standard error."""
        self.errors.seek(0)
        return self.errors.read().decode()

    def kill(self) -> None:
        """End the server."""
        super().kill()
        self.errors.close()


def _between_lines(text: str, at: int) -> int:
    r"""Return an offset that is not inside of `\r\n`, where no client can put a cursor."""
    at = min(at, len(text))
    return at - 1 if text[at - 1 : at + 1] == "\r\n" else at


def _found(diagnostics: list[Any]) -> Found:
    found: Found = []
    for item in diagnostics:
        start, end = item["range"]["start"], item["range"]["end"]
        place = (start["line"], start["character"], end["line"], end["character"])
        severity = _SEVERITIES[item["severity"]]
        found.append((*place, item["code"], severity, item["message"]))
    return found


def _short(found: Found) -> list[Any]:
    return [(item[0], item[1], item[4], item[5], item[6][:90]) for item in found]
