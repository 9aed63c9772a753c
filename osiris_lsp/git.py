"""Ask git, so that nothing which a repository brings along can run a program."""

import os
from typing import Final

SETTINGS: Final = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "safe.bareRepository=explicit",
)


class GitError(Exception):
    """What git said when it could not answer, or why it cannot be asked."""


def ask(folder: str, *args: str, data: bytes = b"", timeout: float = 60.0) -> bytes:
    """Return what git prints; raises GitError. `timeout` is in seconds."""
    import subprocess

    try:
        done = subprocess.run(
            ("git", *SETTINGS, *args),
            cwd=folder or ".",
            input=data,
            capture_output=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed, or not on PATH") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git cannot be run: {type(error).__name__}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(said[0].removeprefix("fatal: ") if said else f"`git {args[0]}` failed")
    return done.stdout
