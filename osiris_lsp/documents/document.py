"""A file with its tree: what all kinds of documents share, and component specs."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Final, Self

from osiris_lsp.assembly import Assembled
from osiris_lsp.discovery import Kind
from osiris_lsp.properties import cached_property
from osiris_lsp.schema import Violation, violations
from osiris_lsp.secret import merged
from osiris_lsp.secrets import Leak, Place
from osiris_lsp.specs import load_schema, secret_names
from osiris_lsp.suppressions import Suppression, find_suppressions
from osiris_lsp.syntax import parse
from osiris_lsp.text import LineIndex, Span
from osiris_lsp.tree import Map, Node, Scalar, Seq, Tree, deref, to_python

if TYPE_CHECKING:
    from osiris_lsp.secrets.detector import Detection

AROUND: Final = -1
"""The number that stands for what lies around the parts of a tree."""

InputProblem = tuple[str, str]
"""A rule and a message: why a file could not be read."""


class Document:
    """A file with its tree; `path` is absolute. The base of the kinds, and foreign YAML itself.

    `index` are the lines of the text where an editor has them already.
    """

    kind: Kind = "yaml"

    def __init__(self, path: str, text: str, input_problem: InputProblem | None = None) -> None:
        self.path = path
        self.text = text
        self.input_problem = input_problem
        self.index: LineIndex | None = None
        self._before: Tree | None = None
        self._whole: Self | None = None
        self._narrowed: dict[int, Self] = {}
        self._secrets_around: tuple[object, Sequence[Span]] | None = None
        self.looked_around = False
        self.looked_at_outlines = False

    def follows(self, previous: "Document") -> None:
        """Take over what an earlier version of the file had read; it makes no other difference."""
        self._before = previous.__dict__.get("tree", previous._before)
        self._secrets_around = previous._secrets_around

    @cached_property
    def tree(self) -> Tree:
        """The tree of the text."""
        before, self._before = self._before, None
        tree = parse(self.text, before)
        if self.index is not None:
            tree.__dict__["lines"] = self.index
        return tree

    @property
    def whole(self) -> Self:
        """The document itself, and of a narrowed one what it is a part of."""
        self.looked_around = True
        return self if self._whole is None else self._whole

    @property
    def outlined(self) -> Self:
        """The `whole`, of which nothing is asked but what `parts.Identity.outline` holds."""
        self.looked_at_outlines = True
        return self if self._whole is None else self._whole

    def narrowed(self, number: int) -> Self:
        """Return the document with one part of its tree, or what lies `AROUND` them.

        `looked_around` says later whether somebody has asked for the `whole`, `looked_at_outlines`
        for the `outlined`.
        """
        narrow = self._narrowed.get(number)
        if narrow is None:
            assert isinstance(self.tree, Assembled)
            tree = self.tree.around if number == AROUND else self.tree.only(number)
            narrow = self._narrowed[number] = self._with(tree)
            narrow._whole = self
        return narrow

    def sketched(self, placed: Collection[int] | None = None) -> Self:
        """Return the document with the `sketch` of its tree."""
        assert isinstance(self.tree, Assembled)
        return self._with(self.tree.sketch(placed))

    def _with(self, tree: Tree) -> Self:
        narrow = copy(self)
        for name in tuple(vars(narrow)):
            if isinstance(getattr(type(self), name, None), cached_property):
                del narrow.__dict__[name]
        narrow.__dict__["tree"] = tree
        narrow._whole = None
        narrow._narrowed = {}
        narrow.looked_around = narrow.looked_at_outlines = False
        return narrow

    @cached_property
    def root(self) -> Map | None:
        """The mapping at the top of the first document, or None."""
        root = self.tree.root
        return root if isinstance(root, Map) else None

    @cached_property
    def suppressions(self) -> Sequence[Suppression]:
        """The comments of the file that silence findings."""
        return find_suppressions(self.tree)

    @property
    def violations(self) -> Sequence[Violation]:
        """Where values do not meet the schemas of their fields."""
        return ()

    @property
    def declared_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars of fields that a spec declares secret, with the name of the field."""
        return iter(())

    @property
    def secret_places(self) -> Iterator[Place]:
        """Scalars of fields that hold a secret, each with the variable that its value belongs in.

        Fields that are meant to be published are not among them.
        """
        return iter(())

    @cached_property
    def detection(self) -> "Detection":
        """What looks like a secret in the file."""
        from osiris_lsp.secrets.detector import detect, join  # needed only where a rule asks

        tree = self.tree
        if isinstance(tree, Assembled) and not tree.is_whole:
            # What is broken in one part says nothing of another.
            numbers = range(AROUND, len(tree.parts))
            return join(self.narrowed(number).detection for number in numbers)
        return detect(tree, self.secret_places)

    @cached_property
    def leaks(self) -> Mapping[str, Sequence[Leak]]:
        """The secrets that are written out, by the rule that reports them."""
        found: dict[str, list[Leak]] = {}
        for leak in self.detection.leaks:
            found.setdefault(leak.kind, []).append(leak)
        return found

    @cached_property
    def secret_spans(self) -> Sequence[Span]:
        """Every range of the text that may hold a secret."""
        if isinstance(self.tree, Assembled):
            return merged([*self._around(self.tree), *self._secret_parts(self.tree)])
        from osiris_lsp.sensitive import find_sensitive  # needed only where there are findings

        declared = (node for _, node in (*self.declared_secrets, *self.misspelt_secrets))
        names = frozenset[str]() if self.tree.is_whole else secret_names(self.specs)
        return find_sensitive(self.tree, declared, self.detection, names)

    @cached_property
    def masked_spans(self) -> Sequence[Span]:
        """The ranges that no excerpt shows: secrets, and where the same text stands once more."""
        from osiris_lsp.sensitive import repeated

        return merged([*self.secret_spans, *repeated(self.text, self.secret_spans)])

    def _around(self, tree: Assembled) -> Sequence[Span]:
        """Return the ranges around the parts, of an earlier version where nothing changed there."""
        key = tree.shape, self.specs
        known = self._secrets_around
        if known is None or known[0] != key or not tree.is_ahead(known[1]):
            known = key, self.narrowed(AROUND).secret_spans
            self._secrets_around = known if tree.is_ahead(known[1]) else None
        return known[1]

    def _secret_parts(self, tree: Assembled) -> Iterator[Span]:
        """Yield the ranges in the parts of a tree; those of an unchanged part are kept with it."""
        specs = self.specs
        for number, part in enumerate(tree.parts):
            known = part.identity.secrets
            name = tree.groups[number].name
            if known is None or known[0] is not specs or known[1] != name:
                spans = self.narrowed(number).secret_spans
                inside = [Span(start - part.start, end - part.start) for start, end in spans]
                known = part.identity.secrets = specs, name, inside
            if known[2]:
                for start, end in known[2]:
                    yield Span(start + part.start, end + part.start)

    @property
    def specs(self) -> object:
        """What says which fields are secret."""
        return None

    @property
    def misspelt_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars that would be secret but for a slip in their name or in a key above them."""
        return iter(())

    def is_broken(self, start: int, end: int) -> bool:
        """Tell whether the text does not parse somewhere in a range, so that pieces may lack."""
        return any(
            problem.rule not in ("unquoted-reference", "multiple-documents")
            and start <= problem.end
            and problem.start <= end
            for problem in self.tree.problems
        )

    def key(self, name: str) -> Scalar | None:
        """Return the key node of a top-level field, or None."""
        entry = self.root.fields.get(name) if self.root else None
        return None if entry is None else entry[0]

    def value(self, name: str) -> Node | None:
        """Return the value of a top-level field with aliases followed, or None."""
        return self.root.get(name) if self.root else None


class ComponentDocument(Document):
    """A component spec of a project."""

    kind: Kind = "component"

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """The plain values of the spec; empty where it is no mapping."""
        data = to_python(self.root)
        return data if isinstance(data, dict) else {}

    @cached_property
    def violations(self) -> Sequence[Violation]:
        """Where the spec does not meet the schema of component specs."""
        if self.root is None:
            return ()
        return tuple(violations(self.root, load_schema("component")))


def scalars(node: Node) -> Iterator[Scalar]:
    """Yield the scalar values of a node: itself, list items and values of mappings."""
    if isinstance(node, Scalar):
        yield node
    for _, value in walk(node):
        if isinstance(value, Scalar):
            yield value


def walk(node: Node, depth: int = 0) -> Iterator[tuple[Scalar | None, Node]]:
    """Yield every value below a node with its key, aliases left alone."""
    if depth > 60:
        return
    if isinstance(node, Map):
        for key, value in node.pairs:
            yield (key if isinstance(key, Scalar) else None), value
            yield from walk(value, depth + 1)
    elif isinstance(node, Seq):
        for item in node.items:
            yield None, item
            yield from walk(item, depth + 1)


def scalars_under(node: Node, names: Collection[str]) -> Iterator[tuple[str, Scalar]]:
    """Yield the scalars below keys of some names, wherever those stand, with the name."""
    for key, value in walk(deref(node)):
        if key is not None and key.value in names:
            yield from ((key.value, scalar) for scalar in scalars(deref(value)))


def part_span(tree: Tree, node: Scalar, start: int, end: int) -> Span:
    """Return the range in the text of a word of a scalar's value, in block and folded ones too.

    Where escapes hide the word it is the range of the whole content.
    """
    inner, word = node.inner, node.value[start:end]
    first = inner.start
    if node.style in ("|", ">"):
        header = re.search(r"[\r\n]", tree.text[inner.start : inner.end])
        first += header.start() if header else 0
    elif tree.text[inner.start : inner.end] == node.value:
        return Span(first + start, first + end)
    source = tree.text[first : inner.end]
    if not word or source.count(word) != node.value.count(word):
        return inner
    at = -len(word)
    for _ in range(node.value.count(word, 0, start) + 1):
        at = source.find(word, at + len(word))
    return Span(first + at, first + at + len(word))
