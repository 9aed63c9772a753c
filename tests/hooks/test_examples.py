"""The files for other CI systems: their schemas, and the commands in them."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.hooks.conftest import HOOKS, SCRIPTS

SCHEMAS = {
    "gitlab-ci.yml": "gitlab-ci",
    "azure-pipelines.yml": "azure-pipelines",
    "examples/bitbucket-pipelines.yml": "bitbucket-pipelines",
    "examples/buildkite.yml": "buildkite",
    "examples/circleci.yml": "circle-ci",
    "examples/drone.yml": "drone-ci",
    "examples/woodpecker.yml": "woodpecker-ci",
}
FILES = [*SCHEMAS, "examples/Jenkinsfile"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_file_fits_the_schema_of_its_system(name: str) -> None:
    """Each is what its system takes."""
    command = [str(SCRIPTS / "check-jsonschema"), "--builtin-schema", f"vendor.{SCHEMAS[name]}"]
    done = subprocess.run(
        [*command, str(HOOKS / name)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_example_is_left_out() -> None:
    """Every file of the folder is tested."""
    found = {path.relative_to(HOOKS).as_posix() for path in HOOKS.glob("examples/*")}
    assert found == {name for name in FILES if name.startswith("examples/")}


@pytest.mark.parametrize("name", FILES)
def test_the_command_of_the_example_works(
    name: str, broken: Path, variables: Mapping[str, str]
) -> None:
    """The line finds the mistake, and writes the reports that the system then reads."""
    text = (HOOKS / name).read_text()
    (command,) = re.findall(r"osiris-lsp lint [^'\n]*", text)
    reports = re.findall(r"--output-file (\S+)", command)
    assert all(text.count(Path(report).name) > 1 or "/" in report for report in reports)
    for report in reports:
        (broken / report).parent.mkdir(exist_ok=True)
    given = {"OSIRIS_PATHS": "pipelines osiris_connections.yaml", "OSIRIS_ARGUMENTS": ""}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=broken,
        env={**variables, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "OSR219" in done.stdout) == (1, True), done.stderr
    assert all((broken / report).stat().st_size for report in reports)


def test_the_doctor_is_off_by_default() -> None:
    """It is a job of its own, and not for requests of strangers."""
    gitlab = yaml.safe_load((HOOKS / "gitlab-ci.yml").read_text())
    assert gitlab["variables"]["OSIRIS_DOCTOR"]["value"] == "false"
    first, second = gitlab["osiris-doctor"]["rules"]
    assert (first["when"], "merge_request_event" in first["if"]) == ("never", True)
    assert '$OSIRIS_DOCTOR == "true" && $CI_COMMIT_REF_PROTECTED == "true"' in second["if"]
    azure = yaml.safe_load((HOOKS / "azure-pipelines.yml").read_text())
    (parameter,) = [item for item in azure["parameters"] if item["name"] == "doctor"]
    assert parameter["default"] == "false"
    condition = azure["steps"][-1]["condition"]
    assert "ne(variables['System.PullRequest.IsFork'], 'True')" in condition
    for step in azure["steps"]:
        assert "${{" not in step.get("bash", "")


@pytest.mark.parametrize("name", ["gitlab-ci.yml", "azure-pipelines.yml"])
@pytest.mark.parametrize(("version", "spec"), [("", "osiris-lsp"), ("0.4.0", "osiris-lsp==0.4.0")])
def test_a_release_can_be_named(name: str, version: str, spec: str) -> None:
    """An empty version is the newest."""
    (word,) = re.findall(r'--quiet ("osiris-lsp[^"]*")', (HOOKS / name).read_text())
    done = subprocess.run(
        ["bash", "-c", f"echo {word}"],
        env={"OSIRIS_LSP_VERSION": version, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == spec
