"""Files below one folder: nothing outside of it is read, whatever a name or a link says."""

import os
import stat
from collections.abc import Collection, Iterator
from typing import Final

from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorValidationError

MOST: Final = 20_000
"""Files of a folder that are looked at."""


class Folder:
    """A folder whose files can be listed and read. Links that lead out of it do not exist here."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.path.realpath(os.path.expanduser(os.fspath(root)))

    def require(self) -> None:
        """Raise ConnectorConfigError where the folder is not there."""
        if not os.path.isdir(self.root):
            raise ConnectorConfigError(
                f"there is no folder {self.root}",
                code="file.no_folder",
                field="root",
                remedy="create it, or correct `root`",
            )

    def files(self, suffixes: Collection[str]) -> Iterator[str]:
        """Yield the names of files with one of these endings, hidden ones left out, in order."""
        self.require()
        seen = 0
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                seen += 1
                if seen > MOST:
                    return
                if not name.startswith(".") and name.lower().endswith(tuple(suffixes)):
                    yield os.path.relpath(os.path.join(folder, name), self.root).replace(
                        os.sep, "/"
                    )

    def read(self, name: str, limit: int) -> tuple[bytes, float] | None:
        """Return what a file holds and when it was changed; None where there is no such file.

        Raises ConnectorValidationError for a file of more than `limit` bytes.
        """
        path = self._path(name)
        if path is None:
            return None
        try:
            # The path is real: a last part that is a link by now was put there to lead elsewhere.
            # Without O_NONBLOCK a pipe would wait for a writer.
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            number = os.open(path, flags | getattr(os, "O_BINARY", 0))
        except OSError:
            return None
        with os.fdopen(number, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                return None
            data = file.read(limit + 1)
        if len(data) > limit:
            raise ConnectorValidationError(
                f"the file has more than {limit} bytes",
                code="file.too_large",
                remedy="split it, or raise the limit",
            )
        return data, about.st_mtime

    def _path(self, name: str) -> str | None:
        """Return the real path of a name, or None where it leads out of the folder."""
        if not name or "\0" in name or os.path.isabs(name):
            return None
        path = os.path.realpath(os.path.join(self.root, name))
        inside = os.path.commonpath((self.root, path)) == self.root if self._same(path) else False
        return path if inside and path != self.root else None

    def _same(self, path: str) -> bool:
        return os.path.splitdrive(path)[0] == os.path.splitdrive(self.root)[0]
