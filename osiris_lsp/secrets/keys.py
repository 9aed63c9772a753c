"""Values judged by the keys above them, in one pass over a tree."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from osiris_lsp.refs import is_reference, literal_defaults, literal_secrets
from osiris_lsp.secrets import Kind, Leak, Place
from osiris_lsp.secrets.encoded import find_encoded
from osiris_lsp.secrets.literals import is_secret
from osiris_lsp.secrets.names import Context, Role, context, is_language, meaning, role
from osiris_lsp.secrets.places import written
from osiris_lsp.secrets.structures import find_json
from osiris_lsp.text import Span, lazy, printable
from osiris_lsp.tree import BROKEN, Alias, Map, Node, Scalar, Seq, Tree, deref

LONG: Final = 16
"""Characters from which a value may hold an encoded secret."""

_NAMES: Final = ("name", "key", "Name", "Key", "ParameterKey", "parameter", "variable", "header")
_VALUES: Final = ("value", "Value", "ParameterValue", "default")
_PAIRED: Final = frozenset((*_NAMES, *_VALUES))
_LOGIN: Final = lazy(r"[\w.@+-]+:([^\s:/]\S*)")


class Walk:
    """A pass over a tree and what it gathers, overlaps included.

    `named` are the values under keys that tell of a secret, `texts` the longer values, and `quoted`
    the scalars in which a `#` is text.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.leaks: list[Leak] = []
        self.named: list[Node] = []
        self.texts: list[Span] = []
        self.quoted: list[tuple[int, int]] = []
        self._known: set[int] = set()

    def _add(self, kind: Kind, node: Scalar, part: Span, subject: str, variable: str = "") -> None:
        found = self.tree.value_span(node, part.start, part.end)
        if found.end > found.start:
            self.leaks.append(Leak(kind, found, subject, variable))

    def declared(self, place: Place) -> None:
        """Take every literal of a field that is declared secret, however weak; before the walk."""
        node = place.node
        self._known.add(id(node))
        if is_reference(node.value):
            return
        name = f"`{printable(place.name)}`"
        subject = name
        kind: Kind = "plaintext-secret"
        if place.is_address:
            subject = f"the password in {name}"
            kind = "url-credentials" if "://" in node.value else kind
        elif "${" in node.value:
            subject = f"part of {name}"
        for part in written(place):
            self._add(kind, node, part, subject, place.variable)
        if not place.is_address:
            for part in literal_defaults(node.value):
                self._add("secret-default", node, part, f"the default of {name}")

    def run(self) -> None:
        """Judge every value by the keys above it."""
        stack = [(root, _context_of(root)) for root in reversed(self.tree.roots)]
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
                if isinstance(key, Map) and any(map(_hides, key.pairs)):  # `? password: …`
                    self.named.append(value)
                stack.append((value, above))
                continue
            name = key.value
            if key.style:
                self.quoted.append((key.start, key.end))
            kind, hides = meaning(name)
            if hides:
                self.named.append(value)
            if isinstance(value, Scalar):
                self._scalar(value)
                pairs += name in _PAIRED
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
        login = _LOGIN.fullmatch(value) if name[-4:].lower() == "auth" else None
        if login is not None and is_secret("password", name, login[1]):
            part = Span(*login.span(1))
            self._add("plaintext-secret", node, part, f"the password in {subject}")
        rule: Kind = "high-entropy-value" if kind == "maybe" else "plaintext-secret"
        mixed = "${" in value or "{{" in value
        for part in literal_secrets(value):
            if not is_secret(kind, name, value[part.start : part.end]):
                continue
            if value.count("{{", 0, part.start) > value.count("}}", 0, part.start):
                self._add("secret-default", node, part, f"the default of {subject}")
            else:
                self._add(rule, node, part, f"part of {subject}" if mixed else subject)
        if "${" in value and kind != "maybe":
            self._defaults(name, kind, node, subject)

    def _defaults(self, name: str, kind: Role, node: Scalar, subject: str) -> None:
        for part in literal_defaults(node.value):
            if is_secret(kind, name, node.value[part.start : part.end]):
                self._add("secret-default", node, part, f"the default of {subject}")

    def _aliased(self, name: str, kind: Role, above: Context, alias: Alias) -> None:
        target = deref(alias)
        if isinstance(target, Scalar):
            self._named(name, kind, above, target)
        elif isinstance(target, Seq) and kind in ("password", "token"):
            self._list(name, kind, above, target)

    def _list(self, name: str, kind: Role, above: Context, node: Seq) -> None:
        """Judge the items of a list of secrets; a list of names of secrets looks regular."""
        for item in map(deref, node.items):
            if isinstance(item, Scalar):
                sure = (kind == "password" and above != "off") or _is_mixed(item.value)
                self._named(name, kind if sure else "maybe", above, item)

    def _pair(self, node: Map, above: Context) -> None:
        """Judge `name: DB_PASSWORD` beside `value: …`."""
        names = [deref(node.fields[key][1]) for key in _NAMES if key in node.fields]
        values = [deref(node.fields[key][1]) for key in _VALUES if key in node.fields]
        for label in names:
            if isinstance(label, Scalar) and role(label.value) in ("password", "token"):
                for value in values:
                    self.named.append(value)
                    if isinstance(value, Scalar):
                        self._named(label.value, role(label.value), above, value)
                return

    def _flags(self, items: Sequence[Node]) -> None:
        """Judge `--password` and the item behind it."""
        for flag, value in pairwise(items):
            if not isinstance(flag, Scalar) or flag.value[:1] != "-" or "=" in flag.value:
                continue
            kind = role(flag.value.lstrip("-"))
            if kind not in ("password", "token") or not isinstance(value, Scalar):
                continue
            if value.value[:1] != "-":
                self._named(flag.value, kind, "", value)

    def _scalar(self, node: Scalar) -> None:
        """Look into a value: remember where `#` is text, open JSON and base64."""
        if node.style:
            self.quoted.append((node.start, node.end))
        value = node.value
        if len(value) > 8 and ("=" in value or ":" in value):
            self.texts.append(node.span)
        if len(value) < LONG:
            return
        if value[0] in "{[":
            for name, part in find_json(value) if '"' in value else ():
                self._add("plaintext-secret", node, part, f"`{printable(name)}`")
        elif ":" not in value and "." not in value and "{" not in value:
            found = find_encoded(value)
            if found is not None:
                self._add("encoded-secret", node, found.span, printable(found.subject))


def _context_of(root: Node) -> Context:
    """Return what the keys of a document are: texts, where its only key is a language."""
    if isinstance(root, Map) and len(root.pairs) == 1:
        key = root.pairs[0][0]
        if isinstance(key, Scalar) and is_language(key.value):
            return "off"
    return ""


def _hides(pair: tuple[Node, Node]) -> bool:
    return isinstance(pair[0], Scalar) and meaning(pair[0].value).hides


def _is_mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))
