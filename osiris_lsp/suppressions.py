"""Comments that silence findings: `# osiris: ignore[...]` and those of other scanners."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import Map, Node, Scalar, Tree

_COMMENT: Final = lazy(
    r"#[ \t]*(?:osiris:[ \t]*(?P<verb>ignore-file|ignore|off|on)(?![\w-])"
    r"(?:[ \t]*\[(?P<rules>[^\]\r\n]*)\])?"
    r"(?P<reason>[^\r\n]*)"
    r"|(?P<pragma>pragma:[ \t]*(?:allowlist|whitelist)[ \t]+(?:nextline[ \t]+)?secret)"
    r"|(?P<gitleaks>gitleaks:allow))"
)
_OTHER: Final = lazy(r"#[ \t]*osiris:[ \t]*(?P<word>[A-Za-z][\w-]*)(?P<rest>[^\r\n]*)")
_RULES: Final = lazy(r"[^\s,]+")
_NOWHERE: Final = Span(0, 0)
SECRETS: Final = "OSR3"
VERBS: Final = ("ignore", "ignore-file", "off", "on")


class Suppression:
    """One comment; it silences findings of `rules` (empty: all) that start inside `covers`.

    `rules` holds selectors with their spans, `own` whether it is a `# osiris:` comment, `used`
    which selectors silenced something, `reason` the range of the text that says why.
    """

    __slots__ = ("covers", "own", "reason", "rules", "span", "used", "verb")

    def __init__(
        self,
        verb: str,
        span: Span,
        covers: Span,
        rules: Sequence[tuple[str, Span]],
        own: bool,
        reason: Span = _NOWHERE,
    ) -> None:
        self.verb = verb
        self.span = span
        self.covers = covers
        self.rules = rules
        self.own = own
        self.reason = reason
        self.used: set[str] = set()

    def silences(self, code: str, rule: str, start: int) -> bool:
        """Tell whether a finding is silenced, and remember that it was."""
        if not self.covers.start <= start <= self.covers.end:
            return False
        if not self.rules:
            self.used.add("")
            return True
        for selector, _ in self.rules:
            if selector in (rule, "ALL") or code.startswith(selector.upper()):
                self.used.add(selector)
                return True
        return False

    def names(self, code: str, rule: str) -> bool:
        """Tell whether a rule stands here by its own name or code."""
        return any(selector in (code, rule) for selector, _ in self.rules)


def find_suppressions(tree: Tree) -> Sequence[Suppression]:
    """Return the suppressions of a file in the order of the text."""
    text = tree.text
    if "osiris:" not in text and "pragma:" not in text and "gitleaks:allow" not in text:
        return ()
    contents = _contents(tree)
    found: list[Suppression] = []
    off: Suppression | None = None
    for match in _comments(tree, _COMMENT):
        end = match.end()
        span = Span(match.start(), match.start() + len(text[match.start() : end].rstrip()))
        if match["verb"] is None:
            following = match["pragma"] is not None and "nextline" in match["pragma"]
            found.append(_foreign(tree, span, following))
            continue
        rules: tuple[tuple[str, Span], ...] = ()
        if match["rules"] is not None:
            base = match.start("rules")
            rules = tuple(
                (item[0], Span(base + item.start(), base + item.end()))
                for item in _RULES.finditer(match["rules"])
            )
        verb = match["verb"]
        reason = Span(match.start("reason"), span.end)
        if verb == "on":
            if off is not None:
                off.covers = Span(off.covers.start, span.start)
                off = None
            continue
        whole = Span(0, len(text))
        if verb == "off":
            if off is None:
                off = Suppression(verb, span, Span(span.start, len(text)), rules, True, reason)
                found.append(off)
            continue
        covers = whole if verb == "ignore-file" else _covered(tree, span, contents)
        found.append(Suppression(verb, span, covers, rules, True, reason))
    return found


def misread_comments(tree: Tree) -> Iterator[re.Match[str]]:
    """Yield `# osiris:` comments whose `word` is no verb, with the `rest` of their line."""
    if "osiris:" in tree.text:
        for match in _comments(tree, _OTHER):
            if match["word"] not in VERBS and not match["rest"].startswith("="):
                yield match


def _comments(tree: Tree, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern that are comments, not text of a value."""
    quoted = sorted((node.start, node.end) for node in tree.scalars() if node.end > node.start)
    for match in pattern.finditer(tree.text):
        if not _is_inside(quoted, match.start()) and _starts_comment(tree.text, match.start()):
            yield match


def _foreign(tree: Tree, span: Span, following: bool) -> Suppression:
    """Read the comment of another secret scanner: it silences secrets only."""
    lines = tree.lines
    line = lines.position(span.start).line
    first = lines.line_span(line)
    if following and line + 1 < len(lines):
        first = lines.line_span(line + 1)
    return Suppression("ignore", span, first, ((SECRETS, span),), False)


def _contents(tree: Tree) -> Sequence[int]:
    """Return the lines that are not blank and no comments."""
    lines = tree.lines
    texts = (lines.line(number).lstrip()[:1] for number in range(len(lines)))
    return [number for number, first in enumerate(texts) if first not in ("", "#")]


class Silencer:
    """Applies the suppressions of a file to its findings, in time that does not grow with both."""

    def __init__(self, comments: Sequence[Suppression]) -> None:
        self._comments = sorted(comments, key=lambda comment: comment.covers.start)
        self._starts = [comment.covers.start for comment in self._comments]
        self._wide = [comment for comment in comments if comment.verb in ("ignore-file", "off")]
        narrow = (comment.covers for comment in comments if comment.verb == "ignore")
        self._longest = max((covers.end - covers.start for covers in narrow), default=0)

    def silencing(self, code: str, rule: str, start: int, by_name: bool) -> Suppression | None:
        """Return a comment that silences a finding, or None; every one that does is marked as used.

        `by_name` lets only comments count that name the rule.
        """
        first = bisect_left(self._starts, start - self._longest)
        last = bisect_right(self._starts, start)
        near = (c for c in self._comments[first:last] if c.verb not in ("ignore-file", "off"))
        hits = [
            comment
            for comment in (*self._wide, *near)
            if (not by_name or comment.names(code, rule)) and comment.silences(code, rule, start)
        ]
        return hits[-1] if hits else None


def _covered(tree: Tree, span: Span, contents: Sequence[int]) -> Span:
    """Return what an `ignore` comment covers: its line, or the block whose key comes next."""
    lines = tree.lines
    line = lines.position(span.start).line
    own = lines.line_span(line)
    if tree.text[own.start : span.start].strip():
        return own
    following = bisect_right(contents, line)
    if following == len(contents):
        return own
    below = lines.line_span(contents[following])
    end = below.end
    for node in _blocks(tree, below):
        end = max(end, node.end)
    return Span(own.start, end)


def _blocks(tree: Tree, line: Span) -> Iterator[Node]:
    """Yield the values of keys, and the list items, that start on a line."""
    stack: list[Node] = list(tree.roots)
    while stack:
        node = stack.pop()
        if node.start > line.end or node.end < line.start:
            continue
        if isinstance(node, Map):
            for key, value in node.pairs:
                if line.start <= key.start <= line.end:
                    yield value
                stack.append(value)
        elif not isinstance(node, Scalar):
            for item in getattr(node, "items", ()):
                if line.start <= item.start <= line.end:
                    yield item
                stack.append(item)


def _is_inside(spans: Sequence[tuple[int, int]], offset: int) -> bool:
    at = bisect_right(spans, (offset, 1 << 62)) - 1
    return at >= 0 and spans[at][0] <= offset < spans[at][1]


def _starts_comment(text: str, offset: int) -> bool:
    """Tell whether a `#` starts a comment, or stands inside one that started before."""
    return (
        offset == 0
        or text[offset - 1] in " \t\r\n"
        or "#" in text[max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1 : offset]
    )
