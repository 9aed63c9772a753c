"""The same text has the same findings at the shell, pushed and pulled (DESIGN invariant 4)."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.baseline import NAME
from osiris_lsp.cli import main
from tests import golden
from tests.cli.conftest import CONNECTIONS, PIPELINE, write
from tests.lsp.raw import Raw
from tests.rules.test_golden import CASES

CHUNKS = 6
BROKEN = PIPELINE.replace("mysql.default", "mysql.prod")
_SETTINGS = f'baseline = "{NAME}"\nignore = ["unused-connection"]\n'
SEVERITIES = {1: "error", 2: "warning", 3: "info", 4: "hint"}

Found = list[tuple[Any, ...]]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_parity(chunk: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For each golden case, all of its files and all rules."""
    with _client(tmp_path, True) as pulling, _client(tmp_path, False) as pushing:
        for number, path in enumerate(CASES[chunk::CHUNKS]):
            folder = tmp_path / f"case{number}"
            folder.mkdir()
            golden.write_files(golden.read(path), folder)
            expected = _at_the_shell(folder, capsys)
            for name in sorted(expected):
                text = (folder / name).read_bytes().decode("utf-8-sig")
                shown = f"{path.parent.name}/{path.stem}: {name}"
                uri = pulling.open(f"{folder.name}/{name}", text)
                assert (shown, _of(pulling.pull(uri))) == (shown, expected[name])
                uri = pushing.open(f"{folder.name}/{name}", text)
                assert (shown, _pushed(pushing, uri)) == (shown, expected[name])
                for client in (pulling, pushing):
                    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


def test_parity_with_a_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the baseline of the settings knows is hidden alike, also once lines have moved."""
    folder = tmp_path / "shop"
    write(folder, {"osiris_connections.yaml": CONNECTIONS, "osiris-lsp.toml": _SETTINGS})
    write(folder, {"a.yaml": BROKEN, "b.yaml": BROKEN})
    _baseline(folder)
    step = BROKEN[BROKEN.index("  - id:") :].replace("extract-orders", "more")
    write(folder, {"a.yaml": "# moved\n" * 20 + BROKEN + step})
    expected = _at_the_shell(folder, capsys)
    assert [len(expected[name]) for name in ("a.yaml", "b.yaml")] == [1, 0]
    with _client(folder, True) as pulling, _client(folder, False) as pushing:
        for name in ("b.yaml", "a.yaml"):
            text = (folder / name).read_text()
            uri = pulling.open(name, text)
            assert _of(pulling.pull(uri)) == expected[name]
            assert _pushed(pushing, pushing.open(name, text)) == expected[name]
        _baseline(folder, "--force")
        assert _of(pulling.pull(uri)) == _at_the_shell(folder, capsys)["a.yaml"] == []
        (folder / NAME).write_text("no baseline")
        assert len(_of(pulling.pull(uri))) == 2


class _client:
    """A client that pulls, or one that is pushed to; both count in code points."""

    def __init__(self, folder: Path, pulls: bool) -> None:
        self._raw = Raw(folder)
        capabilities: dict[str, Any] = {"general": {"positionEncodings": ["utf-32"]}}
        if pulls:
            capabilities["textDocument"] = {"diagnostic": {}}
        options = {"lint": {"debounce": 0}}
        self._raw.initialize(capabilities=capabilities, initializationOptions=options)

    def __enter__(self) -> Raw:
        return self._raw

    def __exit__(self, *_: object) -> None:
        self._raw.end()
        self._raw.kill()


def _at_the_shell(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Found]:
    """Return the findings of `lint --format json` by file, also of files without any."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        capsys.readouterr()
        main(["lint", "--format", "json", "--exit-zero"])
        report = json.loads(capsys.readouterr().out)
    finally:
        os.chdir(before)
    found: dict[str, Found] = {name: [] for name in _texts(folder)}
    for item in report["findings"]:
        if item["path"] in found:
            place = (item["line"], item["column"], item["end_line"], item["end_column"])
            found[item["path"]].append((*place, item["code"], item["severity"], item["message"]))
    return found


def _baseline(folder: Path, *options: str) -> None:
    before = os.getcwd()
    os.chdir(folder)
    try:
        assert main(["baseline", "create", *options]) == 0
    finally:
        os.chdir(before)


def _texts(folder: Path) -> Iterator[str]:
    """Yield the YAML files that an editor can open as UTF-8."""
    for path in sorted(folder.rglob("*.y*ml")):
        try:
            path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            continue
        yield path.relative_to(folder).as_posix()


def _pushed(client: Raw, uri: str) -> Found:
    for _ in range(3):  # it answers in order, and publishes between two requests
        client.request("osiris/noSuchMethod")
    published = [
        message["params"]["diagnostics"]
        for message in client.received
        if message.get("method") == "textDocument/publishDiagnostics"
        and message["params"]["uri"] == uri
    ]
    return _of(published[-1]) if published else []


def _of(diagnostics: list[Any]) -> Found:
    found = []
    for item in diagnostics:
        if item["source"] != "osiris":
            continue
        start, end = item["range"]["start"], item["range"]["end"]
        place = (start["line"], start["character"], end["line"], end["character"])
        one_based = tuple(number + 1 for number in place)
        severity = SEVERITIES[item["severity"]]
        found.append((*one_based, item["code"], severity, item["message"]))
    return found
