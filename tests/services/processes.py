"""Servers as processes: an unprivileged user, a keeper, a free port."""

import errno
import os
import pwd
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.services import keeper
from tests.services.run import Run

PASSWORD = "p@ss/w:rd#1%"
ROOT_PASSWORD = "r00t/p@ss"


@dataclass(frozen=True)
class Server:
    """A server that runs: all its accounts have `password`, but for the administrator `root`."""

    host: str
    port: int
    tls_port: int  # the same as `port` where one port speaks both
    socket: Path
    folder: Path
    root: str
    root_password: str = ROOT_PASSWORD
    password: str = PASSWORD

    def signal(self, number: int) -> None:
        """Send a signal to the server: SIGKILL for a crash, SIGSTOP for a hang."""
        os.kill(int((self.folder / "server").read_text()), number)

    def stop(self) -> None:
        """End the server and remove its folder."""
        stop(self.folder)
        shutil.rmtree(self.folder)

    def log(self) -> str:
        """What the server wrote so far."""
        return (self.folder / "log").read_text(errors="replace")


def launch(
    run: Run,
    folder: Path,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stop_signal: int,
    ready: Callable[[], bool],
) -> None:
    """Start a server that outlives this process but not the run, and wait until it is ready.

    The folder gets its output in `log`. RuntimeError when it ends or is not ready in 30 seconds.
    """
    arguments = [run.pid, folder, stop_signal, *unprivileged(command, environment)]
    log = folder / "log"
    keeper_pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", keeper.__file__, *map(str, arguments)],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,  # Ctrl-C ends the run, and that ends the keeper
    )
    deadline = time.monotonic() + 30
    while not ready():
        ended = has_ended(keeper_pid)
        if ended or time.monotonic() > deadline:
            if not ended:
                stop(folder)
            problem = "ended" if ended else "was not ready in 30 s"
            tail = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"`{command[0]}` {problem}; its log in {folder} ends with:\n{tail}")
        time.sleep(0.01)


def stop(folder: Path) -> None:
    """End the server of a folder and wait for it; nothing happens when it ended before."""
    try:
        pid = int((folder / "keeper").read_text())
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        return
    if not has_ended(pid, timeout=10):
        os.kill(pid, signal.SIGKILL)


def has_ended(pid: int, timeout: float = 0) -> bool:
    """Whether the process ends within `timeout` seconds."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], timeout)[0])
    finally:
        os.close(process)


def unprivileged(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The command with nothing but that environment, run by `nobody` if we are root.

    When its parent dies, the kernel kills it.
    """
    path = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", **environment}
    user = pwd.getpwnam("nobody")
    become = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [
        *("setpriv", "--pdeathsig=QUIT", *(become if os.geteuid() == 0 else [])),
        *("env", "--ignore-environment", *(f"{name}={path[name]}" for name in path)),
        *command,
    ]


def call(command: Sequence[str], environment: Mapping[str, str], text: str = "") -> None:
    """Run a command that ends by itself, with `text` as its input; RuntimeError if it fails."""
    done = subprocess.run(
        unprivileged(command, environment),
        check=False,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        cwd="/",
    )
    if done.returncode:
        raise RuntimeError(f"`{command[0]}` ended with {done.returncode}:\n{done.stdout[-2000:]}")


def give(*paths: Path) -> None:
    """Make the servers' user the owner of files and folders."""
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, "nobody")


def copy(folder: Path, target: Path) -> None:
    """Copy a data folder; the copy is the servers' user's own too."""
    shutil.copytree(folder, target)
    give(target, *target.rglob("*"))


def addresses() -> list[str]:
    """The loopback addresses of this machine: not every container has the one of IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ["127.0.0.1"]
    return ["127.0.0.1", "::1"]


def free_port() -> int:
    """A port that is free on all loopback addresses, out of the kernel's reach for clients."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        try:
            for address in addresses():
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                with socket.socket(family, socket.SOCK_STREAM) as probe:
                    probe.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return port


def answers(port: int, request: bytes = b"") -> bool:
    """Whether a server on that port says something (after the request)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(request)
            return connection.recv(1) != b""
    except OSError:
        return False
