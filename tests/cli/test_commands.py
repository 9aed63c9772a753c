"""The other commands: rule, schema, version, demo, and `osiris`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from osiris_lsp import __version__
from osiris_lsp.bundle import NAMES
from osiris_lsp.cli import COMMANDS
from osiris_lsp.cli.connections import COMMANDS as CONNECTIONS_COMMANDS
from osiris_lsp.cli.parsers import Command, commands
from osiris_lsp.rules import RULES
from tests.cli.conftest import CONNECTIONS, Run


def test_help_names_every_command(run: Run) -> None:
    """`--help` lists the commands with an example, and each command has a help with one."""
    result = run("--help")
    assert result.code == 0
    for name in ("lint", "rule", "schema", "demo", "version"):
        assert f"\n  {name}" in result.out
    assert run().code == 2


@pytest.mark.parametrize("command", [*commands()], ids=lambda command: " ".join(command.names))
def test_the_help_of_a_command_has_examples(
    command: Command, capsys: pytest.CaptureFixture[str], run: Run
) -> None:
    """Each help text shows how the command is used, and says something about every option."""
    with pytest.raises(SystemExit) as stop:
        run(*command.names, "--help")
    assert stop.value.code == 0
    name = " ".join(command.names)
    examples = capsys.readouterr().out.partition("\nexamples:\n")[2].splitlines()
    assert examples[0].startswith("  ")
    assert any(f"osiris-lsp {name}" in line or f"osiris {name}" in line for line in examples)
    assert [action.dest for action in command.parser._actions if not action.help] == []


def test_every_command_has_a_parser() -> None:
    """What completions, the manual and the reference are made of leaves none out."""
    names = {command.names for command in commands()}
    assert {names[0] for names in names} == set(COMMANDS)
    assert {name for head, *rest in names for name in rest} == set(CONNECTIONS_COMMANDS)


def test_an_unknown_command_says_what_was_meant(run: Run) -> None:
    """A typo gets the nearest command."""
    result = run("lnt")
    assert result.code == 2
    assert "did you mean `lint`?" in result.err


def test_rule_explains_by_code_and_name(run: Run) -> None:
    """Both find the same rule; the text has an example and what to use instead."""
    by_name = run("rule", "unknown-alias", "--color", "never")
    assert by_name.out == run("rule", "OSR219").out
    assert "Use instead: pipelines/orders.yaml" in by_name.out
    assert run("rule", "unknown-alis").err == (
        "osiris-lsp: error: `unknown-alis` is no rule; did you mean `unknown-alias`?\n"
    )
    assert run("rule").code == 2


def test_rule_lists_all_in_every_format(run: Run) -> None:
    """`--all` lists each rule once."""
    assert [item["name"] for item in run("rule", "--all", "--format", "json").json] == list(RULES)
    assert run("rule", "--all").out.count("\n") == len(RULES)
    assert run("rule", "--all", "--format", "markdown").out.count("\n## Silence") == len(RULES)


@pytest.mark.parametrize("name", [*NAMES, "families/mysql"])
def test_schema_prints_a_schema(name: str, run: Run) -> None:
    """What is printed is a JSON Schema that stands on its own."""
    schema = run("schema", name).json
    jsonschema.Draft202012Validator.check_schema(schema)
    assert '"$ref": "#' in run("schema", name).out or "$ref" not in run("schema", name).out


def test_the_connections_schema_serves_other_tools(run: Run) -> None:
    """Variables stand for any type, deprecated spellings meet requirements, faults are found."""
    import yaml

    validator = jsonschema.Draft202012Validator(run("schema", "connections").json)

    def errors(text: str) -> int:
        return len(list(validator.iter_errors(yaml.safe_load(text))))

    assert errors(CONNECTIONS) == 0
    assert errors(CONNECTIONS.replace("user:", "username:")) == 0
    assert errors(CONNECTIONS.replace("mysql:", "mariadb:")) == 0
    assert errors(CONNECTIONS + "      port: ${PORT}\n") == 0
    assert errors(CONNECTIONS + "      port: abc\n") > 0
    assert errors(CONNECTIONS.replace("      user: reader\n", "")) > 0
    assert errors(CONNECTIONS.replace("version: 1", "version: 2")) > 0
    assert run("schema", "conections").code == 2


def test_version_says_which_osiris_is_active(run: Run) -> None:
    """The version, the Python, and the `osiris` on PATH."""
    lines = run("version").out.splitlines()
    assert lines[0].startswith(f"osiris-lsp {__version__} (Python 3.")
    assert lines[1].startswith("osiris: ")
    assert run("--version").out.splitlines()[0] == lines[0]


def test_demo_finds_what_it_promises(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example project is copied, checked and explained; the findings are no failure."""
    monkeypatch.chdir(tmp_path)
    result = run("demo", str(tmp_path / "demo"))
    assert result.code == 0
    for rule in ("unknown-alias", "wrong-type", "plaintext-secret", "invalid-mode"):
        assert rule in result.out
    monkeypatch.chdir(tmp_path)
    again = run("demo", str(tmp_path / "demo"))
    assert again.code == 2
    assert "exists already" in again.err
    clean = run("lint", str(tmp_path / "demo" / "pipelines" / "orders.yaml"), "--format", "json")
    assert clean.json["findings"] == []


@pytest.fixture
def pipeline_package(tmp_path: Path) -> Path:
    """A folder with an installed distribution that has an `osiris` command, as osiris-pipeline."""
    info = tmp_path / "site" / "osiris_pipeline-0.5.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: osiris-pipeline\nVersion: 0.5.0\n")
    (info / "entry_points.txt").write_text("[console_scripts]\nosiris = fake_osiris:main\n")
    (tmp_path / "site" / "fake_osiris.py").write_text(
        "import sys\ndef main():\n    print('pipeline', sys.argv)\n    return 7\n"
    )
    return tmp_path / "site"


def _osiris(*args: str, path: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "import sys; from osiris_lsp.cli.osiris import main; sys.exit(main())",
    ]
    root = str(Path(__file__).parent.parent.parent)
    paths = [root, *([str(path)] if path else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **env}
    return subprocess.run(
        [*command, *args], capture_output=True, text=True, check=False, env=environment
    )


def test_osiris_hands_over_what_is_not_ours(pipeline_package: Path) -> None:
    """Sub-commands of osiris-pipeline reach it with their arguments and exit code."""
    done = _osiris("run", "--last", path=pipeline_package)
    assert (done.returncode, done.stdout) == (7, "pipeline ['osiris', 'run', '--last']\n")
    ours = _osiris("rule", "unknown-alias", path=pipeline_package)
    assert ours.returncode == 0
    assert "OSR219" in ours.stdout
    drawn = _osiris("graph", "--help", path=pipeline_package)
    assert drawn.stdout.startswith("usage: osiris-lsp graph")


def test_osiris_alone_says_what_is_missing() -> None:
    """Without osiris-pipeline the message names it; a loop of two commands ends."""
    done = _osiris("run")
    assert done.returncode == 2
    assert "`osiris run` belongs to osiris-pipeline, which is not installed" in done.stderr


def test_osiris_does_not_call_itself(pipeline_package: Path) -> None:
    """A command that hands back to us is not called again."""
    done = _osiris("run", path=pipeline_package, OSIRIS_LSP_DELEGATED="1")
    assert done.returncode == 2


def test_json_output_is_json_for_every_command(run: Run) -> None:
    """What says JSON can be read as JSON."""
    assert json.loads(run("rule", "unknown-alias", "--format", "json").out)["code"] == "OSR219"
