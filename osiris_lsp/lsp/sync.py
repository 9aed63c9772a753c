"""Documents open, change and close; files change on disk; folders come and go."""

from lsprotocol import types

from osiris_lsp.lsp.server import Server


def register(server: Server) -> None:
    """Register the handlers."""

    def changed(uri: str) -> None:
        path = server.path(uri)
        text = server.workspace.text_documents.get(uri)
        if text is None:
            server.projects.texts.pop(path, None)
        else:
            server.projects.texts[path] = text.source
        wide = server.projects.changed(path)
        server.touched(uri, wide)

    @server.on(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        changed(params.text_document.uri)

    @server.on(types.TEXT_DOCUMENT_DID_CHANGE)
    async def edited(params: types.DidChangeTextDocumentParams) -> None:
        changed(params.text_document.uri)

    @server.on(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        changed(params.text_document.uri)

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
        if any(wide):
            server.refresh()

    @server.on(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        server.read_folders()
        server.projects.reset()
        server.refresh()
