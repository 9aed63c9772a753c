"""Credentials in files: mounted secrets of Docker and Kubernetes."""

import os
import stat
from dataclasses import dataclass
from typing import Final

from osiris_lsp.connectors.credentials.provider import CredentialProvider
from osiris_lsp.connectors.errors import CredentialError
from osiris_lsp.discovery import is_inside

MAX_BYTES: Final = 64 * 1024
"""Size up to which a file is taken for a secret."""

_NO_PLACE: Final = ("\\\\", "//", "/dev/", "/proc/", "/sys/")

# Opening a FIFO must not wait for its writer, nor a terminal become ours.
_AT_ONCE: Final[int] = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


@dataclass(frozen=True, eq=False)
class FileCredentialProvider(CredentialProvider):
    """Files by path: a secret is the text of a file without its last line break.

    A relative name is a file below `base`, also once links are followed; without a base it starts
    at the current folder. An absolute name is read as it is: `${file:/run/secrets/x}`.
    """

    base: str | os.PathLike[str] | None = None

    def get(self, name: str) -> str | None:
        """Return the text of a regular file of at most 64 kB, or None if there is no such file."""
        path = self._path(name)
        try:
            content = _read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(name, error.strerror or "the system refused it") from None
        if len(content) > MAX_BYTES:
            raise _unreadable(name, f"it has more than {MAX_BYTES} bytes")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = None
        if text is None:  # behind the handler, for the error of the codec holds the bytes
            raise _unreadable(name, "it is not UTF-8")
        return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text

    def _path(self, name: str) -> str:
        if not name or not name.isprintable():  # a NUL byte, a lone surrogate
            raise _unreadable(name, "it is no path")
        path = name if self.base is None else os.path.join(self.base, name)
        if os.path.realpath(path).startswith(_NO_PLACE) or name.startswith(_NO_PLACE):
            raise _unreadable(name, "devices and network shares hold no secrets")
        if self.base is None or os.path.isabs(name) or is_inside(path, os.fspath(self.base)):
            return path
        raise _unreadable(name, f"it lies outside `{os.fspath(self.base)}`")


def _read(path: str) -> bytes:
    with open(path, "rb", opener=lambda path, flags: os.open(path, flags | _AT_ONCE)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "it is no regular file")
        return file.read(MAX_BYTES + 1)


def _unreadable(name: str, reason: str) -> CredentialError:
    return CredentialError(
        f"`{name}` cannot be read: {reason}",
        code="credential.unreadable",
        remedy="name a small text file that this user may read",
    )
