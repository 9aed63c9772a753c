"""Documents open, change and close; files change on disk; folders come and go."""

import asyncio

from lsprotocol import types

from osiris_lsp.lsp.server import Server


def register(server: Server) -> None:
    """Register the handlers."""
    timer: asyncio.TimerHandle | None = None
    edited_uris: set[str] = set()

    def settle_soon() -> None:
        """Compare which connections are used once edits pause, after they were linted."""
        nonlocal timer
        if timer is not None:
            timer.cancel()
        delay = server.options.debounce / 1000
        timer = asyncio.get_running_loop().call_later(delay, settle)

    def settle() -> None:
        for uri in edited_uris:
            view = server.view(uri)
            if view is not None:
                _ = view.findings  # linting takes note of what is used
        edited_uris.clear()
        server.projects.settle()

    def grown() -> None:
        asyncio.get_running_loop().call_soon(server.refresh)

    server.projects.grown = grown

    def changed(uri: str) -> None:
        text = server.workspace.text_documents.get(uri)
        wide = server.projects.put(server.path(uri), text.source if text is not None else None)
        server.touched(uri, wide)
        edited_uris.add(uri)
        settle_soon()

    @server.on(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        changed(params.text_document.uri)

    @server.on(types.TEXT_DOCUMENT_DID_CHANGE)
    async def edited(params: types.DidChangeTextDocumentParams) -> None:
        changed(params.text_document.uri)

    @server.on(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.touched(uri, server.projects.changed(server.path(uri)))
        settle_soon()

    @server.on(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)
        changed(params.text_document.uri)

    @server.on(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def watched(params: types.DidChangeWatchedFilesParams) -> None:
        paths = [server.path(change.uri) for change in params.changes]
        # What an editor holds is newer than the disk.
        fresh = [path for path in paths if path not in server.projects.texts]
        wide = [server.projects.changed(path) for path in fresh]
        if any(wide) or (fresh and server.options.scope == "workspace"):
            server.refresh()
        settle_soon()

    @server.on(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        server.read_folders()
        server.projects.reset()
        server.refresh()
