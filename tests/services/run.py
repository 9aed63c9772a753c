"""One test run: what its processes make once and share."""

import fcntl
import os
import pickle
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class Unavailable(Exception):
    """This machine cannot give what a test needs; the text says why."""


def new_folder() -> Path:
    """A folder name that no other run has; `Run.once` makes the folder with the first thing."""
    return Path(tempfile.gettempdir(), f"osiris-lsp-{os.getpid()}-{secrets.token_hex(4)}")


@dataclass(frozen=True)
class Run:
    """A run of pytest: its controlling process and the folder which all its workers share."""

    pid: int = field(default_factory=os.getpid)
    folder: Path = field(default_factory=new_folder)

    def once(self, name: str, make: Callable[[Path], T]) -> T:
        """What `make` returns for a new folder of that name; only the first process calls it.

        `Unavailable` is remembered as well, any other exception is not.
        """
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)  # whatever the umask is: servers run as another user
        outcome = self.folder / f"{name}.outcome"
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not outcome.exists():
                made: T | Unavailable
                try:
                    made = make(self.new(name))
                except Unavailable as error:
                    made = error
                outcome.write_bytes(pickle.dumps(made))
            shared: T | Unavailable = pickle.loads(outcome.read_bytes())
        if isinstance(shared, Unavailable):
            raise shared
        return shared

    def new(self, name: str) -> Path:
        """A new folder for `name`, which is free to be used again."""
        self.folder.mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        folder.chmod(0o755)
        return folder
