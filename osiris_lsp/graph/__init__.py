"""The graph of a project: steps, what they need, the connections that they use, and what is broken.

`FORMATS` names the modules that write it.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Final, Literal, NamedTuple, TextIO, cast

from osiris_lsp.discovery import shown_path
from osiris_lsp.documents import Connection, ConnectionsDocument, PipelineDocument, Step
from osiris_lsp.engine import Linter
from osiris_lsp.project import Project
from osiris_lsp.refs import has_variable
from osiris_lsp.secret import mask
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Node as TreeNode
from osiris_lsp.tree import Scalar

FORMATS: Final = ("mermaid", "dot", "svg", "json")
"""All formats; each is a module of this package with a `write` function."""

RULES: Final = (
    "invalid-reference",
    "unknown-family-reference",
    "unknown-alias",
    "no-default-connection",
    "family-mismatch",
    "missing-connections-file",
    "unknown-component",
    "duplicate-step-id",
    "unknown-dependency",
    "dependency-cycle",
)
"""Rules whose findings make a part of the graph broken."""


class Node(NamedTuple):
    """A step, a connection, or what something refers to and is not there.

    `pipeline` is the path of the file that a step is in, or that alone knows of the node;
    `problems` says why the node is broken.
    """

    id: str
    kind: Literal["step", "connection", "missing"]
    label: str
    detail: str = ""
    pipeline: str = ""
    path: str = ""
    line: int = 0
    problems: tuple[str, ...] = ()


class Edge(NamedTuple):
    """Data flows from `source` to `target`; `problem` says why that cannot be."""

    source: str
    target: str
    kind: Literal["needs", "reads", "writes"]
    problem: str = ""


class Graph(NamedTuple):
    """Pipelines (path to name), nodes and edges, each in the order of the files."""

    pipelines: Mapping[str, str]
    nodes: Mapping[str, Node]
    edges: Sequence[Edge]

    @property
    def broken(self) -> int:
        """The number of broken nodes and edges; what is missing counts by the edges to it."""
        nodes = (node for node in self.nodes.values() if node.kind != "missing")
        return sum(bool(node.problems) for node in nodes) + sum(
            bool(edge.problem) for edge in self.edges
        )

    @property
    def unused(self) -> Sequence[Node]:
        """The connections that no pipeline uses."""
        used = {end for edge in self.edges for end in (edge.source, edge.target)}
        nodes = self.nodes.values()
        return [node for node in nodes if node.kind == "connection" and node.id not in used]

    def of_pipeline(self, path: str) -> "Graph":
        """Return the part of the graph that one pipeline shows."""
        own = {node.id for node in self.nodes.values() if node.pipeline == path}
        edges = [edge for edge in self.edges if edge.source in own or edge.target in own]
        seen = own | {end for edge in edges for end in (edge.source, edge.target)}
        nodes = {name: node for name, node in self.nodes.items() if name in seen}
        return Graph({path: self.pipelines[path]}, nodes, edges)


def writer(name: str) -> Callable[[TextIO, Graph], None]:
    """Return the function that writes a format."""
    return cast(Callable[[TextIO, Graph], None], import_module(f"osiris_lsp.graph.{name}").write)


def build(groups: Iterable[tuple[Project, Sequence[str]]], folder: str | None = None) -> Graph:
    """Return the graph of the pipelines among files, and of all connections that hold for them."""
    builder = _Builder(folder or os.getcwd())
    for project, paths in groups:
        for path in paths:
            document = project.open(path)
            if isinstance(document, PipelineDocument):
                _Reader(builder, project, document).read()
            elif isinstance(document, ConnectionsDocument):
                builder.connections(document)
    return Graph(builder.pipelines, builder.nodes, builder.edges)


class _Builder:
    """Gathers nodes and edges over all files."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.pipelines: dict[str, str] = {}
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []

    def add(self, node: Node) -> str:
        self.nodes.setdefault(node.id, node)
        return node.id

    def connections(self, document: ConnectionsDocument) -> None:
        for entry in document.connections:
            self.connection(document, entry)

    def connection(self, document: ConnectionsDocument, entry: Connection) -> str:
        path = shown_path(document.path, self.folder)
        secrets = document.masked_spans
        family = entry.family.canonical
        if entry.family.spec is None:
            family = _shown(document.text, entry.family.key, secrets)
        name = f"@{family}.{_shown(document.text, entry.key, secrets)}"
        line = document.tree.lines.position(entry.key.start).line + 1
        return self.add(Node(f"{path}#{name}", "connection", name, family, "", path, line))


def _shown(text: str, node: TreeNode, secrets: Sequence[Span]) -> str:
    """Return the value of a scalar; one that holds a secret as the file writes it, masked."""
    hidden = any(span.start < node.end and node.start < span.end for span in secrets)
    if isinstance(node, Scalar) and not hidden:
        return printable(node.value)
    return printable(mask(text[node.start : node.end], secrets, node.start).strip("\"'"))


class _Reader:
    """Reads the steps of one pipeline into the graph."""

    def __init__(self, builder: _Builder, project: Project, document: PipelineDocument) -> None:
        self.builder = builder
        self.project = project
        self.document = document
        self.path = shown_path(document.path, builder.folder)
        self.secrets = document.masked_spans
        self.connections = project.connections_for(document.path)
        self.problems = self._problems()

    def _problems(self) -> Mapping[int, str]:
        """Return what rules say is broken, by the offset at which they say it."""
        linter = Linter(self.project)
        linter.settings = self.project.settings._replace(
            select=RULES, ignore=(), per_file_ignores=()
        )
        sieve = self.project.sieve(self.document, self.secrets)
        findings = linter.lint(self.document).findings
        return {finding.span.start: sieve.clean(finding.message) for finding in findings}

    def shown(self, node: TreeNode) -> str:
        return _shown(self.document.text, node, self.secrets)

    def read(self) -> None:
        """Add the steps, then what they use and need."""
        name = self.document.value("name")
        shown = self.shown(name) if name is not None and name.end > name.start else ""
        self.builder.pipelines[self.path] = shown or os.path.basename(self.path)
        for step in self.document.steps:
            if step.node is not None:
                self.builder.add(self._node(step))
        for step in self.document.steps:
            if step.node is not None:
                self._connection(step)
                self._needs(step)

    def _id(self, step: Step) -> str:
        return f"{self.path}#{step.index}"

    def _node(self, step: Step) -> Node:
        node = step.scalar("id")
        label = self.shown(node) if step.id and node is not None else f"step {step.index + 1}"
        at = [step.anchor.start]
        detail = ""
        if step.component is not None:
            detail = self.shown(step.component)
            at.append(step.component.start)
        problems = [self.problems[start] for start in at if start in self.problems]
        line = self.document.tree.lines.position(step.anchor.start).line + 1
        return Node(
            self._id(step), "step", label, detail, self.path, self.path, line, tuple(problems)
        )

    def _connection(self, step: Step) -> None:
        found = next(iter(self._used(step)), None)
        if found is None:
            return
        used, problem = found
        mode = step.scalar("mode")
        component = step.component.value if step.component is not None else ""
        writes = component.endswith(("writer", ".write", ".load")) or (
            mode is not None and mode.value in ("write", "load")
        )
        edge = (self._id(step), used) if writes else (used, self._id(step))
        self.builder.edges.append(Edge(*edge, "writes" if writes else "reads", problem))

    def _used(self, step: Step) -> Iterator[tuple[str, str]]:
        """Yield the node of the connection that a step uses, and why that cannot be."""
        node, connections = step.connection, self.connections
        if node is not None and not step.is_legacy:
            label = self.shown(node)
            problem = self.problems.get(node.start, "")
            entry = None
            if connections is not None and step.reference is not None:
                entry = connections.resolve(step.reference)
            if connections is not None and entry is not None:
                yield self.builder.connection(connections, entry), problem
            elif has_variable(node.value):
                yield self._outside("connection", label, "known at run time"), problem
            else:
                problem = problem or f"`{label}` is not defined"
                yield self._outside("missing", label, "not defined", problem), problem
        elif step.lacks_connection and step.spec is not None:
            family = self.project.families.canonical(step.spec.family_spelling)
            entry = connections.default_of(family) if connections is not None else None
            if connections is not None and entry is not None:
                yield self.builder.connection(connections, entry), ""
            else:
                problem = f"`@{family}` has no default connection"
                yield self._outside("missing", f"@{family}", "no default", problem), problem

    def _outside(
        self,
        kind: Literal["connection", "missing"],
        label: str,
        detail: str,
        problem: str = "",
    ) -> str:
        """Add a node that no file defines."""
        problems = (problem,) if problem else ()
        return self.builder.add(
            Node(f"{self.path}#{kind}:{label}", kind, label, detail, self.path, problems=problems)
        )

    def _needs(self, step: Step) -> None:
        known = self.document.step_by_id
        for node in step.needs:
            problem = self.problems.get(node.start, "")
            target = known.get(node.value)
            if target is not None:
                source = self._id(target)
            else:
                label = self.shown(node)
                problem = problem or f"there is no step `{label}`"
                source = self._outside("missing", label, "no such step", problem)
            self.builder.edges.append(Edge(source, self._id(step), "needs", problem))
