"""Our settings for Kate in a real one: what it asks the server, and what it is told."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import write
from tests.e2e.test_neovim import CONNECTIONS, PIPELINE
from tests.services import kate as editor
from tests.services.plugin import once
from tests.services.run import Run

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = Path(sys.executable).parent
PATIENCE = 60  # seconds; a hang ends the test, slowness does not

# Stands in front of the server, and keeps what is said.
RECORDER = """\
#!/bin/sh
unset LD_LIBRARY_PATH
tee {folder}/asked | {server} "$@" | tee {folder}/told
"""


@pytest.fixture(scope="session")
def kate(service_run: Run) -> tuple[str, dict[str, str]]:
    """The program and its variables."""
    return once(service_run, "Kate", lambda _: editor.kate())


def messages(path: Path) -> list[dict[str, Any]]:
    """Return the whole messages that a file holds so far."""
    data = path.read_bytes() if path.exists() else b""
    found = []
    for head in re.finditer(rb"Content-Length: (\d+)\r\n(?:[^\r]+\r\n)*\r\n", data):
        body = data[head.end() : head.end() + int(head[1])]
        if len(body) == int(head[1]):
            found.append(json.loads(body))
    return found


def said(path: Path, method: str) -> Any:
    """Return the parameters of the first message with that method, once there is one."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        for message in messages(path):
            if message.get("method") == method:
                return message["params"]
        time.sleep(0.1)
    raise AssertionError(f"no {method} in {messages(path)}")


def test_kate_is_told_what_the_shell_finds(
    kate: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    """It starts the server in the project, opens the pipeline, and gets its diagnostics."""
    folder, home, programs = tmp_path / "project", tmp_path / "home", tmp_path / "bin"
    text = PIPELINE.replace("😀", "é")  # one unit of UTF-16, as one character
    write(folder, {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": text})
    recorder = programs / "osiris-lsp"
    script = RECORDER.format(folder=tmp_path, server=SCRIPTS / "osiris-lsp")
    # Kate asks once before it starts a server; this is the answer, kept.
    allowed = f"[lspclient]\nAllowedServerCommandLines={recorder} server\n"
    write(
        tmp_path,
        {
            "bin/osiris-lsp": script,
            "home/katerc": f"[General]\nFirst Start=false\n{allowed}",
            "home/kate/anonymous.katesession": "[Kate Plugins]\nlspclientplugin=true\n",
            "home/kate/lspclient/settings.json": "",
        },
    )
    recorder.chmod(0o755)
    home.chmod(0o700)
    shutil.copy(ROOT / "editors/kate/settings.json", home / "kate/lspclient")
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
    program, variables = kate
    environment = {
        **os.environ,
        **variables,
        **dict.fromkeys(homes, str(home)),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }
    with (tmp_path / "log").open("w") as log:
        window = subprocess.Popen(
            [program, "--new", "--block", "pipelines/orders.yaml"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        asked = said(tmp_path / "asked", "initialize")
        opened = said(tmp_path / "asked", "textDocument/didOpen")["textDocument"]
        told = said(tmp_path / "told", "textDocument/publishDiagnostics")
    finally:
        window.kill()
        window.wait(20)
    linted = subprocess.run(
        [str(SCRIPTS / "osiris-lsp"), "lint", "--no-cache", "--format", "json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [item for item in json.loads(linted.stdout)["findings"] if "orders" in item["path"]]
    assert asked["rootUri"] == folder.as_uri()
    assert (opened["languageId"], opened["text"]) == ("yaml", text)
    assert told["uri"] == opened["uri"] == (folder / "pipelines/orders.yaml").as_uri()
    expected = [(item["code"], item["message"], item["line"], item["column"]) for item in found]
    assert expected
    assert sorted(expected) == sorted(
        (
            item["code"],
            item["message"],
            item["range"]["start"]["line"] + 1,
            item["range"]["start"]["character"] + 1,
        )
        for item in told["diagnostics"]
    )
