"""Helix, which the release of Debian after this one has."""

from pathlib import Path

from tests.services import packages


def helix() -> tuple[list[str], dict[str, str]]:
    """The command and its variables; `Unavailable` where the package cannot be had."""
    root, program = packages.find("usr/lib/hx/hx", "hx", release="trixie")
    if root == Path("/"):
        return ["hx"], {}
    (linker,) = root.glob("usr/lib64/ld-linux-*.so.2")
    libraries = packages.environment(root)["LD_LIBRARY_PATH"]
    command = [str(linker), "--library-path", libraries, str(program)]
    return command, {"HELIX_RUNTIME": str(root / "usr/lib/hx/runtime")}
