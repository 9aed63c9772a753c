"""One pass over a tree that finds each secret once, for all OSR3xx rules and for masking."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final, NamedTuple, get_args

from osiris_lsp.finding import Severity
from osiris_lsp.refs import is_reference, literal_defaults, literal_secrets
from osiris_lsp.secrets import Kind, Leak, Place
from osiris_lsp.secrets.comments import find_comments, find_pair
from osiris_lsp.secrets.literals import is_secret
from osiris_lsp.secrets.names import Context, Role, context, is_language, meaning, role
from osiris_lsp.secrets.places import written
from osiris_lsp.secrets.providers import find_tokens
from osiris_lsp.secrets.structures import decode, find_json, find_parts
from osiris_lsp.text import Span, lazy, printable
from osiris_lsp.tree import BROKEN, Alias, Map, Node, Scalar, Seq, Tree, deref

_RANK: Final = {kind: rank for rank, kind in enumerate(get_args(Kind))}

_LOGIN: Final = lazy(r"[\w.@+-]+:([^\s:/]\S*)")

LONG: Final = 16
"""Characters from which a value may hold an encoded secret."""


class Detection(NamedTuple):
    """What a pass over a tree found.

    `leaks` are in order and do not overlap. `named` are the values under keys that tell of a
    secret, `texts` the longer values and the comments, in which more may stand than is a finding.
    """

    leaks: Sequence[Leak]
    named: Sequence[Node]
    texts: Sequence[Span]


def detect(tree: Tree, places: Iterable[Place]) -> Detection:
    """Find the secrets that are written out in a tree.

    `places` are the scalars that a spec declares secret. What is found in a value depends on the
    value, the keys above it and anchors alone.
    """
    search = _Search(tree)
    for place in places:
        search.declared(place)
    search.walk()
    search.scan()
    texts = [Span(0, len(tree.text))]
    if tree.is_whole:
        texts = [*search.texts, *search.comments]
    return Detection(search.leaks(), search.named, texts)


class _Search:
    """The leaks of one tree as they are gathered."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.named: list[Node] = []
        self.texts: list[Span] = []
        self._found: list[Leak] = []
        self._quoted: list[tuple[int, int]] = []
        self._known: set[int] = set()

    def _add(
        self,
        kind: Kind,
        span: Span,
        subject: str,
        variable: str = "",
        severity: Severity | None = None,
    ) -> None:
        if span.end > span.start:
            self._found.append(Leak(kind, span, subject, variable, severity))

    def leaks(self) -> Sequence[Leak]:
        """Return what was found: of those that overlap the most precise, and comments as such."""
        kept: list[Leak] = []
        order = sorted(self._found, key=lambda leak: (_RANK[leak.kind], leak.severity is not None))
        starts: list[Span] = []
        for leak in order:
            at = bisect_right(starts, leak.span)
            before = at > 0 and starts[at - 1].end > leak.span.start
            after = at < len(starts) and starts[at].start < leak.span.end
            if not before and not after:
                starts.insert(at, leak.span)
                kept.append(leak)
        comments = self.comments if kept else []
        for index, leak in enumerate(kept):
            at = bisect_right(comments, leak.span) - 1
            if at >= 0 and leak.span.start < comments[at].end:
                kept[index] = leak._replace(kind="secret-in-comment", variable="")
        return sorted(kept, key=lambda leak: leak.span)

    # Declared fields.

    def declared(self, place: Place) -> None:
        """Take every literal of a field that is declared secret, however weak."""
        self._known.add(id(place.node))
        for span in written(place):
            subject = f"`{printable(place.name)}`"
            if place.is_address:
                subject = f"the password in {subject}"
            elif "${" in place.node.value:
                subject = f"part of {subject}"
            is_url = place.is_address and "://" in place.node.value
            kind: Kind = "url-credentials" if is_url else "plaintext-secret"
            found = self.tree.value_span(place.node, span.start, span.end)
            self._add(kind, found, subject, place.variable)
        if not place.is_address and not is_reference(place.node.value):
            for span in literal_defaults(place.node.value):
                found = self.tree.value_span(place.node, span.start, span.end)
                subject = f"the default of `{printable(place.name)}`"
                self._add("secret-default", found, subject)

    # Names of keys.

    def walk(self) -> None:
        """Judge every value by the keys above it."""
        stack: list[tuple[Node, Context]] = [(root, "") for root in reversed(self.tree.roots)]
        for root in self.tree.roots:
            if isinstance(root, Map) and len(root.pairs) == 1:
                key = root.pairs[0][0]
                if isinstance(key, Scalar) and is_language(key.value):
                    stack = [(root, "off")]
        while stack:
            node, above = stack.pop()
            if isinstance(node, Map):
                self._map(node, above, stack)
            elif isinstance(node, Seq):
                for item in node.items:
                    if isinstance(item, Scalar):
                        self._scalar(item)
                    else:
                        stack.append((item, above))
                if len(node.items) > 1:
                    self._flags(node.items)
            elif isinstance(node, Scalar):
                self._scalar(node)

    def _map(self, node: Map, above: Context, stack: list[tuple[Node, Context]]) -> None:
        pairs = 0
        for key, value in node.pairs:
            if not isinstance(key, Scalar):
                stack.append((value, above))
                continue
            name = key.value
            if key.style:
                self._quoted.append((key.start, key.end))
            kind, hides = meaning(name)
            if hides:
                self.named.append(value)
            if isinstance(value, Scalar):
                self._scalar(value)
                pairs += name in _NAMES or name in _VALUES
                if kind or above == "holder":
                    self._named(name, kind, above, value)
            elif isinstance(value, Alias):
                if kind:
                    self._aliased(name, kind, above, value)
            else:
                below = above if above == "closed" else context(name) or above
                if kind in ("password", "token") and isinstance(value, Seq):
                    self._list(name, kind, above, value)
                stack.append((value, below))
        if pairs > 1:
            self._pair(node, above)

    def _named(self, name: str, kind: Role, above: Context, node: Scalar) -> None:
        """Judge the scalar under a key whose name, or whose place, tells of a secret."""
        if id(node) in self._known or above == "closed" or is_reference(node.value):
            return
        type_ = node.type
        if type_ in ("null", "bool"):
            return
        subject = f"`{printable(name)}`"
        if type_ == "unknown":  # a tag of its own names a secret that stands elsewhere
            if node.tag != BROKEN and kind != "maybe":
                self._defaults(name, kind, node, subject)
            return
        if type_ in ("int", "float", "timestamp") and kind != "password":
            return
        if above == "off" or (above == "holder" and not kind):
            kind = "maybe"
        elif name.lower() == "authorization" and above != "holder" and " " not in node.value:
            kind = "maybe"  # `authorization: rbac`
        self._literals(name, kind, node, subject)

    def _literals(self, name: str, kind: Role, node: Scalar, subject: str) -> None:
        value = node.value
        match = _LOGIN.fullmatch(value) if name[-4:].lower() == "auth" else None
        if match is not None and is_secret("password", name, match[1]):
            found = self.tree.value_span(node, *match.span(1))
            self._add("plaintext-secret", found, f"the password in {subject}")
        rule: Kind = "high-entropy-value" if kind == "maybe" else "plaintext-secret"
        for part in literal_secrets(value):
            if is_secret(kind, name, value[part.start : part.end]):
                mixed = "${" in value or "{{" in value
                found = self.tree.value_span(node, part.start, part.end)
                is_default = "{{" in value and value[: part.start].count("{{") > value[
                    : part.start
                ].count("}}")
                self._add(
                    "secret-default" if is_default else rule,
                    found,
                    f"part of {subject}" if mixed else subject,
                )
        if "${" in value and kind != "maybe":
            self._defaults(name, kind, node, subject)

    def _defaults(self, name: str, kind: Role, node: Scalar, subject: str) -> None:
        for part in literal_defaults(node.value):
            if is_secret(kind, name, node.value[part.start : part.end]):
                found = self.tree.value_span(node, part.start, part.end)
                self._add("secret-default", found, f"the default of {subject}")

    def _aliased(self, name: str, kind: Role, above: Context, alias: Alias) -> None:
        target = deref(alias)
        if isinstance(target, Scalar):
            self._named(name, kind, above, target)
        elif isinstance(target, Seq) and kind in ("password", "token"):
            self._list(name, kind, above, target)

    def _list(self, name: str, kind: Role, above: Context, node: Seq) -> None:
        """Judge the items of a list of secrets; a list of names of secrets looks regular."""
        for item in node.items:
            target = deref(item)
            if isinstance(target, Scalar):
                named = kind == "password" and above != "off"
                self._named(name, kind if named or _is_mixed(target.value) else "maybe", above, target)

    def _pair(self, node: Map, above: Context) -> None:
        """Judge `name: DB_PASSWORD` beside `value: …`."""
        names = [deref(node.fields[key][1]) for key in _NAMES if key in node.fields]
        values = [deref(node.fields[key][1]) for key in _VALUES if key in node.fields]
        for label in names:
            if isinstance(label, Scalar) and role(label.value) in ("password", "token"):
                for value in values:
                    if isinstance(value, Scalar):
                        self._named(label.value, role(label.value), above, value)
                return

    def _flags(self, items: Sequence[Node]) -> None:
        """Judge `--password` and the item behind it."""
        for flag, value in zip(items, items[1:], strict=False):
            if not isinstance(flag, Scalar) or not flag.value.startswith("-"):
                continue
            kind = role(flag.value.lstrip("-"))
            if kind in ("password", "token") and isinstance(value, Scalar):
                if "=" not in flag.value and not value.value.startswith("-"):
                    self._named(flag.value, kind, "", value)

    # Values.

    def _scalar(self, node: Scalar) -> None:
        """Look into a value: remember where `#` is text, open JSON and base64."""
        if node.style:
            self._quoted.append((node.start, node.end))
        value = node.value
        if len(value) > 8 and ("=" in value or ":" in value):
            self.texts.append(node.span)
        if len(value) < LONG:
            return
        if value[0] in "{[" and '":' in value.replace('" :', '":'):
            for name, part in find_json(value):
                found = self.tree.value_span(node, part.start, part.end)
                self._add("plaintext-secret", found, f"`{name}`")
        elif " " not in value and ":" not in value and "." not in value:
            self._encoded(node)

    def _encoded(self, node: Scalar) -> None:
        start = 6 if node.value[:6].lower() == "basic " else 0
        text = decode(node.value[start:])
        if text is None:
            return
        folded = text.lower()
        inside = next(iter(_secrets_in(text, folded)), None)
        if inside is not None:
            found = self.tree.value_span(node, start, len(node.value.rstrip()))
            self._add("encoded-secret", found, inside)

    # Text.

    def scan(self) -> None:
        """Look for formats and structures in the whole text, comments and broken lines too."""
        text = self.tree.text
        folded = text.lower()
        for token in find_tokens(text, folded):
            kind: Kind = "provider-token" if token.valid else "high-entropy-value"
            subject = token.name if token.valid else f"what looks like {token.name}"
            self._add(kind, token.span, subject, severity=token.severity)
        for part in find_parts(text, folded):
            self._add(part.kind, part.span, printable(part.subject))
        for comment in self.comments:
            for name, span in find_pair(text[comment.start : comment.end], loose=False):
                at = Span(comment.start + span.start, comment.start + span.end)
                self._add("secret-in-comment", at, f"`{printable(name)}`")
        if not self.tree.is_whole:
            self._broken()

    @cached_property
    def comments(self) -> Sequence[Span]:
        """The comments of the text; only to be asked for after the walk."""
        if "#" not in self.tree.text:
            return ()
        return list(find_comments(self.tree.text, sorted(self._quoted)))

    def _broken(self) -> None:
        """Read lines of which the tree knows nothing, or only that they are broken."""
        lines = self.tree.lines
        known = set()
        for node in self.tree.scalars():
            if node.tag != BROKEN and node.end > node.start:
                known.add(bisect_right(lines.starts, node.end - 1) - 1)
        for number in range(len(lines)):
            if number not in known:
                span = lines.line_span(number)
                for name, part in find_pair(lines.line(number), loose=True):
                    at = Span(span.start + part.start, span.start + part.end)
                    self._add("plaintext-secret", at, f"`{printable(name)}`")


_NAMES: Final = ("name", "key", "Name", "Key", "ParameterKey", "parameter", "variable", "header")
_VALUES: Final = ("value", "Value", "ParameterValue", "default")


def _secrets_in(text: str, folded: str) -> Iterator[str]:
    """Yield what is secret in a text that was encoded."""
    for token in find_tokens(text, folded):
        if token.severity is None:
            yield token.name
    for part in find_parts(text, folded):
        yield part.subject
    for name, _ in find_json(text):
        yield f"`{printable(name)}`"
    if '"auths"' in text:
        yield "the login of a registry"


def _is_mixed(value: str) -> bool:
    return any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
