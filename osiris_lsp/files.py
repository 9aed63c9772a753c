"""Files on disk: whether they changed, and writing so that nothing is ever half-written."""

import contextlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from typing import Final

Stamp = tuple[int, int, int, int]
"""Facts of a file that change when its content does; the first two are times in nanoseconds."""

_PREFIX: Final = ".osiris-lsp-"

_PATIENCE: Final = 2.0
"""Seconds for which a lock is waited for: who holds one has it for much less."""

_ABANDONED: Final = 600.0
"""Seconds after which nobody is still writing a temporary file."""


def stamp(path: str) -> Stamp | None:
    """Return the facts of a file, None where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def digest(data: bytes) -> str:
    """Return what stands for data, and does not give it away."""
    from hashlib import blake2b

    return blake2b(data, digest_size=16).hexdigest()


def is_temporary(name: str) -> bool:
    """Tell whether a file has the name of one that was not finished."""
    return name.startswith(_PREFIX) and "." not in name[1:]


def replace(
    path: str, data: bytes, mode: int = 0o644, *, still: Callable[[], None] | None = None
) -> None:
    """Give a file new content atomically, with `mode` and the owner that it had.

    The content is on the disk before the name changes hands. What a killed run left in the folder
    is taken away. `still` is called right before and may
    raise to leave the file as it is. Raises OSError when it cannot be written.
    """
    import tempfile

    target = os.path.realpath(path)
    _sweep(os.path.dirname(target))
    owner = None
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(target)
        owner = status.st_uid, status.st_gid
    handle, temporary = tempfile.mkstemp(prefix=_PREFIX, dir=os.path.dirname(target))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        if owner is not None and hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):
                os.chown(temporary, *owner)
        if still is not None:
            still()
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def locked(folder: str) -> Iterator[bool]:
    """Keep other processes that ask for the same folder waiting; False where it is not to be had.

    Where locks are unknown (Windows, some network disks), nobody waits.
    """
    try:
        import fcntl
    except ImportError:
        yield True
        return
    handle = os.open(folder, os.O_RDONLY)
    until = time.monotonic() + _PATIENCE
    is_mine = True
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                is_mine = time.monotonic() < until
                if is_mine:
                    time.sleep(0.01)
                    continue
            except OSError:
                pass
            break
        yield is_mine
    finally:
        os.close(handle)


def _sweep(folder: str) -> None:
    """Remove temporary files that nobody writes any more."""
    before = time.time() - _ABANDONED
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if is_temporary(entry.name) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                mine = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
                if mine and status.st_mtime < before:
                    os.unlink(entry.path)
