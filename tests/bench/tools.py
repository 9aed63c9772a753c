"""The commands that are measured: ours and its peers."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence, Set
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.bench.inputs import Input

BIN = Path(sys.executable).parent
OURS = "osiris-lsp"
LINT = ("lint", "--isolated", "--no-cache", "--exit-zero", "--format", "json")
# Every rule that is on by default runs; long lines are allowed so that few lines are printed.
YAMLLINT_CONFIG = "{extends: default, rules: {line-length: {max: 200}}}"

Command = Callable[[Input], list[str]]


def commands(schemas: Path) -> Mapping[str, Command]:
    """The command of each tool; the schemas for check-jsonschema lie in `schemas`."""

    def ours(subject: Input) -> list[str]:
        return [str(BIN / OURS), *LINT, subject.target]

    def yamllint(subject: Input) -> list[str]:
        return [str(BIN / "yamllint"), "-d", YAMLLINT_CONFIG, "-f", "parsable", subject.target]

    def check_jsonschema(subject: Input) -> list[str]:
        schema = str(schemas / f"{subject.schema}.json")
        return [str(BIN / "check-jsonschema"), "--schemafile", schema, *subject.files]

    return {OURS: ours, "yamllint": yamllint, "check-jsonschema": check_jsonschema}


def installed(tool: str) -> str | None:
    """The version of a tool in this environment."""
    try:
        return version(tool)
    except PackageNotFoundError:
        return None


def write_schemas(folder: Path) -> None:
    """Write the schemas as `osiris-lsp schema` prints them."""
    for name in ("connections", "pipeline"):
        command = [str(BIN / OURS), "schema", name]
        with (folder / f"{name}.json").open("wb") as file:
            subprocess.run(command, check=True, stdout=file)


def trial(tool: str, command: Command, subject: Input) -> str | None:
    """Run once, to warm the disk cache too, and say why the tool cannot be measured, if so."""
    expected = {0} if tool == OURS else {0, 1}  # ours runs with --exit-zero
    return failure(command(subject), subject.folder, expected)


def failure(
    command: Sequence[str],
    folder: Path,
    expected: Set[int],
    environment: Mapping[str, str] | None = None,
) -> str | None:
    """Run a command and say why it cannot be measured, if so."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    if done.returncode in expected and "Traceback" not in output and "RefResol" not in output:
        return None
    last = output.strip().splitlines()[-1:] or ["(no output)"]
    return f"exit code {done.returncode}: {last[0]}"
