"""The language servers that are measured: ours, pushing and pulled, and yaml-language-server."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench.client import Server
from tests.bench.tools import BIN, OURS

PEER: Final = "yaml-language-server"
# The last one that runs on Node 20; 2.0.0 needs 22.13.
VERSION: Final = "1.25.0"
# Inside the virtual environment: `make clean` removes it with all else.
CACHE: Final = Path(sys.prefix) / "bench" / f"{PEER}-{VERSION}"
PACKAGE: Final = CACHE / "node_modules" / PEER
UNDELAYED: Final = Path(__file__).parent / "undelayed.js"


def ours() -> Sequence[Server]:
    """Our server, once for a client that is pushed to and once for one that pulls."""
    command = [str(BIN / OURS), "server"]
    settings = {"osiris": {"lint": {"debounce": 0}}}
    return (
        Server(f"{OURS}, push", command, settings),
        Server(f"{OURS}, pull", command, settings, pulls=True),
    )


def peer(schemas: Path) -> Server:
    """yaml-language-server with the schemas in a folder, and nothing from the network."""
    patterns = {
        "connections": ["osiris_connections.yaml", "c.yaml"],
        "pipeline": ["pipelines/*.yaml", "d.yaml"],
    }
    settings = {
        "schemas": {(schemas / f"{name}.json").as_uri(): p for name, p in patterns.items()},
        "validate": True,
        "schemaStore": {"enable": False},
        "kubernetesCRDStore": {"enable": False},
        "format": {"enable": False},
    }
    command = ["node", str(UNDELAYED), str(PACKAGE), "--stdio"]
    return Server(PEER, command, {"yaml": settings}, versioned=False)


def install_peer() -> str | None:
    """Install yaml-language-server if it is not yet; return why it cannot be, if so."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        return f"`{missing[0]}` is not installed (Debian: `apt install nodejs npm`)"
    if PACKAGE.exists():
        return None
    print(f"installing {PEER} {VERSION} into {CACHE}", file=sys.stderr)
    new = CACHE.with_name(f"{CACHE.name}.new")
    command = ["npm", "install", "--prefix", str(new), "--ignore-scripts", "--no-audit"]
    new.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*command, "--no-fund", f"{PEER}@{VERSION}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["(no output)"]
        return f"npm could not install it: {last[0]}"
    new.rename(CACHE)
    return None
