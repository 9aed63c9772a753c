"""Edits that the server asks the client to make."""

from collections.abc import Sequence
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris_lsp.lsp.server import Server


async def apply(
    server: Server,
    uri: str,
    edits: Sequence[types.TextEdit],
    label: str,
    *,
    create: bool = False,
) -> bool:
    """Have the client edit a document, which `create` makes first; False where it did not.

    A client that knows versions refuses the edit when the document has changed meanwhile.
    """
    document = server.workspace.text_documents.get(uri)
    version = document.version if document is not None else None
    if create or takes_versions(server):
        identifier = types.OptionalVersionedTextDocumentIdentifier(uri, version)
        changes: list[Any] = [types.TextDocumentEdit(identifier, list(edits))]
        if create:
            options = types.CreateFileOptions(overwrite=False, ignore_if_exists=True)
            changes.insert(0, types.CreateFile(uri, options=options))
        edit = types.WorkspaceEdit(document_changes=changes)
    else:
        edit = types.WorkspaceEdit(changes={uri: list(edits)})
    try:
        answer = await server.workspace_apply_edit_async(
            types.ApplyWorkspaceEditParams(edit, label)
        )
    except JsonRpcException:
        return False
    return answer.applied


def takes_versions(server: Server) -> bool:
    """Tell whether the client takes edits with the versions of documents."""
    workspace = server.client_capabilities.workspace
    support = workspace.workspace_edit if workspace is not None else None
    return support is not None and bool(support.document_changes)


def can_create(server: Server) -> bool:
    """Tell whether the client makes new files as part of an edit."""
    workspace = server.client_capabilities.workspace
    support = workspace.workspace_edit if workspace is not None else None
    operations = (support.resource_operations if support is not None else None) or ()
    return types.ResourceOperationKind.Create in operations
