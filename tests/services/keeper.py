"""Keeps a server for as long as a test run lives: `keeper.py RUN_PID FOLDER SIGNAL COMMAND…`.

The server ends with the signal when the run's process is gone, however that came, or when the
keeper is told to end; `FOLDER/keeper` and `FOLDER/server` hold the process ids until then.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path


def keep(run: int, folder: Path, stop: int, command: list[str]) -> None:
    """Run the command until it ends, the process `run` ends or this process is told to end."""
    try:
        run_ended = os.pidfd_open(run)
    except ProcessLookupError:
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    server = subprocess.Popen(command)
    try:
        (folder / "server").write_text(str(server.pid))
        (folder / "keeper").write_text(str(os.getpid()))
        select.select([run_ended, os.pidfd_open(server.pid)], [], [])
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end(server, stop)
        (folder / "keeper").unlink(missing_ok=True)
        if select.select([run_ended], [], [], 0)[0]:  # a run that was killed cannot tidy up
            shutil.rmtree(folder.parent, ignore_errors=True)


def end(server: subprocess.Popen[bytes], stop: int) -> None:
    """End the server, by force after 5 seconds."""
    server.send_signal(stop)
    server.send_signal(signal.SIGCONT)  # a test may have stopped it
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    keep(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
