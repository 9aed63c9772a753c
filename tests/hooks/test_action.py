"""The GitHub Action: its script with the environment of a runner, and the whole under act."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hooks.conftest import HOOKS, ROOT, SCRIPTS

ACTION = HOOKS / "github-action"
Step = Callable[..., tuple[int, str, dict[str, str]]]


@pytest.fixture
def step(broken: Path, variables: Mapping[str, str], tmp_path: Path) -> Step:
    """Run a step of the script; returns its exit code, its log and the outputs."""

    def call(name: str, **given: str) -> tuple[int, str, dict[str, str]]:
        outputs = tmp_path / "outputs"
        outputs.write_text("")
        environment = {
            **variables,
            "GITHUB_WORKSPACE": str(broken),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "INPUT_VERSION": "installed",
            **given,
        }
        done = subprocess.run(
            [sys.executable, str(ACTION / "run.py"), name],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        lines = outputs.read_text().splitlines()
        found = {key: value for key, _, value in (line.partition("=") for line in lines)}
        return done.returncode, done.stdout, found

    return call


def event(folder: Path, name: str, payload: Any = None) -> dict[str, str]:
    """Return the variables of an event."""
    path = folder / "event.json"
    path.write_text(json.dumps(payload))
    return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path)}


def test_lint_annotates_and_sets_outputs(step: Step, broken: Path, tmp_path: Path) -> None:
    """One error is an annotation, an output, a summary and a result in SARIF."""
    code, log, outputs = step("lint", INPUT_SARIF_FILE="osiris.sarif")
    assert code == 1
    assert "::error file=pipelines/orders.yaml,line=8," in log
    assert outputs == {
        "exit-code": "1",
        "findings": "2",
        "errors": "1",
        "warnings": "0",
        "sarif-file": "osiris.sarif",
    }
    assert "unknown-alias" in (tmp_path / "summary.md").read_text()
    report = json.loads((broken / "osiris.sarif").read_text())
    assert "OSR219" in {result["ruleId"] for result in report["runs"][0]["results"]}


def test_inputs_reach_the_command(step: Step, broken: Path) -> None:
    """Paths, the working directory, a threshold and more arguments, each in lines of its own."""
    code, log, outputs = step(
        "lint",
        INPUT_WORKING_DIRECTORY="pipelines",
        INPUT_PATHS="orders.yaml\n\n../osiris_connections.yaml\n",
        INPUT_FAIL_ON="never",
        INPUT_FORMAT="concise",
        INPUT_ARGUMENTS="--ignore\nunused-connection",
        INPUT_SARIF_FILE="a.sarif",
    )
    assert (code, outputs["findings"]) == (0, "1")
    assert "orders.yaml:8:19: error OSR219" in log
    assert "::add-matcher::" in log.splitlines()[0]
    removed = [line for line in log.splitlines() if line.startswith("::remove-matcher ")]
    assert removed == [
        "::remove-matcher owner=osiris-lsp::",
        "::remove-matcher owner=osiris-lsp-notice::",
    ]
    assert (broken / outputs["sarif-file"]).is_file()


def test_a_baseline_leaves_only_what_is_new(
    step: Step, broken: Path, variables: Mapping[str, str]
) -> None:
    """The input `baseline` reaches the command: what it lists neither fails nor counts."""
    create = [str(SCRIPTS / "osiris-lsp"), "baseline", "create", "--baseline", "old.json"]
    subprocess.run(create, cwd=broken, env=variables, check=True, capture_output=True)
    code, log, outputs = step("lint", INPUT_BASELINE="old.json")
    assert (code, outputs["findings"]) == (0, "0"), log
    text = (broken / "pipelines/orders.yaml").read_text()
    (broken / "pipelines/new.yaml").write_text(text)
    code, log, outputs = step("lint", INPUT_BASELINE="old.json")
    assert (code, outputs["findings"]) == (1, "1"), log
    assert "file=pipelines/new.yaml" in log


@pytest.mark.parametrize("name", ["$(touch ran)", "`touch ran`", "; touch ran", "--fix"])
def test_inputs_are_not_code(step: Step, broken: Path, name: str) -> None:
    """A path is a path, whatever it looks like."""
    code, log, _ = step("lint", INPUT_PATHS=name)
    assert (code, "there is no file" in log) == (2, True)
    assert not (broken / "ran").exists()
    code, log, outputs = step("lint", INPUT_SARIF_FILE="a.sarif\nexit-code=0")
    assert (code, outputs) == (2, {})
    assert "the input `sarif-file` takes one line" in log


def test_bad_inputs_say_what_is_wrong(step: Step, variables: Mapping[str, str]) -> None:
    """A format that there is not, a folder that is missing, a program that is not installed."""
    code, log, outputs = step("lint", INPUT_FORMAT="pdf")
    assert (code, outputs["exit-code"], outputs["findings"]) == (2, "2", "")
    assert "invalid choice: 'pdf'" in log
    code, log, _ = step("lint", INPUT_WORKING_DIRECTORY="nowhere")
    assert code == 2
    assert "::error title=osiris-lsp::`working-directory`: there is no folder" in log
    code, log, _ = step("lint", PATH=str(ROOT))
    assert code == 2
    assert "there is no `osiris-lsp` on PATH" in log


def test_the_version_of_the_action_is_installed(step: Step, tmp_path: Path) -> None:
    """Without a version the action brings its own, once for all steps."""
    code, log, _ = step("lint", INPUT_VERSION="", PIP_QUIET="1")
    assert (code, "::group::Install osiris-lsp" in log) == (1, True), log
    assert list((tmp_path / "temp/osiris-lsp/venv").glob("*/osiris-lsp*"))
    code, log, _ = step("lint", INPUT_VERSION="")
    assert (code, "::group::" in log) == (1, False)


FORK = {"pull_request": {"head": {"repo": {"id": 2}}, "base": {"repo": {"id": 1}}}}
DELETED = {"pull_request": {"head": {"repo": None}, "base": {"repo": {"id": 1}}}}
OWN = {"pull_request": {"head": {"repo": {"id": 1}}, "base": {"repo": {"id": 1}}}}


@pytest.mark.parametrize(
    ("name", "payload", "code", "words"),
    [
        ("pull_request_target", OWN, 2, "::error title=osiris-lsp::the doctor was not run"),
        ("workflow_run", {}, 2, "::error title=osiris-lsp::the doctor was not run"),
        ("issue_comment", {}, 2, "::error title=osiris-lsp::the doctor was not run"),
        ("", {}, 2, "::error title=osiris-lsp::the doctor was not run"),
        ("pull_request", FORK, 0, "this comes from a fork"),
        ("pull_request", DELETED, 0, "this comes from a fork"),
        ("pull_request", [], 0, "this comes from a fork"),
    ],
)
def test_the_doctor_is_refused(
    step: Step, tmp_path: Path, name: str, payload: Any, code: int, words: str
) -> None:
    """Code of strangers never says what to connect to."""
    found, log, outputs = step("doctor", **event(tmp_path, name, payload))
    assert (found, outputs) == (code, {"doctor": "refused"})
    assert words in log
    assert "connects to" not in log


@pytest.mark.parametrize(("name", "payload"), [("push", {}), ("pull_request", OWN)])
def test_the_doctor_runs_for_code_of_the_team(
    step: Step, broken: Path, tmp_path: Path, name: str, payload: Any
) -> None:
    """A folder is healthy, and one that is missing is not."""
    file = broken / "osiris_connections.yaml"
    text = "version: 1\nconnections:\n  filesystem:\n    data: {base_dir: pipelines}\n"
    file.write_text(text)
    code, log, outputs = step("doctor", **event(tmp_path, name, payload))
    assert (code, outputs) == (0, {"doctor": "healthy"}), log
    file.write_text(text.replace("pipelines", "nowhere"))
    code, log, outputs = step("doctor", **event(tmp_path, name, payload))
    assert (code, outputs) == (1, {"doctor": "unhealthy"}), log


def test_the_action_fits_its_schema() -> None:
    """The file is what GitHub takes, and no template stands in a script."""
    command = [str(SCRIPTS / "check-jsonschema"), "--builtin-schema", "vendor.github-actions"]
    path = str(ACTION / "action.yml")
    done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    for item in action["runs"]["steps"]:
        assert "${{" not in item["run"]
        for value in item["env"].values():
            assert value.removeprefix("${{ inputs.").removesuffix(" }}") in action["inputs"]


@pytest.mark.parametrize("place", [ACTION, ROOT / ".github"], ids=["action", "workflows"])
def test_the_action_and_our_workflows_are_clean_under_zizmor(place: Path) -> None:
    """The security linter of workflows has nothing to say."""
    command = [str(SCRIPTS / "zizmor"), "--offline", "--no-progress", "--pedantic", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "No findings" in done.stdout) == (0, True), done.stdout


WORKFLOW = """\
on: push
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - id: osiris
        uses: osiris-lsp/osiris-lsp/hooks/github-action@v1
        continue-on-error: true
        with:
          version: installed
          sarif-file: osiris.sarif
      - run: 'echo "exit code $CODE, $FINDINGS findings, doctor $DOCTOR"; test -s "$SARIF"'
        env:
          CODE: ${{ steps.osiris.outputs.exit-code }}
          DOCTOR: ${{ steps.osiris.outputs.doctor }}
          FINDINGS: ${{ steps.osiris.outputs.findings }}
          SARIF: ${{ steps.osiris.outputs.sarif-file }}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="act comes as a program for Linux")
def test_the_action_runs_under_act(
    broken: Path, variables: Mapping[str, str], tmp_path: Path
) -> None:
    """The whole action in a workflow, on this machine and without containers."""
    action = tmp_path / "action"
    shutil.copytree(HOOKS, action / "hooks")
    (broken / ".git").rmdir()
    (broken / ".github/workflows").mkdir(parents=True)
    (broken / ".github/workflows/ci.yml").write_text(WORKFLOW)
    environment = {
        **variables,
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "-m", "one")):
        subprocess.run(["git", *command], cwd=broken, env=environment, check=True)
    done = subprocess.run(
        [
            str(SCRIPTS / "act"),
            "push",
            "--platform=ubuntu-latest=-self-hosted",
            "--action-offline-mode",
            f"--local-repository=osiris-lsp/osiris-lsp@v1={action}",
        ],
        cwd=broken,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    log = done.stdout
    assert done.returncode == 0, log
    assert "::error file=pipelines/orders.yaml,line=8,endLine=8,col=19,endColumn=32" in log
    assert "| exit code 1, 2 findings, doctor off" in log
    assert "Summary - ## osiris-lsp" in log
