"""Our settings in a real Vim: those for ALE with ALE, compared with what the shell says.

vim-lsp and coc.nvim are in no registry of packages (npm's coc.nvim lacks its Vim scripts). A
function stands for vim-lsp; the settings for coc.nvim are only read as JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import write
from tests.e2e.test_neovim import CONNECTIONS, PIPELINE
from tests.services import packages
from tests.services.plugin import once
from tests.services.run import Run

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = Path(sys.executable).parent
ASCII = PIPELINE.replace("😀", "x")  # ALE takes columns for bytes


@pytest.fixture(scope="session")
def ale(service_run: Run) -> tuple[str, Mapping[str, str]]:
    """Vim, and the variables with which it finds ALE."""

    def find(folder: Path) -> tuple[str, Mapping[str, str]]:
        root, plugin = packages.find("usr/share/vim-ale/autoload/ale.vim", "vim-ale", "vim-nox")
        variables = {**packages.environment(root), "ALE": str(plugin.parent.parent)}
        if root == Path("/"):
            return "vim", variables
        for runtime in root.glob("usr/share/vim/vim[0-9]*"):  # unless this machine has it
            variables["VIMRUNTIME"] = str(runtime)
        return str(root / "usr/bin/vim.nox"), variables

    return once(service_run, "ALE", find)


def test_vim_lsp_is_told_the_server(ale: tuple[str, Mapping[str, str]], tmp_path: Path) -> None:
    """Once it is set up, and where the program is found: the command, for YAML."""
    write(
        tmp_path,
        {
            "autoload/lsp.vim": "function! lsp#register_server(told) abort\n"
            "  let g:told = {'command': a:told.cmd({}), 'files': a:told.allowlist}\n"
            "endfunction\n"
        },
    )
    settings, answer = ROOT / "editors/vim/vim-lsp.vim", tmp_path / "answer"
    script = (
        f"set runtimepath^={tmp_path} | source {settings} | silent doautocmd <nomodeline> User "
        f"lsp_setup | call writefile([json_encode(get(g:, 'told', {{}}))], '{answer}') | quitall!"
    )
    vim, variables = ale
    told = []
    for path in (f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "/usr/bin:/bin"):
        done = subprocess.run(
            [vim, "-N", "-u", "NONE", "-es", "-c", script],
            env={**os.environ, "PATH": path, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert answer.exists(), done.stdout + done.stderr
        told.append(json.loads(answer.read_text()))
        answer.unlink()
    assert told == [{"command": ["osiris-lsp", "server"], "files": ["yaml"]}, {}]


def test_ale_shows_what_the_shell_finds(ale: tuple[str, Mapping[str, str]], tmp_path: Path) -> None:
    """Diagnostics, a hover, a quick fix, and a rename over two files."""
    folder, home = tmp_path / "project", tmp_path / "home"
    home.mkdir()
    connections = CONNECTIONS.replace("😀", "x")
    write(folder, {"osiris_connections.yaml": connections, "pipelines/orders.yaml": ASCII})
    vim, variables = ale
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OSIRIS_")},
        "HOME": str(home),
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
        "OSIRIS_VIM": str(ROOT / "editors/vim/ale.vim"),
        "OSIRIS_ANSWER": str(home / "answer.json"),
    }
    linted = subprocess.run(
        [str(SCRIPTS / "osiris-lsp"), "lint", "--no-cache", "--format", "json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    done = subprocess.run(
        [vim, "-N", "-u", "NONE", "-es", "-S", str(Path(__file__).with_name("vim.vim"))],
        cwd=folder,
        env={**environment, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (home / "answer.json").exists(), done.stdout + done.stderr
    told: dict[str, Any] = json.loads((home / "answer.json").read_text(encoding="utf-8"))
    assert "failure" not in told, told["failure"]
    found = [item for item in json.loads(linted.stdout)["findings"] if "orders" in item["path"]]
    # ALE says which character is the last one.
    expected = [
        [item["message"], item["line"], item["column"], item["end_line"], item["end_column"] - 1]
        for item in found
    ]
    assert expected
    assert sorted(expected) == sorted(told["diagnostics"])
    assert "db.example.com" in told["hover"]
    fixed = ASCII.replace("@mysql.mian", "@mysql.main")
    assert "\n".join(told["fixed"]) + "\n" == fixed
    renamed = fixed.replace("@mysql.main", "@mysql.prime")
    assert (folder / "pipelines/orders.yaml").read_text() == renamed
    assert (folder / "osiris_connections.yaml").read_text() == connections.replace(
        "    main:", "    prime:"
    )
