"""VS Code in a browser: its server as code-server packs it, without the code around it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.services import node, packages
from tests.services.processes import free_port
from tests.services.run import Unavailable

_VERSION: Final = "4.100.3"  # VS Code 1.100.3, the last one for Node 20
_INSTALL: Final = ("npm", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
_NODE: Final = shutil.which("node") or "node"  # whatever `PATH` the editor gets
_QUIET: Final = ("--accept-server-license-terms", "--telemetry-level=off")


def program() -> Path:
    """The script of the server, downloaded once; `Unavailable` when npm cannot get it."""
    folder = packages.cache().parent / "npm" / f"vscode-{_VERSION}"
    if not folder.exists():
        source = node.package("code-server", _VERSION) / "lib" / "vscode"
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch, "vscode")
            shutil.copytree(source, made, symlinks=True)
            npm(made, "install", "--omit=dev", "--legacy-peer-deps")
            publish(made, folder)
    return folder / "out" / "server-main.js"


def extension_packages(lock: Path) -> Path:
    """The `node_modules` that a lock file names, installed once for its content."""
    content = lock.read_text("utf-8")
    name = f"extension-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    folder = packages.cache().parent / "npm" / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch, "extension")
            made.mkdir()
            for file in ("package.json", "package-lock.json"):
                shutil.copy(lock.with_name(file), made)
            npm(made, "ci")
            publish(made, folder)
    return folder / "node_modules"


def installed(name: str, version: str) -> Path:
    """The folder of a package beside what it depends on; `Unavailable` when npm cannot get it."""
    folder = packages.cache().parent / "npm" / f"{name}-{version}-installed"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch, "made")
            made.mkdir()
            npm(made, "install", "--prefix=.", f"{name}@{version}")
            publish(made, folder)
    return folder / "node_modules" / name


def built(checkout: Path, folder: Path, modules: Path) -> Path:
    """Build the extension and its wheel in an empty folder; return the .vsix."""
    source, out = folder / "extension", folder / "osiris-lsp.vsix"
    ignored = shutil.ignore_patterns("node_modules", "dist", "LICENSE")
    shutil.copytree(checkout / "editors" / "vscode", source, ignore=ignored)
    (source / "node_modules").symlink_to(modules)
    wheel = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    call([*wheel, str(checkout)], os.environ, folder)
    (path,) = folder.glob("*.whl")
    call(["node", "node_modules/typescript/bin/tsc"], os.environ, source)
    call(["node", "build.mjs", str(checkout), str(path), str(out)], os.environ, source)
    return out


def bundled(script: Path, out: Path, modules: Path, **names: str) -> Path:
    """Bundle a script with the packages that it requires; names in it become texts."""
    defined = [f"--define:{name}={json.dumps(text)}" for name, text in names.items()]
    options = ["--bundle", "--platform=node", "--external:vscode", f"--outfile={out}", *defined]
    environment = {**os.environ, "NODE_PATH": str(modules)}
    call([str(modules / ".bin/esbuild"), str(script), *options], environment, out.parent)
    return out


def packed(folder: Path, manifest: Mapping[str, Any], code: Path) -> Path:
    """Pack a small extension of one script; return the .vsix."""
    about = {
        "version": "1.0.0",
        "engines": {"vscode": "^1.91.0"},
        "main": "./main.js",
        "activationEvents": [],
        **manifest,
    }
    out = folder / f"{manifest['publisher']}.{manifest['name']}.vsix"
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("extension/package.json", json.dumps(about))
        archive.write(code, "extension/main.js")
    return out


def npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder; `Unavailable` when there is none or it fails."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise Unavailable("Node 20 and `npm` are needed (Debian: `apt install nodejs npm`)")
    done = subprocess.run(
        [_INSTALL[0], *arguments, *_INSTALL[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise Unavailable(f"`npm {' '.join(arguments)}` failed: {done.stderr.strip()[-300:]}")


def publish(made: Path, folder: Path) -> None:
    """Move a finished folder to its place, unless another run was first."""
    try:
        made.rename(folder)
    except OSError:
        if not folder.exists():
            raise


@contextmanager
def serving(
    folder: Path,
    extensions: Sequence[Path],
    settings: Mapping[str, Any],
    variables: Mapping[str, str],
    *options: str,
) -> Iterator[str]:
    """Serve an editor with extensions and settings of the machine; yield its address."""
    script, port = program(), free_port()
    configure(folder, settings)
    places = (f"--server-data-dir={folder}", f"--extensions-dir={folder}/extensions")
    environment = {**os.environ, **variables}
    install = [f"--install-extension={extension}" for extension in extensions]
    call([_NODE, str(script), *_QUIET, *places, *install], environment, folder)
    command = [_NODE, str(script), *_QUIET, *places, "--without-connection-token", *options]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            # Else programs get the variables of a login shell in place of ours.
            [*command, "--host=127.0.0.1", f"--port={port}", "--force-disable-user-env"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait(address, folder / "log")
        yield address
    finally:
        server.terminate()
        server.wait(20)


def configure(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write the settings of the machine, which a running editor reads again."""
    machine = folder / "data" / "Machine" / "settings.json"
    machine.parent.mkdir(parents=True, exist_ok=True)
    machine.write_text(json.dumps(settings))


def call(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
    """Run a command that has to work."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"


def wait(address: str, log: Path) -> None:
    """Wait until the editor answers."""
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        try:
            with urllib.request.urlopen(f"{address}/version"):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the editor does not answer:\n{log.read_text()}")
