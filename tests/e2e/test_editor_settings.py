"""Settings for editors: each is what its editor reads, and its command starts a server."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

EDITORS = Path(__file__).parent.parent.parent / "editors"
README = (EDITORS / "README.md").read_text("utf-8")
SCRIPTS = Path(sys.executable).parent


def read(name: str) -> Any:
    """Return what a settings file says."""
    text = (EDITORS / name).read_text("utf-8")
    return tomllib.loads(text) if name.endswith(".toml") else json.loads(text)


def commands() -> dict[str, list[str]]:
    """Return the command of each settings file, found where its editor looks for it."""
    helix = read("helix/languages.toml")
    (language,) = helix["language"]
    named = helix["language-server"][language["language-servers"][0]]
    coc = read("vim/coc-settings.json")["languageserver"]["osiris"]
    zed = read("zed/settings.json")["lsp"]["yaml-language-server"]["binary"]
    vim = (EDITORS / "vim/vim-lsp.vim").read_text("utf-8")
    listed = re.findall(r"\['osiris-lsp'.*?\]", vim)
    return {
        "helix/languages.toml": [named["command"], *named["args"]],
        "sublime/LSP.sublime-settings": read("sublime/LSP.sublime-settings")["clients"]["osiris"][
            "command"
        ],
        "vim/coc-settings.json": [coc["command"], *coc["args"]],
        "zed/settings.json": [zed["path"], *zed["arguments"]],
        "kate/settings.json": read("kate/settings.json")["servers"]["yaml"]["command"],
        "jetbrains/template.json": shlex.split(
            read("jetbrains/template.json")["programArgs"]["default"]
        ),
        "vim/vim-lsp.vim": json.loads(listed[0].replace("'", '"')),
    }


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_command_starts_a_server(name: str) -> None:
    """It answers `initialize`, and ends when it is told to."""
    requests: tuple[dict[str, object], ...] = (
        {"id": 1, "method": "initialize", "params": {"capabilities": {}, "processId": None}},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    )
    bodies = [json.dumps({"jsonrpc": "2.0", **request}) for request in requests]
    done = subprocess.run(
        commands()[name],
        input="".join(f"Content-Length: {len(body)}\r\n\r\n{body}" for body in bodies),
        env={**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"serverInfo"' in done.stdout


def test_each_file_is_named_with_its_steps() -> None:
    """No settings file is left out of the README, and each editor has at most three steps."""
    steps = README.partition("## Steps")[2].partition("## What is known")[0]
    files = {path.relative_to(EDITORS) for path in EDITORS.glob("*/*") if path.is_file()}
    alone = {file for file in files if file.parts[0] not in ("vscode", "jetbrains")}
    linked = set(re.findall(r"\]\(([\w./-]+)\)", steps))
    assert {str(file) for file in alone} <= linked
    assert {"jetbrains", "neovim", "vscode/README.md"} <= linked
    assert all((EDITORS / file).exists() for file in linked)
    rows = [line for line in steps.splitlines() if line.startswith("| ")]
    assert {row.count(" |") for row in rows} == {4}
