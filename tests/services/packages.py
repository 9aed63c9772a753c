"""Server programs: those of this machine, else Debian packages unpacked into a cache folder."""

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import platformdirs

from tests.services.run import Unavailable


def find(program: str, *packages: str, release: str = "") -> tuple[Path, Path]:
    """The root under which a program is and its path, such as `usr/lib/postgresql/*/bin/postgres`.

    Without it on the machine `apt-get` downloads the packages with what they depend on; nothing is
    installed. A later `release` of the system may have what this one lacks; its programs come with
    the C library that they need. `Unavailable` when that fails.
    """
    for root in (Path("/"), unpacked := cache() / packages[0]):
        if found := programs(root, program):
            return root, found[-1]
    unpack(packages, unpacked, release)
    if found := programs(unpacked, program):
        return unpacked, found[-1]
    raise Unavailable(f"`{program}` is neither on this machine nor in {', '.join(packages)}")


def environment(root: Path) -> Mapping[str, str]:
    """The variables with which programs under that root find their libraries."""
    if root == Path("/"):
        return {}
    folders = [*root.glob("usr/lib/*-linux-*"), *root.glob("lib/*-linux-*")]
    return {"LD_LIBRARY_PATH": ":".join(map(str, folders))}


def programs(root: Path, program: str) -> list[Path]:
    """The files that the pattern means, the newest version last."""
    return sorted(root.glob(program), key=lambda path: (len(str(path)), str(path)))


def cache() -> Path:
    """The folder of this system's packages: root's own cache is closed to the servers' user."""
    own = Path("/var/cache") if os.geteuid() == 0 else platformdirs.user_cache_path()
    system = platform.freedesktop_os_release()
    name = f"{system['ID']}-{system.get('VERSION_ID', 'rolling')}-{platform.machine()}"
    return own / "osiris-lsp-tests" / name


def unpack(packages: Sequence[str], folder: Path, release: str = "") -> None:
    """Fill the folder at once or not at all: another run may do the same."""
    if not shutil.which("apt-get"):
        raise Unavailable(f"{packages[0]} is not on this machine, and neither is `apt-get`")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        download(packages, scratch := Path(name), release)
        root = scratch / "root"
        root.mkdir()
        for archive in scratch.glob("archives/*.deb"):
            subprocess.run(["dpkg", "-x", archive, root], check=True)
        root.chmod(0o755)
        try:
            root.rename(folder)
        except OSError:
            if not folder.exists():
                raise


def download(packages: Sequence[str], scratch: Path, release: str = "") -> None:
    """Download the packages into `archives`; with lists of our own if need be."""
    (scratch / "archives/partial").mkdir(parents=True)
    (scratch / "lists/partial").mkdir(parents=True)
    install = ("--yes", "--download-only", "--no-install-recommends", "install", *packages)
    lists = [f"--option=Dir::State::lists={scratch / 'lists'}"]
    if release:
        lists += of_release(release, scratch / "sources.list")
    if (release or apt(scratch, *install)) and (
        said := apt(scratch, *lists, "update") or apt(scratch, *lists, *install)
    ):
        raise Unavailable(f"`apt-get install {' '.join(packages)}` failed: {said}")


def of_release(release: str, sources: Path) -> list[str]:
    """The options of `apt-get` for another release, as if nothing were installed."""
    listed = ("apt-get", "indextargets", "--format=$(REPO_URI)", "Created-By: Packages")
    done = subprocess.run(listed, capture_output=True, text=True, check=False)
    mirror = (done.stdout.split() or [""])[0]
    sources.write_text(f"deb {mirror} {release} main\n")
    options = {
        "Dir::Etc::sourcelist": str(sources),
        "Dir::Etc::sourceparts": "-",
        "Dir::State::status": os.devnull,
    }
    return [f"--option={name}={value}" for name, value in options.items()]


def apt(scratch: Path, *arguments: str) -> str:
    """Run `apt-get` without its locks, which root alone may take; gives its errors, if any."""
    options = {
        "Debug::NoLocking": "1",
        "Dir::Cache::archives": str(scratch / "archives"),
        "APT::Sandbox::User": "root",
        "Acquire::http::Timeout": "20",
        "Acquire::https::Timeout": "20",
    }
    done = subprocess.run(
        ["apt-get", "-qq", *(f"--option={name}={options[name]}" for name in options), *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    return "; ".join(done.stderr.splitlines()[-3:]) or "no reason given" if done.returncode else ""
