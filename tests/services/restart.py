"""A server that crashes and comes back: the same data on the same port."""

import signal
from pathlib import Path

from tests.services.processes import Server, answers, has_ended, launch, stop
from tests.services.run import Run


def crash(server: Server) -> tuple[list[str], dict[str, str]]:
    """Kill a server, and return the command and the variables with which it ran."""
    process = Path("/proc", (server.folder / "server").read_text())
    command = (process / "cmdline").read_text().split("\0")[:-1]
    pairs = (process / "environ").read_text().split("\0")[:-1]
    server.signal(signal.SIGKILL)
    assert has_ended(int(process.name), timeout=10)
    stop(server.folder)
    # The file with which MariaDB was filled would be read again.
    command = [item for item in command if not item.startswith("--init-file")]
    return command, dict(pair.partition("=")[::2] for pair in pairs)


def revive(run: Run, server: Server, command: list[str], variables: dict[str, str]) -> None:
    """Start a server again that has crashed."""
    request = b"" if server.root == "root" else b"\0\0\0\x08\x04\xd2\x16\x2f"
    launch(
        run,
        server.folder,
        command,
        variables,
        stop_signal=signal.SIGTERM if server.root == "root" else signal.SIGQUIT,
        ready=lambda: answers(server.port, request),
    )
