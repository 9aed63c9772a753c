"""The steps of the action: `run.py lint` and `run.py doctor`.

Inputs come as environment variables and are never part of a shell command. Nothing but the standard
library is imported, because nothing is installed yet.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
MATCHER = HERE.parent / "problem-matcher.json"

TRUSTED = frozenset(("push", "schedule", "workflow_dispatch", "release", "merge_group"))
"""Events whose code somebody with access to the repository has put there."""


def main(args: Sequence[str]) -> int:
    """Run a step and return its exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the Python of the runner is not ours
        fail("osiris-lsp needs Python 3.11 or newer; run `actions/setup-python` before this step")
    steps = {"lint": lint, "doctor": doctor}
    if len(args) != 1 or args[0] not in steps:
        fail(f"usage: run.py {'|'.join(steps)}")
    return steps[args[0]]()


def lint() -> int:
    """Lint the paths and set the outputs."""
    program = install()
    report = scratch() / "report.json"
    report.unlink(missing_ok=True)
    command = [program, "lint", "--format", "json", "--output-file", str(report)]
    sarif = word("SARIF_FILE")
    if sarif:
        command += ["--format", "sarif", "--output-file", sarif]
    command += ["--format", word("FORMAT") or "github"]
    for option in ("fail-on", "baseline"):
        value = word(option.upper().replace("-", "_"))
        if value:
            command += [f"--{option}", value]
    command += [*lines("ARGUMENTS"), "--", *(lines("PATHS") or ["."])]
    matching = word("FORMAT") == "concise"
    if matching:
        say(f"::add-matcher::{MATCHER}")
    code = run(command)
    if matching:
        for matcher in json.loads(MATCHER.read_text(encoding="utf-8"))["problemMatcher"]:
            say(f"::remove-matcher owner={matcher['owner']}::")
    summary = counted(report)
    written = bool(sarif) and (folder() / sarif).is_file()
    give(
        {
            "exit-code": str(code),
            "findings": str(sum(summary.values())) if summary else "",
            "errors": str(summary.get("errors", "")),
            "warnings": str(summary.get("warnings", "")),
            "sarif-file": str(Path(word("WORKING_DIRECTORY") or ".") / sarif) if written else "",
        }
    )
    return code


def counted(report: Path) -> Mapping[str, int]:
    """Return the number of findings of each severity; nothing where there is no report."""
    try:
        summary = json.loads(report.read_text(encoding="utf-8"))["summary"]
    except (OSError, ValueError, KeyError):
        return {}
    return {name: int(summary[name]) for name in ("errors", "warnings", "infos", "hints")}


def doctor() -> int:
    """Check the connections, where the code that says what to connect to can be trusted."""
    reason, is_error = refusal()
    if reason:
        say(f"::{'error' if is_error else 'notice'} title=osiris-lsp::{reason}")
        give({"doctor": "refused"})
        return 2 if is_error else 0
    timeout = word("DOCTOR_TIMEOUT") or "5"
    code = run([install(), "connections", "doctor", "--timeout", timeout])
    give({"doctor": "unhealthy" if code else "healthy"})
    return code


def refusal() -> tuple[str, bool]:
    """Return why the doctor must not run, empty for no reason, and whether that is a mistake.

    A pull request can point a connection at a stranger's host and put any variable into it.
    """
    event = os.environ.get("GITHUB_EVENT_NAME", "")
    if event in TRUSTED:
        return "", False
    if event != "pull_request":
        said = f"the event `{event}` can run with secrets and with code of strangers"
        return f"the doctor was not run: {said}; use it for `push` or `schedule`", True
    try:
        with open(os.environ["GITHUB_EVENT_PATH"], encoding="utf-8") as file:
            request = json.load(file)["pull_request"]
        own = request["head"]["repo"]["id"] == request["base"]["repo"]["id"]
    except (KeyError, OSError, TypeError, ValueError):  # the fork may be deleted
        own = False
    return ("", False) if own else ("the doctor was not run: this comes from a fork", False)


def install() -> str:
    """Return the path of `osiris-lsp`, which is installed into an environment of its own."""
    version = word("VERSION")
    if version == "installed":
        program = shutil.which("osiris-lsp")
        if program is None:
            fail("`version` is `installed`, and there is no `osiris-lsp` on PATH")
        return program
    source = HERE.parent.parent
    spec = str(source) if (source / "pyproject.toml").is_file() else "osiris-lsp"
    if version:
        spec = f"osiris-lsp=={version}"
    environment = scratch() / "venv"
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    done = environment / "installed"
    if not done.is_file() or done.read_text(encoding="utf-8") != spec:
        say("::group::Install osiris-lsp")
        python = str(scripts / "python")
        quiet = ("--quiet", "--disable-pip-version-check")
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(environment)],
            [python, "-m", "pip", "install", *quiet, spec],
        ):
            if subprocess.run(command, check=False).returncode:
                say("::endgroup::")
                fail(f"`{spec}` could not be installed")
        done.write_text(spec, encoding="utf-8")
        say("::endgroup::")
    return str(scripts / "osiris-lsp")


def run(command: Sequence[str]) -> int:
    """Run a program in the folder of the step; return its exit code."""
    if not folder().is_dir():
        fail(f"`working-directory`: there is no folder `{folder()}`")
    return subprocess.run(command, cwd=folder(), check=False).returncode


def folder() -> Path:
    """Return the folder to run in."""
    return Path(os.environ.get("GITHUB_WORKSPACE") or ".") / (word("WORKING_DIRECTORY") or ".")


def scratch() -> Path:
    """Return a folder for what the steps share."""
    found = Path(os.environ.get("RUNNER_TEMP") or fail("RUNNER_TEMP is not set")) / "osiris-lsp"
    found.mkdir(parents=True, exist_ok=True)
    return found


def word(name: str) -> str:
    """Return an input of a single line."""
    value = os.environ.get(f"INPUT_{name}", "").strip()
    if "\n" in value or "\r" in value:
        fail(f"the input `{name.lower().replace('_', '-')}` takes one line")
    return value


def lines(name: str) -> list[str]:
    """Return the lines of an input that are not empty."""
    found = (line.strip() for line in os.environ.get(f"INPUT_{name}", "").splitlines())
    return [line for line in found if line]


def give(outputs: Mapping[str, str]) -> None:
    """Set outputs of the step."""
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in outputs.items())


def say(text: str) -> None:
    """Print a line, before what programs print."""
    print(text, flush=True)


def fail(message: str) -> NoReturn:
    """End the step with an annotation."""
    text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    say(f"::error title=osiris-lsp::{text}")
    raise SystemExit(2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
