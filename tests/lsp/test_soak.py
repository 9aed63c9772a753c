"""Thousands of random edits: what is shown stays what a fresh lint of the same texts says."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.lsp.session import Client, Session
from tests.lsp.soak import FILES, LOADER, OPENED, PIECES, UNTITLED, WORDS

STEPS = 60

# A longer run with other edits each time: OSIRIS_SOAK=100000.
LONG = int(os.environ.get("OSIRIS_SOAK", "0"))

REQUESTS = (
    "textDocument/diagnostic",
    "textDocument/completion",
    "textDocument/hover",
    "textDocument/definition",
    "textDocument/references",
    "textDocument/codeLens",
    "textDocument/inlayHint",
    "textDocument/codeAction",
    "textDocument/documentSymbol",
    "textDocument/semanticTokens/full",
    "workspace/diagnostic",
    "workspace/symbol",
    "osiris/connections",
)

PLACES = st.integers(0, 10_000)
LENGTHS = st.integers(0, 40)
TEXTS = st.sampled_from(PIECES)
VARIANTS = [(name, text) for name, variants in FILES.items() for text in variants]


def common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


class Edits(RuleBasedStateMachine):
    """An editor at work; `session` is that of the test."""

    session: Callable[[], Session]

    def __init__(self) -> None:
        super().__init__()
        self.at = self.session()
        self.before: dict[str, list[str]] = {}

    @initialize()
    def start(self) -> None:
        """Open two documents of a fresh folder."""
        self.at.reset()
        self.at.compare()
        for name in ("osiris_connections.yaml", "pipelines/orders.yaml"):
            self.show(name)

    def show(self, name: str) -> None:
        """Open a document as its file has it."""
        text = self.at.disk(name) if name != UNTITLED else None
        self.at.open_document(name, text if text is not None else FILES[OPENED[1]][0] or "")
        self.before[name] = []

    def pick(self, number: int) -> str:
        """Return one of the open documents."""
        names = sorted(self.at.texts)
        return names[number % len(names)]

    def change(self, name: str, at: int, length: int, piece: str, whole: bool = False) -> None:
        """Replace a range, wherever it lies, so that it can be undone."""
        text = self.at.texts[name]
        start = at % (len(text) + 1)
        self.before[name].append(text)
        self.at.replace(name, start, min(start + length, len(text)), piece, whole)
        self.at.count()

    @precondition(lambda self: self.at.texts)
    @rule(number=PLACES, at=PLACES, piece=TEXTS)
    def insert(self, number: int, at: int, piece: str) -> None:
        """Type or paste something."""
        self.change(self.pick(number), at, 0, piece)

    @precondition(lambda self: self.at.texts)
    @rule(number=PLACES, at=PLACES, length=LENGTHS)
    def delete(self, number: int, at: int, length: int) -> None:
        """Delete something."""
        self.change(self.pick(number), at, length, "")

    @precondition(lambda self: self.at.texts)
    @rule(number=PLACES, at=PLACES, length=LENGTHS, piece=TEXTS, whole=st.booleans())
    def overwrite(self, number: int, at: int, length: int, piece: str, whole: bool) -> None:
        """Replace something."""
        self.change(self.pick(number), at, length, piece, whole)

    @precondition(lambda self: self.at.texts)
    @rule(number=PLACES, at=PLACES, to=PLACES)
    def copy_lines(self, number: int, at: int, to: int) -> None:
        """Paste some lines of the document elsewhere in it."""
        name = self.pick(number)
        lines = self.at.texts[name].splitlines(keepends=True) or ["\n"]
        start = at % len(lines)
        line = to % len(lines)
        self.change(name, sum(map(len, lines[:line])), 0, "".join(lines[start : start + 3]))

    @precondition(lambda self: self.at.texts)
    @rule(number=PLACES, at=PLACES, word=st.sampled_from(WORDS))
    def rename(self, number: int, at: int, word: str) -> None:
        """Put one name for another."""
        name = self.pick(number)
        names = list(re.finditer("|".join(WORDS), self.at.texts[name]))
        if names:
            start, end = names[at % len(names)].span()
            self.change(name, start, end - start, word)

    @precondition(lambda self: self.at.texts)
    @rule(number=PLACES, variant=PLACES)
    def start_over(self, number: int, variant: int) -> None:
        """Replace everything by a text that makes sense."""
        name = self.pick(number)
        texts = [text for text in FILES.get(name, (LOADER,)) if text is not None]
        self.change(name, 0, len(self.at.texts[name]), texts[variant % len(texts)], whole=True)

    @precondition(lambda self: any(self.before.values()))
    @rule(number=PLACES, count=st.integers(1, 5))
    def undo(self, number: int, count: int) -> None:
        """Go back to an earlier text."""
        names = sorted(name for name, texts in self.before.items() if texts)
        name = names[number % len(names)]
        text, now = "", self.at.texts[name]
        for _ in range(min(count, len(self.before[name]))):
            text = self.before[name].pop()
        same = common(text, now)
        rest = common(text[same:][::-1], now[same:][::-1])
        self.at.replace(name, same, len(now) - rest, text[same : len(text) - rest])
        if self.at.texts[name] != text:  # the edit met the middle of a line end
            self.at.replace(name, 0, len(self.at.texts[name]), text, whole=True)
        self.at.count()

    @precondition(lambda self: bool(set(self.at.texts) - {UNTITLED}))
    @rule(number=PLACES)
    def save(self, number: int) -> None:
        """Save a document."""
        names = sorted(set(self.at.texts) - {UNTITLED})
        self.at.save(names[number % len(names)])
        self.at.count()

    @precondition(lambda self: len(self.at.texts) > 1)
    @rule(number=PLACES)
    def close(self, number: int) -> None:
        """Close a document without saving it."""
        name = self.pick(number)
        self.at.close(name)
        self.before.pop(name)
        self.at.count()

    @rule(number=PLACES)
    def open(self, number: int) -> None:
        """Open a document, perhaps again."""
        name = OPENED[number % len(OPENED)]
        if name not in self.at.texts:
            self.show(name)
            self.at.count()

    @rule(variant=st.sampled_from(VARIANTS))
    def change_outside(self, variant: tuple[str, str | None]) -> None:
        """Change, make or delete a file behind the back of the editor."""
        self.at.write(*variant)
        self.at.count()

    @rule(scope=st.sampled_from(["openFiles", "workspace"]))
    def configure(self, scope: str) -> None:
        """Change the settings of the editor."""
        self.at.configure(scope)
        self.at.count()

    @precondition(lambda self: self.at.texts)
    @rule(number=PLACES, at=PLACES, method=st.sampled_from(REQUESTS), cancel=st.booleans())
    def ask(self, number: int, at: int, method: str, cancel: bool) -> None:
        """Request something, and take most of it back."""
        name = self.pick(number)
        self.at.ask_about(method, name, at % (len(self.at.texts[name]) + 1), cancel)
        self.at.count()

    @rule()
    def pause(self) -> None:
        """Look at what is shown."""
        self.at.compare()

    def teardown(self) -> None:
        """Look at what is shown in the end, unless something was wrong before."""
        if sys.exc_info()[0] is None and self.at.texts:
            self.at.compare()


class Sessions:
    """The server of a test: one for all examples, and another one after each failure."""

    def __init__(self, client: Client, folder: Path) -> None:
        self._client = client
        self._folder = folder
        self._number = 0
        self.current: Session | None = None

    def __call__(self) -> Session:
        """Return the session."""
        if self.current is None:
            self._number += 1
            folder = self._folder / f"soak{self._number}"
            (folder / ".git").mkdir(parents=True)
            self.current = Session(self._client, folder)
        return self.current

    def end(self) -> None:
        """End the server."""
        if self.current is not None:
            self.current.kill()
            self.current = None


CLIENTS = {
    "pulls": (Client(True, True, "utf-16"), 5_000),
    "is pushed to": (Client(False, True, "utf-16"), 1_000),
    "pulls, cannot watch": (Client(True, False, "utf-8"), 1_000),
    "is pushed to, cannot watch": (Client(False, False, "utf-32"), 1_000),
}


@pytest.mark.parametrize("kind", CLIENTS)
def test_what_is_shown_is_what_a_fresh_lint_says(kind: str, tmp_path: Path) -> None:
    """After each pause, whatever was done; the server neither grows nor complains."""
    client, wanted = CLIENTS[kind]
    wanted = LONG or wanted
    sessions = Sessions(client, tmp_path)

    class Machine(Edits):
        def session(self) -> Session:
            return sessions()

    try:
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=wanted * 9 // 5 // STEPS + 1,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=not LONG,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate, Phase.shrink] if LONG else [Phase.generate],
            ),
        )
        session = sessions()
        assert session.edits >= wanted
        assert session.said() == ""
        assert session.size() <= 1.3 * session.sizes[500]
    finally:
        sessions.end()


ORPHAN = """
import json, subprocess, sys, time
server = subprocess.Popen(
    [sys.executable, "-m", "osiris_lsp", "server"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
)
def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    server.stdin.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    server.stdin.flush()
send({"id": 1, "method": "initialize", "params": {"processId": None, "capabilities": {}}})
send({"method": "initialized", "params": {}})
item = {"uri": "untitled:u", "languageId": "yaml", "version": 1, "text": "oml_version: 1"}
send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
print(server.pid, flush=True)
for version in range(2, 1_000_000):
    document = {"uri": "untitled:u", "version": version}
    changes = [{"text": "oml_version: 1\\nsteps: [" + "x" * (version % 100)}]
    params = {"textDocument": document, "contentChanges": changes}
    send({"method": "textDocument/didChange", "params": params})
    time.sleep(0.001)
"""


def test_no_server_is_left_when_its_client_is_killed(tmp_path: Path) -> None:
    """In the middle of edits; the server has nobody to wait for."""
    client = subprocess.Popen(
        [sys.executable, "-c", ORPHAN], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert client.stdout is not None
    server = int(client.stdout.readline())
    time.sleep(1)
    assert is_running(server)
    client.kill()
    client.wait()
    client.stdout.close()
    end = time.monotonic() + 10
    while is_running(server) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(server)


def is_running(process: int) -> bool:
    """Tell whether a process is there and no zombie that nobody has buried."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
