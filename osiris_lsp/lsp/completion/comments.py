"""Completion inside comments: the words of `# osiris:`, and the rules that it can silence."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from lsprotocol import types

from osiris_lsp.lsp.completion.outline import Place
from osiris_lsp.lsp.views import View
from osiris_lsp.ruledoc import read
from osiris_lsp.rules import RULES, load
from osiris_lsp.text import Span, lazy

_RULES: Final = lazy(r"#[ \t]*osiris:[ \t]*(?:ignore-file|ignore|off)[ \t]*\[(?P<before>[^\]]*)$")
_VERB: Final = lazy(r"#[ \t]*osiris:[ \t]*(?P<word>[\w=-]*)$")
_START: Final = lazy(r"#[ \t]*(?P<word>[a-z]*)$")
_REST: Final = lazy(r"[\w=-]*")
_RULE: Final = lazy(r"[^\s,]*$")


class _Word(NamedTuple):
    """A word of a comment; `snippet` is written where the client has snippets."""

    text: str
    snippet: str
    about: str


_WORDS: Final = (
    _Word("ignore", "ignore[$1] $0", "Silences rules on this line, or in the block below."),
    _Word("ignore-file", "ignore-file[$1] $0", "Silences rules in the whole file."),
    _Word("off", "off", "Silences rules from here on."),
    _Word("on", "on", "Ends what `off` began."),
    _Word("kind=connections", "kind=connections", "Says that this is a connections file."),
    _Word("kind=pipeline", "kind=pipeline", "Says that this is a pipeline."),
    _Word("kind=component", "kind=component", "Says that this is a component spec."),
    _Word("kind=off", "kind=off", "Says that this file is none of ours."),
)


def comment_items(
    view: View, place: Place, snippets: bool, asked: bool
) -> Iterator[types.CompletionItem]:
    """Yield what may be written in a comment; `asked` False leaves other comments alone."""
    text, offset = view.text, place.span.end
    comment = text[place.span.start + place.typed.rfind("#") : offset]
    rules = _RULES.match(comment)
    if rules is not None:
        half = _RULE.search(comment)
        start = offset - (len(half[0]) if half else 0)
        before = rules["before"][: len(rules["before"]) - (offset - start)]
        taken = set(before.replace(",", " ").split())
        yield from _rules(view, Span(start, _end(text, offset)), taken)
        return
    verb = _VERB.match(comment)
    match = verb or _START.match(comment)
    if match is None or not (verb or asked):
        return
    if not (verb or "osiris".startswith(match["word"])):
        return
    span = Span(offset - len(match["word"]), _end(text, offset))
    bracketed = text[span.end : span.end + 1] in ("[", "=", ":")
    for number, word in enumerate(_WORDS):
        lead = "" if verb else "osiris: "
        if not verb and comment == "#":
            lead = " osiris: "
        body = word.snippet if snippets and not bracketed else word.text
        yield types.CompletionItem(
            f"{lead.strip()} {word.text}".strip(),
            kind=types.CompletionItemKind.Keyword,
            documentation=word.about,
            sort_text=f"{number:04d}",
            filter_text=f"{lead}{word.text}",
            insert_text_format=types.InsertTextFormat.Snippet if snippets else None,
            text_edit=types.TextEdit(view.range(span), f"{lead}{body}"),
        )


def _rules(view: View, span: Span, taken: set[str]) -> Iterator[types.CompletionItem]:
    """Yield names and codes of rules: first those that found something in this file."""
    # What is wrong with this very comment is only that it is not finished.
    found = {finding.rule for finding in view.findings if not finding.rule.endswith("-suppression")}
    for number, entry in enumerate(RULES.values()):
        if view.document.kind not in entry.kinds or taken.intersection((entry.name, entry.code)):
            continue
        rank = 0 if entry.name in found else 1
        summary = read(load(entry.name)).summary
        for order, (text, other) in enumerate(((entry.name, entry.code), (entry.code, entry.name))):
            yield types.CompletionItem(
                text,
                kind=types.CompletionItemKind.Constant,
                detail=other,
                documentation=summary,
                sort_text=f"{rank}{order}{number:04d}",
                filter_text=text,
                text_edit=types.TextEdit(view.range(span), text),
            )


def _end(text: str, offset: int) -> int:
    rest = _REST.match(text, offset)
    return rest.end() if rest else offset
