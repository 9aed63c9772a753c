"""Where variables have their values: names and sources, never a value."""

import os
from collections.abc import Mapping
from typing import Final

from osiris_lsp.documents import ConnectionsDocument, Document
from osiris_lsp.envfile import parse
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View

ENVIRONMENT: Final = "environment"
DOTENV: Final = ".env"


class Variables:
    """The variables that hold for a document; an empty value counts as missing (R-03).

    `document` is the connections file that they stand in, where there is one.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        stored: Mapping[str, str | None],
        document: Document,
    ) -> None:
        self.document = document
        self._environment = environment
        self._stored = stored

    def source(self, name: str) -> str | None:
        """Return `environment` or `.env`, or None for a variable without a value."""
        if self._environment.get(name):
            return ENVIRONMENT
        return DOTENV if self._stored.get(name) else None

    def is_empty(self, name: str) -> bool:
        """Tell whether a variable is set, but to an empty value."""
        known = name in self._environment or name in self._stored
        return known and self.source(name) is None

    def variable(self, name: str) -> tuple[str, str] | None:
        """Return the reference itself with the source, as `connectors.display` asks for values."""
        source = self.source(name)
        return None if source is None else (f"${{{name}}}", source)


def variables_for(server: Server, view: View) -> Variables:
    """Return the variables that hold for a document, with `.env` as it is now.

    Not every client says when that file changes, so it is read each time; it is small.
    """
    document = view.document
    path = (
        document.path
        if isinstance(document, ConnectionsDocument)
        else view.project.connections_path(document.path)
    )
    stored: Mapping[str, str | None] = {}
    if path is not None:
        text, _ = view.project.read(os.path.join(os.path.dirname(path), DOTENV))
        stored = parse(text) if text else {}
    is_own = isinstance(document, ConnectionsDocument)
    connections = None if is_own else view.project.connections_for(document.path)
    return Variables(server.projects.environment, stored, connections or document)
