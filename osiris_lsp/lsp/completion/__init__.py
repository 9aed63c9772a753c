"""Completion, in texts that do not parse too: what may stand at the cursor, as the client takes it.

The list is complete for each place; the client filters it by what stands between the start of the
range and the cursor.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from lsprotocol import types

from osiris_lsp.edits import scalar_text
from osiris_lsp.lsp.completion.comments import comment_items
from osiris_lsp.lsp.completion.context import Context
from osiris_lsp.lsp.completion.outline import Entry, Place
from osiris_lsp.lsp.completion.proposals import Proposer
from osiris_lsp.lsp.completion.schema import Proposal, Shape, escaped, shape
from osiris_lsp.lsp.markdown import markup
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.markdown import plain
from osiris_lsp.text import Span, lazy, printable

TRIGGERS: Final = ("@", ".", "$", "{", "[", '"', "'", " ")
"""Characters behind which an editor asks by itself."""

_OPENING: Final = lazy(r"(?<!\$)\$(?:\{[^{}\s]*)?$")
_REST: Final = lazy(r"[\w.]*\}?")
_MORE: Final = lazy(r"(?P<blanks>[ \t]*)[^\s,}\]#]")
_QUOTED: Final = lazy(r"[\d@*&!]")


class Abilities(NamedTuple):
    """What a client can do with an item; `formats` in the order that it prefers."""

    snippets: bool = False
    adjusts: bool = False
    formats: Sequence[types.MarkupKind] | None = None


def abilities(capabilities: types.ClientCapabilities) -> Abilities:
    """Read what a client can do."""
    document = capabilities.text_document
    completion = document.completion if document is not None else None
    item = completion.completion_item if completion is not None else None
    if item is None:
        return Abilities()
    modes = item.insert_text_mode_support
    adjusts = modes is not None and types.InsertTextMode.AdjustIndentation in modes.value_set
    return Abilities(item.snippet_support is True, adjusts, item.documentation_format)


def complete(
    view: View,
    context: Context,
    client: Abilities,
    stored: Sequence[str] = (),
    asked: bool = True,
) -> list[types.CompletionItem]:
    """Return what may stand at the cursor of a context.

    `stored` are the names in `.env`. `asked` is False for what a space brings up, which is not to
    be in the way of comments and of indentation.
    """
    proposer = Proposer(view, context, stored)
    found: list[types.CompletionItem] = []
    for number, place in enumerate(context.cursor.places):
        if place.role == "comment":
            return list(comment_items(view, place, client.snippets, asked))
        if place.indent is not None and not asked:
            continue
        for item in _Writer(view, context, place, client).items(proposer):
            item.sort_text = f"{number}{item.sort_text}"
            found.append(item)
        # What fits is enough, but below a key without value its fields are meant as well.
        if found and (place.indent is None or number > 0):
            break
    return found


class _Writer:
    """Turns proposals into items for one place."""

    def __init__(self, view: View, context: Context, place: Place, client: Abilities) -> None:
        self.view = view
        self.place = place
        self.client = client
        line = view.lines.line_span(context.cursor.row)
        self.offset = context.cursor.offset
        before = view.text[line.start : place.span.start]
        self.lead = len(before) - len(before.lstrip())
        self.column = place.span.start - line.start if place.indent is None else place.indent

    def items(self, proposer: Proposer) -> Iterator[types.CompletionItem]:
        """Yield the items in their order."""
        place, entry = self.place, self.place.entry
        opening = _OPENING.search(place.typed) if place.role in ("value", "item") else None
        if opening is not None:
            start = place.span.start + opening.start()
            for number, proposal in enumerate(proposer.variables(entry, place)):
                yield self._variable(proposal, start, number)
            return
        schema = proposer.schema(entry)
        lead = ""
        if place.below and shape(schema) in ("list", "mappings"):
            entry, lead = Entry(None, self.column, entry, self.offset), "- "
            self.column += len(lead)
            schema = proposer.schema(entry)
        kind = shape(schema)
        if self._takes_keys(entry, kind):
            own = self.view.text[slice(*place.span)] if place.colon else ""
            for number, proposal in enumerate(proposer.keys(entry, own)):
                yield self._key(proposal, lead, number)
        elif place.indent is None or lead:
            for number, proposal in enumerate(proposer.values(entry, schema, place.typed)):
                yield from self._value(proposal, lead, number, kind == "list")

    def _takes_keys(self, entry: Entry, kind: Shape) -> bool:
        if self.place.role == "value":
            return False
        if self.place.role == "item":
            return not self.place.flow and kind == "mapping"
        return not self.place.below or entry.parent is None or kind == "mapping"

    def _variable(self, proposal: Proposal, start: int, number: int) -> types.CompletionItem:
        """Return an item that replaces an open `${` and its name, and closes it."""
        place = self.place
        rest = _REST.match(self.view.text, self.offset, max(place.span.end, self.offset))
        end = rest.end() if rest else self.offset
        text = proposal.text
        if place.quote and not place.closed:
            text += place.quote
        elif place.flow and not place.quote and start == place.span.start:
            text = f'"{text}"'
        return self._item(proposal, text, Span(start, end), number)

    def _value(
        self, proposal: Proposal, lead: str, number: int, in_list: bool
    ) -> Iterator[types.CompletionItem]:
        place = self.place
        text = _written(proposal, place.quote, place.flow)
        if text is None or (place.quote and in_list):
            return
        if place.quote and not place.closed:
            text += place.quote
        text = f"[{text}]" if in_list else text
        yield self._item(proposal, lead + text, place.span, number)

    def _key(self, proposal: Proposal, lead: str, number: int) -> types.CompletionItem:
        place = self.place
        snippet = False
        text = lead + proposal.text
        if place.quote:
            text += "" if place.closed else f"{place.quote}: "
        elif not place.colon:
            snippet = self.client.snippets
            text += f":{self._snippet(proposal) if snippet else self._plain(proposal)}"
            more = _MORE.match(self.view.text, place.span.end) if place.flow else None
            text += ("," if more["blanks"] else ", ") if more else ""
        return self._item(proposal, text, place.span, number, snippet)

    def _plain(self, proposal: Proposal) -> str:
        """Return what comes behind the colon of a key where the client has no snippets."""
        flow = self.place.flow
        if proposal.shape in ("mapping", "mappings"):
            return (" {}" if proposal.shape == "mapping" else " []") if flow else ""
        first = proposal.choices[0] if proposal.choices else None
        return f" {_written(first, '', flow)}" if first is not None and _is_fixed(first) else " "

    def _snippet(self, proposal: Proposal) -> str:
        """Return what comes behind the colon of a key, with places to fill in."""
        flow = self.place.flow
        below = "\n" + " " * (self.column + 2 - self.lead)
        if proposal.shape == "mapping":
            lines = proposal.lines or ("$0",)
            return " {$0}" if flow else "".join(f"{below}{line}" for line in lines)
        if proposal.shape == "mappings":
            return " [$0]" if flow else f"{below}- $0"
        variable = types.CompletionItemKind.Variable
        listed = [choice for choice in proposal.choices if choice.kind != variable]
        choices = [_written(choice, "", flow) or "" for choice in listed or proposal.choices]
        if not choices:
            field = "$0"
        elif _is_fixed(proposal.choices[0]):
            field = escaped(choices[0])
        elif len(choices) == 1 or listed[0].kind == types.CompletionItemKind.Value:
            field = f"${{1:{escaped(choices[0])}}}"
        else:
            field = f"${{1|{','.join(map(_choice, choices))}|}}"
        return f" [{field}]" if proposal.shape == "list" else f" {field}"

    def _item(
        self, proposal: Proposal, text: str, span: Span, number: int, snippet: bool = False
    ) -> types.CompletionItem:
        """Return an item; the client compares its filter text with what was typed."""
        match = proposal.text
        if self.place.indent is not None:
            match = self.place.typed + match
            text = " " * self.place.indent + text
        item = types.CompletionItem(
            printable(proposal.text),
            kind=proposal.kind,
            detail=proposal.detail or None,
            documentation=self._about(proposal.about) if proposal.about else None,
            sort_text=f"{proposal.rank:05d}{number:04d}",
            filter_text=match,
            text_edit=types.TextEdit(self.view.range(span), text),
        )
        if snippet:
            item.insert_text_format = types.InsertTextFormat.Snippet
            if "\n" in text and self.client.adjusts:
                item.insert_text_mode = types.InsertTextMode.AdjustIndentation
        return item

    def _about(self, text: str) -> types.MarkupContent | str:
        # A client that names no format takes a string only.
        return markup(text, self.client.formats) if self.client.formats else plain(text)


def _is_fixed(choice: Proposal) -> bool:
    """Tell whether a value is written at once: the only one, or the variable of a secret."""
    variable = choice.kind == types.CompletionItemKind.Variable
    return variable or choice.kind == types.CompletionItemKind.Constant


def _written(proposal: Proposal, quote: str, flow: bool) -> str | None:
    """Return a value as YAML, behind a quote that may be there; None where it cannot be."""
    text = proposal.text
    if quote:
        if proposal.literal:
            return None
        if quote == "'":
            return text.replace("'", "''")
        return text.replace("\\", "\\\\").replace('"', '\\"')
    if proposal.literal or (text.startswith("${") and not flow):
        return text
    if _QUOTED.match(text) and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return scalar_text(text)


def _choice(text: str) -> str:
    """Return a text as one of the choices of a snippet."""
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|")


def _names(view: View) -> Sequence[str]:
    """Return the names in `.env`; a file that cannot be read has none."""
    path = view.project.connections_path(view.document.path) or view.document.path
    try:
        return tuple(view.project.dotenv(path))
    except (OSError, ValueError):
        return ()


def register(server: Server) -> None:
    """Register the handlers."""

    @server.on(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=TRIGGERS, resolve_provider=False),
    )
    async def completion(params: types.CompletionParams) -> types.CompletionList | None:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        offset = view.offset(params.position)
        context = await server.blocking(Context, view.text, view.lines, offset)
        stored = await server.blocking(_names, view)
        client = abilities(server.client_capabilities)
        asked = params.context is None or params.context.trigger_character != " "
        return types.CompletionList(False, complete(view, context, client, stored, asked))
