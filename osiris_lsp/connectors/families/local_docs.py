"""Folders of documents: whether the one that a connection names can be listed."""

import os
import stat
from itertools import islice
from typing import ClassVar, Final

from osiris_lsp.connectors import paths
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.health import Check

MAX_ENTRIES: Final = 10_000
"""Entries of a folder that are counted."""


class LocalDocsConnector(Connector):
    """A folder in which evidence is looked for."""

    family: ClassVar[str] = "local_docs"

    def probe(self, check: Check) -> None:
        """List the folder."""
        path = paths.path_of(check, "root")
        mode = paths.mode_of(path, "root")
        if mode is None:
            raise paths.missing(path, "root")
        if not stat.S_ISDIR(mode):
            raise ConnectorConfigError(
                f"{path} is no folder",
                code="file.no_folder",
                field="root",
                remedy="name the folder that the documents are in",
            )
        if not os.access(path, os.R_OK | os.X_OK):
            raise paths.denied("root", f"this user may not list {path}")
        with os.scandir(path) as entries:
            check.facts["entries"] = sum(1 for _ in islice(entries, MAX_ENTRIES))


CONNECTOR: Final = LocalDocsConnector()
