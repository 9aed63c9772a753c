"""Folders: whether the one that a connection names can be listed and written to."""

import os
import shutil
import stat
from itertools import islice
from typing import ClassVar, Final

from osiris_lsp.connectors import paths
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.health import Check

MAX_ENTRIES: Final = 10_000
"""Entries of a folder that are counted."""


class FilesystemConnector(Connector):
    """A folder that steps read files from and write files to."""

    family: ClassVar[str] = "filesystem"

    def probe(self, check: Check) -> None:
        """List the folder and ask for its rights; nothing is written."""
        path = paths.path_of(check, "base_dir")
        mode = paths.mode_of(path, "base_dir")
        if mode is None:
            raise paths.missing(path, "base_dir")
        if not stat.S_ISDIR(mode):
            raise ConnectorConfigError(
                f"{path} is no folder",
                code="file.no_folder",
                field="base_dir",
                remedy="name the folder that the file is in",
            )
        if not os.access(path, os.R_OK | os.X_OK):
            raise paths.denied("base_dir", f"this user may not list {path}")
        with os.scandir(path) as entries:
            check.facts["entries"] = sum(1 for _ in islice(entries, MAX_ENTRIES))
        check.facts["free_bytes"] = shutil.disk_usage(path).free
        check.facts["writable"] = os.access(path, os.W_OK | os.X_OK)
        if not check.facts["writable"]:
            check.facts["hint"] = "this user can read files there, but not write any"


CONNECTOR: Final = FilesystemConnector()
