"""Packages of npm that run in a browser: downloaded once, never installed."""

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.services import packages
from tests.services.run import Unavailable


def package(name: str, version: str) -> Path:
    """The folder of a package without what it depends on; `Unavailable` when npm cannot get it."""
    folder = packages.cache().parent / "npm" / f"{name.replace('/', '-')}-{version}"
    if folder.exists():
        return folder
    if not shutil.which("npm"):
        raise Unavailable(f"{name} is needed from npm, and `npm` is not on this machine")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        done = subprocess.run(
            ["npm", "pack", f"{name}@{version}", "--silent"],
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        archives = list(Path(scratch).glob("*.tgz"))
        if done.returncode or not archives:
            raise Unavailable(f"`npm pack {name}@{version}` failed: {done.stderr.strip()[-300:]}")
        with tarfile.open(archives[0]) as archive:
            archive.extractall(scratch, filter="data")
        try:
            (Path(scratch) / "package").rename(folder)
        except OSError:
            if not folder.exists():
                raise
    return folder
