"""How a secret that is written out gives way to a variable of `.env`: name, edits, both or none."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Final, NamedTuple, Protocol

from osiris_lsp.documents import ConnectionsDocument, Document
from osiris_lsp.edits import preview, quote_marks
from osiris_lsp.envfile import store
from osiris_lsp.finding import Edit
from osiris_lsp.project import Project
from osiris_lsp.properties import cached_property
from osiris_lsp.refs import literal_defaults, segments
from osiris_lsp.secret import Secret
from osiris_lsp.secrets.places import written
from osiris_lsp.text import Span
from osiris_lsp.tree import Scalar

ROTATE: Final = (
    "if this secret was ever committed or shared, change it at its source as well: "
    "the history of the repository still has it"
)
"""What has to be done besides, and no edit can do."""


class Literal(NamedTuple):
    """A secret that is written out in a declared field.

    `part` is what gives way to the variable, as a span of the value. `is_default`: the secret is
    the default of a variable (`${V:-secret}`), which keeps its name.
    """

    node: Scalar
    part: Span
    secret: Secret
    variable: str
    is_default: bool = False


def literals(document: Document) -> Iterator[Literal]:
    """Yield the literals of declared fields, each with the variable to use instead."""
    for place in document.secret_places:
        node = place.node
        for span in written(place):
            # The resolver turns `$${` into `${` where it stands, and not in a variable's value.
            text = node.value[span.start : span.end].replace("$${", "${")
            yield Literal(node, span, Secret(text), place.variable)
        if place.is_address or node.type == "unknown":
            continue
        defaults = literal_defaults(node.value)
        for piece in segments(node.value) if defaults else ():
            if piece.kind == "variable" and piece.default in defaults:
                text = node.value[slice(*piece.default)]
                yield Literal(node, Span(piece.start, piece.end), Secret(text), piece.name, True)


def relocation(document: Document, literal: Literal, variable: str) -> tuple[Edit, ...] | None:
    """Return the edits that put `${variable}` in place of a literal.

    They hold nothing of the secret and were tried: no other scalar changes. None where the way the
    value is written is in the way.
    """
    node, part = literal.node, literal.part
    found = document.tree.value_span(node, part.start, part.end)
    reference = f"${{{variable}}}"
    wanted = node.value[: part.start] + reference + node.value[part.end :]
    plain: tuple[Edit, ...] = (Edit(found.start, found.end, reference),)
    marks = quote_marks(document, node)
    quoted: tuple[Edit, ...] = ()
    if marks is not None and found == node.span:
        quoted = (Edit(found.start, found.end, f'"{reference}"'),)
    elif marks is not None:
        quoted = (marks[0], *plain, marks[1])
    for edits in filter(None, (plain, quoted)):
        if _gives(document, edits, node.value, wanted):
            return edits
    return None


def _gives(document: Document, edits: tuple[Edit, ...], old: str, new: str) -> bool:
    """Tell whether edits turn one scalar into what is wanted and leave all others alone."""
    after = preview(document, edits)
    before = [node.value for node in document.tree.scalars()]
    now = [node.value for node in after.scalars()]
    changed = [pair for pair in zip(before, now, strict=False) if pair[0] != pair[1]]
    same = len(before) == len(now) and len(after.problems) <= len(document.tree.problems)
    return same and changed == [(old, new)]


def dotenv_path(document: Document, project: Project) -> str:
    """Return the `.env` that the resolver reads for a document."""
    if isinstance(document, ConnectionsDocument):
        return os.path.join(os.path.dirname(document.path), ".env")
    return dotenv_beside(document.path, project)


def dotenv_beside(path: str, project: Project) -> str:
    """Return the `.env` of the connections that hold for a file."""
    source = project.connections_path(path)
    return os.path.join(os.path.dirname(source) if source else project.root, ".env")


class Uses:
    """The variables that the files of a project use, each with its defaults; files are read once.

    Lines are read and no trees: what is broken, or not ours, may take a variable from the same
    `.env`.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._found: dict[str, Mapping[str, set[str | None]]] = {}

    def beside(self, document: Document) -> dict[str, set[str | None]]:
        """Return what other files with the same `.env` use."""
        dotenv = dotenv_path(document, self.project)
        source = self.project.connections_path(document.path)
        found: dict[str, set[str | None]] = {}
        for path in {*self._files, *filter(None, [source])} - {document.path}:
            if dotenv_beside(path, self.project) == dotenv:
                for name, defaults in self._in(path).items():
                    found.setdefault(name, set()).update(defaults)
        return found

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(self.project.files())

    def _in(self, path: str) -> Mapping[str, set[str | None]]:
        if path not in self._found:
            text, _ = self.project.read(path)
            lines = text.splitlines() if "${" in text else ()
            values = (line for line in lines if "${" in line and line.lstrip()[0] != "#")
            self._found[path] = _variables(values)
        return self._found[path]


def _variables(values: Iterable[str]) -> dict[str, set[str | None]]:
    """Return the variables in values, each with its defaults."""
    found: dict[str, set[str | None]] = {}
    for value in values:
        for piece in segments(value) if "${" in value else ():
            default = value[slice(*piece.default)] if piece.default else None
            found.setdefault(piece.name, set()).add(default)
    return found


class Names:
    """Which variable may take a secret, so that nothing else reads another value than before.

    `known` is what `.env` has, `moved` what it will have besides, `beside` what other files use.
    """

    def __init__(
        self,
        document: Document,
        known: Mapping[str, str | None],
        moved: Mapping[str, Secret],
        beside: Mapping[str, set[str | None]],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.known = known
        self.moved = moved
        self.environment = environment
        self.defaults = _variables(node.value for node in document.tree.scalars())
        for name, defaults in beside.items():
            self.defaults.setdefault(name, set()).update(defaults)

    def of(self, literal: Literal) -> str | None:
        """Return the name for a literal, `_2` on a collision; None where its own is taken."""
        value, name = literal.secret.reveal(), literal.variable
        if literal.is_default:
            others = self.defaults.get(name, set()) - {value, None}
            return name if not others and self._stored(name) in (None, value) else None
        for number in count(1):
            variable = name if number == 1 else f"{name}_{number}"
            stored = self._stored(variable)
            if stored == value or (stored is None and variable not in self.defaults):
                return variable
        return None

    def _stored(self, name: str) -> str | None:
        """Return the value that a variable has, None where it has none."""
        if name in self.moved:
            return self.moved[name].reveal()
        return self.environment.get(name) or self.known.get(name) or None


class Replacement(Protocol):
    """How the file in which variables took the place of secrets is written."""

    def write(self) -> None:
        """Write it, or raise."""

    def is_written(self) -> bool:
        """Tell whether the file is the new one."""


def transfer(dotenv: str, secrets: Mapping[str, Secret], file: Replacement) -> None:
    """Store secrets in a `.env`, then write the file that takes them from there.

    When that fails, the `.env` is as it was. Raises EnvFileError, and what `file` raises.
    """
    taken: list[Callable[[], None]] = []
    try:
        for name, secret in secrets.items():
            withdraw = store(dotenv, name, secret.reveal())
            if withdraw is not None:
                taken.append(withdraw)
        file.write()
    except BaseException:
        # An interrupt may come right after the file was replaced: then only `.env` has the values.
        if not file.is_written():
            for withdraw in reversed(taken):
                withdraw()
        raise
