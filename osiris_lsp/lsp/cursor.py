"""What stands at an offset: node, path, connection, step, reference, variable, schema, comment.

Text that does not parse is placed by its indentation, and references and variables in it are read
from its line, so that features work while a line is being typed.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from osiris_lsp.documents import (
    ComponentDocument,
    Connection,
    ConnectionsDocument,
    Document,
    FamilyEntry,
    PipelineDocument,
    Step,
)
from osiris_lsp.properties import cached_property
from osiris_lsp.refs import Reference, Segment, parse_reference, segments
from osiris_lsp.specs import FieldSpec, Schema, load_schema, step_schema
from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import BROKEN, Alias, Map, Node, Scalar, Seq

_REFERENCE: Final = lazy(r"""\bconnection["']?[ \t]*:[ \t]*["']?(@[A-Za-z0-9_.-]*)""")
_RULES: Final = lazy(r"#[ \t]*osiris:[ \t]*(?:ignore-file|ignore|off)[ \t]*\[([^\]]*)")
_WORD: Final = lazy(r"[^\s,]+")


class Cursor:
    """A place in a document.

    `node` is the innermost node (a key, a scalar, an alias, or the mapping or list around a gap),
    `key` the key that the place belongs to, `path` the keys and indexes that lead there with that
    of `key` last, `ancestors` the mappings and lists around, outermost first.
    """

    def __init__(self, document: Document, offset: int) -> None:
        self.document = document
        self.offset = min(max(offset, 0), len(document.text))
        self.node: Node | None = None
        self.key: Scalar | None = None
        self.on_key = False
        self.path: tuple[str | int, ...] = ()
        self.ancestors: list[Node] = []
        self._keys: list[Node] = []
        self._line = document.tree.lines.position(self.offset).line
        self._line_span = document.tree.lines.line_span(self._line)
        roots = document.tree.roots
        if roots:
            before = [root for root in roots if root.begin <= self.offset]
            self._descend((before or roots[:1])[-1])

    def _descend(self, node: Node) -> None:
        """Follow the pairs and items that hold the offset down to the innermost node."""
        path: list[str | int] = []
        while True:
            self.node = node
            if not isinstance(node, Map | Seq):
                break
            self.ancestors.append(node)
            children: Sequence[Any] = node.pairs if isinstance(node, Map) else node.items
            at = bisect_right(children, self.offset, key=_begin) - 1
            if at < 0:
                self.key = None
                break
            if isinstance(node, Map):
                key, value = node.pairs[at]
                if self.offset <= key.end:
                    self._enter(path, key)
                    self.node, self.on_key = key, True
                    break
                if not self._is_in(node, key.end, value):
                    self.key = None
                    break
                self._enter(path, key)
            else:
                value = node.items[at]
                if not self._is_in(node, value.begin, value):
                    self.key = None
                    break
                path.append(at)
                self.key = None
            node = value
        self.path = tuple(path)

    def _enter(self, path: list[str | int], key: Node) -> None:
        self.key = key if isinstance(key, Scalar) else None
        self._keys.append(key)
        path.append(key.value if isinstance(key, Scalar) else "?")

    def _is_in(self, parent: Map | Seq, start: int, value: Node) -> bool:
        """Tell whether the offset belongs to a value whose key (or itself) ends at `start`."""
        if value.begin <= self.offset <= value.end:
            return True
        gap = (start, self.offset) if self.offset < value.begin else (value.end, self.offset)
        blank = not self.document.text[slice(*gap)].strip(": \t\r\n-?")
        one_line = gap[0] >= self._line_span.start
        empty = value.begin == value.end
        if self.offset < value.begin and (one_line or parent.flow):
            return blank
        if empty and blank and (one_line or parent.flow):
            return True
        block = isinstance(value, Map | Seq) and not value.flow
        if parent.flow or one_line:
            return block and one_line
        column = self.document.tree.lines.position(parent.start).column
        return self._indent > column and (empty or block)

    @cached_property
    def _indent(self) -> int:
        """The column where the line starts, or the one of the offset on a blank line."""
        line = self.document.text[slice(*self._line_span)]
        text = line.lstrip(" \t")
        return len(line) - len(text) if text else self.offset - self._line_span.start

    @cached_property
    def family(self) -> FamilyEntry | None:
        """The entry of a connections file that holds the offset, its key included."""
        if not isinstance(self.document, ConnectionsDocument):
            return None
        families = self.document.families
        return next((one for one in families if any(one.key is key for key in self._keys)), None)

    @cached_property
    def connection(self) -> Connection | None:
        """The connection that holds the offset, its alias included."""
        found = self.family.connections if self.family is not None else ()
        return next((one for one in found if any(one.key is key for key in self._keys)), None)

    @cached_property
    def step(self) -> Step | None:
        """The step that holds the offset."""
        if not isinstance(self.document, PipelineDocument) or len(self.path) < 2:
            return None
        index = self.path[1]
        if self.path[0] != "steps" or not isinstance(index, int):
            return None
        steps = self.document.steps
        return steps[index] if index < len(steps) else None

    @cached_property
    def in_comment(self) -> bool:
        """Whether the offset stands in a comment, behind its `#`."""
        text = self.document.text
        for at in range(self._line_span.start, self.offset):
            if text[at] == "#" and (at == self._line_span.start or text[at - 1] in " \t"):
                around = Cursor(self.document, at).node
                if not isinstance(around, Scalar) or not around.start <= at < around.end:
                    return True
        return False

    @cached_property
    def is_broken(self) -> bool:
        """Whether the line of the offset does not parse, so that the tree may lack a part of it."""
        broken = isinstance(self.node, Scalar) and self.node.tag == BROKEN
        return broken or self.document.is_broken(*self._line_span)

    @cached_property
    def reference_span(self) -> Span | None:
        """The range of the reference around the offset, from its `@` on, also half-typed."""
        if self.in_comment or not isinstance(self.document, PipelineDocument) or self.on_key:
            return None
        node, text = self.node, self.document.text
        if isinstance(node, Scalar) and node.tag != BROKEN:
            place = self.path[-1:] == ("connection",) or self.path[:1] in (
                ("params",),
                ("profiles",),
            )
            if not place or not node.value.startswith("@"):
                return None
            span = self.document.tree.value_span(node, 0, len(node.value))
            return span if span.start <= self.offset <= span.end else None
        if not self.is_broken:
            return None
        for match in _REFERENCE.finditer(text, *self._line_span):
            if match.start(1) <= self.offset <= match.end(1):
                return Span(*match.span(1))
        return None

    @cached_property
    def reference(self) -> Reference | None:
        """The reference around the offset, where it can be read."""
        span, node = self.reference_span, self.node
        if span is None:
            return None
        if isinstance(node, Scalar) and node.tag != BROKEN:
            return parse_reference(node.value)
        return parse_reference(self.document.text[slice(*span)])

    @cached_property
    def _variable(self) -> tuple[Segment, Span] | None:
        if self.in_comment:
            return None
        for piece, span in self._pieces():
            if piece.kind != "literal" and span.start <= self.offset <= span.end:
                return piece, span
        return None

    def _pieces(self) -> Iterator[tuple[Segment, Span]]:
        node = self.node
        if isinstance(node, Scalar) and node.tag != BROKEN:
            for piece in segments(node.value):
                yield piece, self.document.tree.value_span(node, piece.start, piece.end)
        elif self.is_broken:
            start = self._line_span.start
            for piece in segments(self.document.text[slice(*self._line_span)]):
                yield piece, Span(start + piece.start, start + piece.end)

    @property
    def variable(self) -> Segment | None:
        """The `${...}` around the offset, of any kind but `literal`."""
        return self._variable[0] if self._variable is not None else None

    @property
    def variable_span(self) -> Span | None:
        """The range of `variable`, with its `${` and `}`."""
        return self._variable[1] if self._variable is not None else None

    @cached_property
    def alias(self) -> Alias | None:
        """The `*name` at the offset."""
        return self.node if isinstance(self.node, Alias) else None

    @cached_property
    def anchor(self) -> tuple[Node, Span] | None:
        """The `&name` at the offset: the node that it names, and its range with the `&`."""
        for node, span in self.document.tree.anchors:
            if span.start <= self.offset <= span.end:
                return node, span
        return None

    @cached_property
    def rule_span(self) -> Span | None:
        """The range of the word at the offset in the brackets of an `# osiris:` comment.

        It is empty where no word has been typed yet.
        """
        if not self.in_comment:
            return None
        text = self.document.text
        for match in _RULES.finditer(text, *self._line_span):
            if match.start(1) <= self.offset <= match.end(1):
                for word in _WORD.finditer(text, *match.span(1)):
                    if word.start() <= self.offset <= word.end():
                        return Span(*word.span())
                return Span(self.offset, self.offset)
        return None

    @property
    def rule_word(self) -> str | None:
        """The rule in an `# osiris:` comment, or its start; empty before the first letter."""
        return self.document.text[slice(*self.rule_span)] if self.rule_span is not None else None

    @cached_property
    def field(self) -> FieldSpec | Schema | None:
        """What is known of the key (or of the mapping around a gap): its spec, or its schema."""
        entry = self.connection
        if entry is not None and entry.spec is not None and self._below_alias:
            found = entry.spec.fields.get(str(self._below_alias[0]))
            if len(self._below_alias) == 1:
                return found
        return self.schema

    @property
    def _below_alias(self) -> tuple[str | int, ...]:
        entry = self.connection
        at = next((at for at, key in enumerate(self._keys) if entry and key is entry.key), None)
        return () if at is None else self.path[at + 1 :]

    @cached_property
    def schema(self) -> Schema | None:
        """The JSON Schema of the value that `key` holds, or of the mapping around a gap."""
        document, path = self.document, self.path
        if isinstance(document, ComponentDocument):
            return below(load_schema("component"), path)
        if isinstance(document, ConnectionsDocument):
            entry = self.connection
            if entry is None:
                return below(load_schema("connections"), path[:1]) if len(path) == 1 else None
            spec = entry.spec
            return None if spec is None else below(spec.effective_schema, self._below_alias)
        if not isinstance(document, PipelineDocument):
            return None
        if self.step is None:
            return below(load_schema("pipeline"), path)
        spec_, inside = self.step.spec, path[2:]
        if inside[:1] != ("config",) or spec_ is None or self.step.is_legacy:
            return below(step_schema(), inside, load_schema("pipeline"))
        if inside[1:] == ("connection",) and "connection" not in spec_.known:
            return below(load_schema("pipeline")["$defs"]["reference"], ())
        return below({**spec_.schema, "properties": spec_.known}, inside[1:])


def find(document: Document, offset: int) -> Cursor:
    """Return what stands at an offset of a document, clamped into the text."""
    return Cursor(document, offset)


def below(schema: Any, path: Sequence[str | int], root: Schema | None = None) -> Schema | None:
    """Return the schema of what a path leads to, or None where nothing is known of it.

    `root` is where its `$ref` point into; schemas of strangers may be of any form.
    """
    root = schema if root is None else root
    for depth in range(20):
        if not isinstance(schema, Mapping) or "$ref" not in schema or depth == 19:
            break
        target: Any = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target.get(part) if isinstance(target, Mapping) else None
        schema = target
    if not isinstance(schema, Mapping) or not path:
        return schema if isinstance(schema, Mapping) else None
    name = path[0]
    inner: Any = schema.get("items")
    if isinstance(name, str):
        listed = schema.get("properties")
        inner = listed.get(name) if isinstance(listed, Mapping) else None
        inner = schema.get("additionalProperties") if inner is None else inner
    found = below(inner, path[1:], root) if isinstance(inner, Mapping) else None
    for word in ("anyOf", "oneOf") if found is None else ():
        options = schema.get(word)
        for option in options if isinstance(options, Sequence) else ():
            found = found or (below(option, path, root) if isinstance(option, Mapping) else None)
    return found


def _begin(child: Any) -> int:
    """Return where an item, or the key of a pair, begins."""
    return int((child[0] if isinstance(child, tuple) else child).begin)
