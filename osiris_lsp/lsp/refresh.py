"""Asking the client to request anew what depends on more than one document."""

import asyncio
from collections.abc import Awaitable, Callable

from lsprotocol import types

from osiris_lsp.lsp.server import Server

Supported = Callable[[types.WorkspaceClientCapabilities], bool]


class Refresh:
    """A listener that asks, once changes pause, when something wide has changed.

    `(None, False)` stands for results of checks.
    """

    def __init__(
        self, server: Server, supported: Supported, ask: Callable[[], Awaitable[object]]
    ) -> None:
        self._server = server
        self._supported = supported
        self._ask = ask
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, uri: str | None, wide: bool) -> None:
        """Note a change."""
        workspace = self._server.client_capabilities.workspace
        if workspace is None or not self._supported(workspace) or not (wide or uri is None):
            return
        if self._timer is not None:
            self._timer.cancel()
        delay = self._server.options.debounce / 1000
        self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _due(self) -> None:
        self._server.soon(self._send())

    async def _send(self) -> None:
        await self._ask()
