"""Recorded traffic against the definitions that the metamodel of LSP 3.17 is generated from.

`metaModel.json` itself is in no package. Microsoft generates it from the TypeScript definitions of
`vscode-languageserver-protocol`, so each message is written as a typed literal and the compiler
says what the protocol does not have. Nothing of either package (MIT, Apache 2.0) is kept here.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

_HERE: Final = Path(__file__).parent
_FILES: Final = ("package.json", "package-lock.json", "protocol.ts")
_OPTIONS: Final = (
    "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck",
    "--module", "esnext", "--moduleResolution", "bundler", "--pretty", "false",
)  # fmt: skip
_ERROR: Final = re.compile(r"session\.ts\((\d+),\d+\): error (.*)")


class Message(NamedTuple):
    """A message of a session, and who sent it: `client` or `server`."""

    sender: str
    data: dict[str, Any]


def install(folder: Path) -> Path:
    """Install what the lock file names into a folder, and return the folder."""
    assert shutil.which("npm"), "`npm` is not installed (Debian: `apt install nodejs npm`)"
    for name in _FILES:
        shutil.copy(_HERE / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"`{' '.join(command)}` failed:\n{done.stderr}"
    return folder


def violations(folder: Path, session: Sequence[Message]) -> list[str]:
    """Return what the messages of a session have that the protocol has not, in their order."""
    lines = ['import type { Params, Result } from "./protocol";']
    about: list[Message] = []
    found: list[str] = []
    for message, type_, value in _typed(session):
        found += [f"{message.sender}: {text}: {message.data}" for text in _envelope(message.data)]
        if type_ is not None:
            literal = "undefined" if value is _NOTHING else json.dumps(value)
            lines.append(f"export const m{len(lines)}: {type_} = {literal};")
            about.append(message)
    (folder / "session.ts").write_text("\n".join(lines))
    command = ["node", "node_modules/typescript/bin/tsc", *_OPTIONS, "session.ts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        error = _ERROR.match(line)
        if error:
            message = about[int(error[1]) - 2]
            found.append(f"{message.sender}: {error[2]}: {message.data}")
        else:
            found.append(line.strip())
    return found


_NOTHING: Final = object()


def _typed(session: Sequence[Message]) -> Iterator[tuple[Message, str | None, Any]]:
    """Yield the messages with the type of their parameters or result; None for our own methods."""
    asked: dict[tuple[str, Any], str] = {}
    for message in session:
        data = message.data
        method = data.get("method")
        if method is not None:
            if "id" in data:
                asked[message.sender, data["id"]] = method
            value = data.get("params", _NOTHING)
            yield message, _type("Params", method), value
        elif "result" in data:
            other = "server" if message.sender == "client" else "client"
            yield message, _type("Result", asked[other, data["id"]]), data["result"]
        else:
            yield message, None, None


def _type(kind: str, method: str) -> str | None:
    return None if method.startswith("osiris/") else f'{kind}<"{method}">'


def _envelope(data: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong around parameters and results, and numbers that no type tells apart."""
    shapes = (
        {"jsonrpc", "method", "params"},
        {"jsonrpc", "id", "method", "params"},
        {"jsonrpc", "id", "result"},
        {"jsonrpc", "id", "error"},
    )
    optional = {"params"}
    if data.get("jsonrpc") != "2.0":
        yield "not JSON-RPC 2.0"
    if not any(shape - optional <= data.keys() <= shape for shape in shapes):
        yield "neither a request, a notification nor a response"
    if "params" in data and not isinstance(data["params"], dict | list):
        yield "parameters that are neither an object nor an array"
    error = data.get("error")
    if error is not None and not (
        isinstance(error.get("code"), int)
        and isinstance(error.get("message"), str)
        and error.keys() <= {"code", "message", "data"}
    ):
        yield "an error of another form"
    for value in _numbers({key: item for key, item in data.items() if key != "error"}):
        if not isinstance(value, int) or not 0 <= value < 2**31:
            yield f"{value} is no uinteger"


def _numbers(data: Any) -> Iterator[float]:
    if isinstance(data, dict):
        for key, value in data.items():
            if key not in {"latency_ms", "elapsed_ms"}:  # ours, in results of commands
                yield from _numbers(value)
    elif isinstance(data, list):
        for value in data:
            yield from _numbers(value)
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield data
