"""Name resolution that fails: Python code run where the only resolver is ours."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

from tests.services import resolver
from tests.services.run import Unavailable

Answer = Literal["silence", "nxdomain", "servfail"]


def unshared() -> list[str]:
    """The command that runs another one with a network and mounts of its own.

    `Unavailable` where the kernel does not let us.
    """
    command = ["unshare", "--net", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or error
        raise Unavailable(f"`{' '.join(command)}` failed: {said}") from error
    return command


def run(
    command: list[str], code: str, answer: Answer, timeout: float = 30
) -> subprocess.CompletedProcess[str]:
    """Run Python code for which every name gets that answer; it reaches no other network."""
    return subprocess.run(
        [*command, sys.executable, resolver.__file__, answer, code],
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=Path(__file__).parents[2],
    )
