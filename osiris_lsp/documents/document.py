"""A file with its tree: what all kinds of documents share, and component specs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from osiris_lsp.discovery import Kind
from osiris_lsp.schema import Violation, violations
from osiris_lsp.secrets import Leak, Place
from osiris_lsp.specs import (
    load_schema,
)
from osiris_lsp.suppressions import Suppression, find_suppressions
from osiris_lsp.syntax import parse
from osiris_lsp.text import Span
from osiris_lsp.tree import Map, Node, Scalar, Seq, Tree, to_python

if TYPE_CHECKING:
    from osiris_lsp.secrets.detector import Detection

InputProblem = tuple[str, str]
"""A rule and a message: why a file could not be read."""


class Document:
    """A file with its tree; `path` is absolute. The base of the kinds, and foreign YAML itself."""

    kind: Kind = "yaml"

    def __init__(self, path: str, text: str, input_problem: InputProblem | None = None) -> None:
        self.path = path
        self.text = text
        self.input_problem = input_problem

    @cached_property
    def tree(self) -> Tree:
        """The tree of the text."""
        return parse(self.text)

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
        from osiris_lsp.secrets.detector import detect  # needed only where a rule asks

        return detect(self.tree, self.secret_places)

    @cached_property
    def leaks(self) -> Mapping[str, Sequence[Leak]]:
        """The secrets that are written out, by the rule that reports them."""
        found: dict[str, list[Leak]] = {}
        for leak in self.detection.leaks:
            found.setdefault(leak.kind, []).append(leak)
        return found

    @cached_property
    def secret_spans(self) -> Sequence[Span]:
        """Every range of the text that may hold a secret; `excerpt()` masks them."""
        from osiris_lsp.sensitive import find_sensitive  # needed only where there are findings

        declared = (node for _, node in (*self.declared_secrets, *self.misspelt_secrets))
        return find_sensitive(self.tree, declared, self.detection)

    @property
    def misspelt_secrets(self) -> Iterator[tuple[str, Scalar]]:
        """Scalars of unknown fields whose name is that of a secret field but for a slip."""
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
