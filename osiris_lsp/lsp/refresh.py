"""Asking the client to request anew what depends on more than one document."""

import asyncio
from collections.abc import Awaitable, Callable

from lsprotocol import types

from osiris_lsp.documents import PipelineDocument
from osiris_lsp.lsp.server import Server
from osiris_lsp.project import Usage

Supported = Callable[[types.WorkspaceClientCapabilities], bool]


class Refresh:
    """A listener that asks, once changes pause, when something wide has changed.

    With `usages` it also asks when a pipeline uses other connections than before. `(None, False)`
    stands for results of checks.
    """

    def __init__(
        self,
        server: Server,
        supported: Supported,
        ask: Callable[[], Awaitable[object]],
        *,
        usages: bool = False,
    ) -> None:
        self._server = server
        self._supported = supported
        self._ask = ask
        self._usages = usages
        self._known: dict[str, frozenset[tuple[str, Usage]]] = {}
        self._changed: set[str] = set()
        self._wide = False
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, uri: str | None, wide: bool) -> None:
        """Note a change."""
        workspace = self._server.client_capabilities.workspace
        if workspace is None or not self._supported(workspace):
            return
        self._wide = self._wide or wide or uri is None
        if uri is not None and self._usages:
            self._changed.add(uri)
        if self._wide or self._changed:
            if self._timer is not None:
                self._timer.cancel()
            delay = self._server.options.debounce / 1000
            self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _due(self) -> None:
        changed = [self._is_changed(uri) for uri in self._changed]
        due = self._wide or any(changed)
        self._changed.clear()
        self._wide = False
        if due:
            self._server.soon(self._send())

    def _is_changed(self, uri: str) -> bool:
        view = self._server.view(uri)
        if view is None or not isinstance(view.document, PipelineDocument):
            return self._known.pop(uri, None) is not None
        found = view.project.note(view.document)
        before = self._known.get(uri)
        self._known[uri] = found
        return before is not None and before != found

    async def _send(self) -> None:
        await self._ask()
