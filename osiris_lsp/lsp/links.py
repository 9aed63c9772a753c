"""Document links: files of the project that a text names, and its schema."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from lsprotocol import types
from pygls.uris import from_fs_path

from osiris_lsp.configs import is_absolute
from osiris_lsp.discovery import is_inside
from osiris_lsp.documents import Connection, ConnectionsDocument, PipelineDocument, Step
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.refs import has_variable
from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import Node, Scalar, deref

_SCHEMA: Final = lazy(r"(?m)^[ \t]*#[ \t]*yaml-language-server:[ \t]*\$schema=(\S+)")
_CONNECTIONS: Final = lazy(r"(?m)(?:^|[ \t])#[^\r\n]*?((?:[\w.-]+/)*osiris_connections\.ya?ml)\b")


class Candidate(NamedTuple):
    """A place that may link; `target` is a URL, or `paths` is where its file may lie."""

    span: Span
    tooltip: str
    paths: Sequence[str] = ()
    target: str | None = None


def candidates(view: View) -> Iterator[Candidate]:
    """Yield what may be a link in the order of its kind; the disk is not looked at."""
    document = view.document
    folder = os.path.dirname(document.path)
    for match in _SCHEMA.finditer(document.text):
        name, span = match[1], Span(*match.span(1))
        if name.startswith(("https://", "http://")):
            yield Candidate(span, "Open the schema", target=name)
        elif "://" not in name:
            yield Candidate(span, "Open the schema", _below([folder], name))
    for match in _CONNECTIONS.finditer(document.text):
        paths = _below([folder, view.project.root], match[1])
        yield Candidate(Span(*match.span(1)), "Open the connections file", paths)
    if isinstance(document, ConnectionsDocument):
        for entry in document.connections:
            yield from _of_connection(entry, [folder, view.project.root])
    elif isinstance(document, PipelineDocument):
        for step in document.modern_steps:
            yield from _of_step(view, step)


def _of_connection(entry: Connection, folders: Sequence[str]) -> Iterator[Candidate]:
    for mapping, section in entry.sections:
        for name, (_, value) in mapping.fields.items():
            yield from _path(section.fields.get(name), value, folders)


def _of_step(view: View, step: Step) -> Iterator[Candidate]:
    if step.spec is None or step.config is None:
        return
    folders = [*_base(view, step), view.project.root]
    for name, (_, value) in step.config.fields.items():
        yield from _path(step.spec.known.get(name), value, folders)


def _base(view: View, step: Step) -> Iterator[str]:
    """Yield the folder of the connection of a step, which its paths count from."""
    connections = view.project.connections_for(view.document.path)
    if connections is None or step.spec is None:
        return
    entry = (
        connections.resolve(step.reference)
        if step.reference is not None
        else connections.default_of(step.spec.family_spelling)
    )
    base = deref(entry.fields["base_dir"][1]) if entry and "base_dir" in entry.fields else None
    if isinstance(base, Scalar) and not has_variable(base.value):
        yield from _below([os.path.dirname(connections.path), view.project.root], base.value)


def _path(schema: Any, value: Node, folders: Sequence[str]) -> Iterator[Candidate]:
    node = deref(value)
    if not isinstance(schema, dict) or "x-path" not in schema or not isinstance(node, Scalar):
        return
    if node.type == "str" and node.value and not has_variable(node.value):
        what = "folder" if schema["x-path"] == "dir" else "file"
        yield Candidate(node.inner, f"Open the {what}", _below(folders, node.value))


def _below(folders: Sequence[str], name: str) -> list[str]:
    """Return where a relative or absolute path may lead, seen from each folder."""
    if "\0" in name or "://" in name or name.startswith(("~", "\\", "//")):
        return []
    paths = [os.path.normpath(os.path.join(folder, name)) for folder in folders]
    return paths[:1] if is_absolute(name) else list(dict.fromkeys(paths))


def _found(view: View) -> list[tuple[Candidate, str]]:
    # A merge key shows the same value in several connections.
    unique = {item.span: item for item in candidates(view)}
    return _existing(list(unique.values()), view.project.root)


def _existing(found: Sequence[Candidate], root: str) -> list[tuple[Candidate, str]]:
    """Return the candidates that lead somewhere inside the project, with their targets."""
    links = []
    for item in found:
        target = item.target
        for path in item.paths if target is None else ():
            if os.path.exists(path) and is_inside(path, root):
                target = from_fs_path(path)
                break
        if target is not None:
            links.append((item, target))
    return links


def register(server: Server) -> None:
    """Register the handlers."""

    @server.on(types.TEXT_DOCUMENT_DOCUMENT_LINK, types.DocumentLinkOptions(resolve_provider=False))
    async def links(params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        view = server.view(params.text_document.uri)
        if view is None:
            return []
        found = await server.blocking(_found, view)
        text_document = server.client_capabilities.text_document
        support = text_document.document_link if text_document is not None else None
        shows = support is not None and support.tooltip_support is True
        return [
            types.DocumentLink(view.range(item.span), target, item.tooltip if shows else None)
            for item, target in sorted(found)
        ]
