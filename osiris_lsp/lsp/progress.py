"""Progress of what takes long, shown by the client; its button cancels the request."""

import asyncio
import uuid
from types import TracebackType

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris_lsp.lsp.server import Server


class Progress:
    """The progress of a request, told with a token that the client knows, if there is one."""

    def __init__(
        self,
        server: Server,
        title: str,
        token: types.ProgressToken | None,
        total: int | None = None,
    ) -> None:
        self._total = total
        self._progress = server.work_done_progress
        self._title = title
        self._token = token if token not in self._progress.tokens else None

    async def __aenter__(self) -> "Progress":
        task = asyncio.current_task()
        if self._token is not None and task is not None:
            share = None if self._total is None else 0
            begin = types.WorkDoneProgressBegin(self._title, cancellable=True, percentage=share)
            self._progress.begin(self._token, begin)
            self._progress.tokens[self._token].add_done_callback(lambda _: task.cancel())
        return self

    def report(self, done: int) -> None:
        """Show how much of the total is done."""
        if self._token is not None and self._total is not None:
            share = 100 * done // max(self._total, 1)
            message = f"{done}/{self._total}"
            report = types.WorkDoneProgressReport(message=message, percentage=share)
            self._progress.report(self._token, report)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            self._progress.tokens.pop(self._token, None)
            self._progress.end(self._token, types.WorkDoneProgressEnd())


async def created(server: Server) -> types.ProgressToken | None:
    """Return a token of our own, or None where the client takes none."""
    window = server.client_capabilities.window
    if window is None or not window.work_done_progress:
        return None
    token = str(uuid.uuid4())
    try:
        await server.window_work_done_progress_create_async(
            types.WorkDoneProgressCreateParams(token)
        )
    except JsonRpcException:
        return None
    return token
