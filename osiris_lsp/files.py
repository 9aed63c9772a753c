"""Writing files so that nothing is ever half-written."""

import contextlib
import os
import tempfile
from collections.abc import Callable


def replace(
    path: str, data: bytes, mode: int = 0o644, *, still: Callable[[], None] | None = None
) -> None:
    """Give a file new content atomically, with `mode` and the owner that it had.

    The content is on the disk before the name changes hands. `still` is called right before and may
    raise to leave the file as it is. Raises OSError when it cannot be written.
    """
    target = os.path.realpath(path)
    owner = None
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(target)
        owner = status.st_uid, status.st_gid
    handle, temporary = tempfile.mkstemp(prefix=".osiris-lsp-", dir=os.path.dirname(target))
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
