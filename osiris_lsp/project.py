"""A project: its settings, families, components and connections, over disk and open editors."""

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from osiris_lsp.discovery import (
    CONNECTIONS,
    Kind,
    Overlay,
    detect_kind,
    find_connections,
    find_root,
    find_settings,
    is_file,
    is_inside,
    matcher,
    walk,
)
from osiris_lsp.properties import cached_property
from osiris_lsp.refs import has_variable
from osiris_lsp.secret import Sieve, is_distinct
from osiris_lsp.settings import Settings, SettingsProblem, load_settings
from osiris_lsp.specs import ComponentSpec, Families, FamilySpec, builtin_components
from osiris_lsp.text import Span

# A run that finds every result in the cache reads no document, and none of what reads YAML.
if TYPE_CHECKING:
    from osiris_lsp.documents import (
        ComponentDocument,
        ConnectionsDocument,
        Document,
        InputProblem,
        PipelineDocument,
        Step,
    )

_COMPONENTS: Final = "components"

MAX_BYTES: Final = 5_000_000
"""Size from which a file is reported instead of read."""


_HEAD: Final = 20_000
"""Characters of a text that is too large which say whose it is."""

_MANY: Final = 200
"""Files that are looked at without a thought."""

_OFTEN: Final = 1.0
"""Seconds after which more of them are looked at again."""

_SEVERAL: Final[Mapping[str, frozenset["Usage"]]] = {"": frozenset()}
"""Stands for answers that differ: no answer equals it."""

ANY: Final = "*"
"""The alias of a use that is known only at run time: `connection: "${WHICH}"`."""


T = TypeVar("T")

Mark = str | bytes | tuple[int, int, int] | None
"""What is another when a file is: the text in an editor, or facts of the file on disk."""


class Answer(NamedTuple):
    """What was found where a rule looked for a file; `real` follows links."""

    real: str
    exists: bool
    is_file: bool


class Usage(NamedTuple):
    """A use of a connection by a pipeline; `alias` None stands for the family's default."""

    family: str
    alias: str | None


class Project:
    """Everything that rules may ask about a project; reads lazily, and nothing but its files.

    `overlay` has the texts that win over the disk (unsaved editors, standard input, the index of
    git). `environment` is what `--check-env` compares with; None switches that group off.
    """

    def __init__(
        self,
        root: str,
        settings: Settings | None = None,
        *,
        overlay: Overlay | None = None,
        connections_file: str | None = None,
        home: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.root = os.path.abspath(root)
        self.settings = settings or Settings()
        self.overlay: Overlay = {} if overlay is None else overlay
        self.environment = environment
        self.problems: list[SettingsProblem] = []
        self._connections_file = connections_file
        self._home = home
        self._connections: dict[str, ConnectionsDocument | None] = {}
        self._found: dict[str, str | None] = {}
        self._usages: dict[str, tuple[Mark, frozenset[Usage]]] = {}
        self._answers: dict[str, Mapping[str, frozenset[Usage]]] = {}
        # The users among the files on disk, by connections file, and of how many files, when.
        self._on_disk: dict[str, dict[str, frozenset[Usage]]] | None = None
        self._looked: tuple[int, float] = (0, 0.0)
        # Files on disk as they were read, and those that what is kept here was made from.
        self._marks: dict[str, Mark] = {}
        self._sources: dict[str, Mark] = {}
        self._ground: set[str] = set()
        self._revision = 0
        self._dotenv: dict[str, Mapping[str, str | None]] = {}
        self.asked: dict[str, Answer] = {}

    def overlaid(self, path: str, text: str) -> "Project":
        """Return a copy that sees another text of one file; families and usages are kept."""
        copy = Project(
            self.root,
            self.settings,
            overlay={**self.overlay, path: text},
            connections_file=self._connections_file,
            home=self._home,
            environment=self.environment,
        )
        copy.__dict__["families"] = self.families
        copy._usages = dict(self._usages)
        return copy

    @cached_property
    def families(self) -> Families:
        """The built-in families and those that the settings name."""
        return Families(self._own_families())

    def _own_families(self) -> Iterator[FamilySpec]:
        base = self.settings.folder or self.root
        for pattern in self.settings.families:
            paths = self._files_of(base, pattern)
            self.rests_on(os.path.dirname(os.path.join(base, pattern)), *paths)
            if not paths:
                self.blame(pattern, f"`{pattern}` matches no file below {base}")
            for path in paths:
                try:
                    if not is_inside(path, base):
                        raise ValueError("it lies outside the project")
                    text: str | bytes | None = self.overlay.get(path)
                    if text is None:
                        with open(path, encoding="utf-8-sig") as file:
                            text = file.read(MAX_BYTES)
                    schema = json.loads(text)
                    if not isinstance(schema, dict):
                        raise ValueError("it is no JSON object")
                except (OSError, ValueError, RecursionError) as error:
                    said = error.strerror if isinstance(error, OSError) else str(error)
                    name = os.path.relpath(path, base)
                    self.blame(pattern, f"the family schema `{name}` cannot be read: {said}")
                    continue
                stem = os.path.splitext(os.path.basename(path))[0]
                yield FamilySpec(schema, stem, builtin=False)

    def _files_of(self, base: str, pattern: str) -> list[str]:
        found = set(_glob(base, pattern))
        if self.overlay:
            found.update(filter(matcher((f"/{pattern}",), base), self.overlay))
        return sorted(path for path in found if is_file(path, self.overlay))

    def blame(self, value: str, message: str) -> None:
        """Note a problem of the settings, at a value in their file."""
        path = self.settings.path or self.root
        span = Span(0, 0)
        if self.settings.path:
            try:
                with open(self.settings.path, encoding="utf-8") as file:
                    at = file.read().find(value)
                span = Span(max(at, 0), max(at, 0) + len(value))
            except OSError:
                pass
        self.problems.append(SettingsProblem(path, span, message))

    @cached_property
    def components(self) -> Mapping[str, ComponentSpec]:
        """The component specs by name: those of the project win over the built-in ones."""
        known = dict(builtin_components())
        for document in self._component_documents():
            name = document.data.get("name")
            if isinstance(name, str) and name:
                base = builtin_components().get(name)
                known[name] = ComponentSpec(document.data, document.path, base)
        return known

    def _component_documents(self) -> "Iterator[ComponentDocument]":
        from osiris_lsp.documents import ComponentDocument

        for path in self._component_files():
            text, problem = self.read(path)
            if problem is None:
                yield ComponentDocument(path, text)

    def _component_files(self) -> Iterator[str]:
        folder = os.path.join(self.root, _COMPONENTS)
        self._rely_on(folder)
        try:
            names = set(os.listdir(folder))
        except OSError:
            names = set()
        inside = folder + os.sep
        names.update(
            p[len(inside) :].split(os.sep)[0] for p in self.overlay if p.startswith(inside)
        )
        for name in sorted(names):
            self._rely_on(os.path.join(folder, name))
            for file in ("spec.yaml", "spec.yml"):
                path = os.path.join(folder, name, file)
                if is_file(path, self.overlay):
                    self._rely_on(path)
                    yield path

    def ground_files(self) -> Iterator[str]:
        """Yield the files beside settings that all findings depend on: families, components."""
        base = self.settings.folder or self.root
        for pattern in self.settings.families:
            yield from self._files_of(base, pattern)
        yield from self._component_files()

    def connections_path(self, path: str) -> str | None:
        """Return the connections file that holds for a file, or None.

        The order is: option or setting, OSIRIS_HOME, the nearest ancestor inside the project.
        """
        if self._connections_file is not None:
            return self._connections_file
        if self.settings.connections_file:
            base = self.settings.folder or self.root
            return os.path.normpath(os.path.join(base, self.settings.connections_file))
        folder = path.rpartition(os.sep)[0]
        known = self._found.get(folder, "")
        if known == "":
            revision = self._revision
            return self._keep(self._found, folder, self._find(folder), revision)
        return known

    def _find(self, folder: str) -> str | None:
        home = self._home
        found = find_connections(home, home, self.overlay) if home else None
        return found or find_connections(folder, self.root, self.overlay)

    def connections_for(self, path: str) -> "ConnectionsDocument | None":
        """Return the connections that hold for a file, or None where there is no such file."""
        found = self.connections_path(path)
        if found is None:
            return None
        try:
            return self._connections[found]
        except KeyError:
            revision = self._revision
        from osiris_lsp.documents import ConnectionsDocument

        self._rely_on(found)
        text, problem = self.read(found)
        document = ConnectionsDocument(found, text, self.families) if problem is None else None
        return self._keep(self._connections, found, document, revision)

    def _keep(self, kept: dict[str, T], key: str, value: T, revision: int) -> T:
        """Keep what was read, unless something was forgotten meanwhile: requests work in threads.

        Returns it.
        """
        kept[key] = value
        if revision != self._revision:
            kept.pop(key, None)
        return value

    def read(self, path: str) -> "tuple[str, InputProblem | None]":
        """Return the text of a file, or an empty text and why it cannot be read."""
        text = self.overlay.get(path)
        if isinstance(text, str):
            return text, None
        if text is not None:
            return decoded(text) if len(text) <= MAX_BYTES else ("", too_large(len(text)))
        if path in self.overlay:
            return "", ("unreadable-file", "there is no such file")
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            self._marks[path] = None
            return read_file(path)
        self._marks[path] = _mark(status)
        return read_file(path, status)

    def open(
        self,
        path: str,
        text: str | None = None,
        kind: Kind | None = None,
        any_yaml: bool = False,
        previous: "Document | None" = None,
    ) -> "Document | None":
        """Return the document of a file, or None for a file that is not ours.

        A file that cannot be read is a plain document with an `input_problem`. `previous` is an
        earlier version of the document, which saves work.
        """
        document = self._open(path, text, kind, any_yaml)
        if document is not None and previous is not None:
            document.follows(previous)
        if text is None or text != self.overlay.get(path):
            return document
        from osiris_lsp.documents import ConnectionsDocument

        if isinstance(document, ConnectionsDocument):
            self._rely_on(path)
            self._connections[path] = document
        return document

    def basis(self, document: "Document") -> tuple[object, ...]:
        """Return what findings about the entries of a document depend on beside its text."""
        from osiris_lsp.documents import PipelineDocument

        if isinstance(document, PipelineDocument):
            return self.connections_for(document.path), document.components, self.families
        return (self.families,)

    def _open(
        self, path: str, text: str | None, kind: Kind | None, any_yaml: bool
    ) -> "Document | None":
        from osiris_lsp.documents import (
            ComponentDocument,
            ConnectionsDocument,
            Document,
            PipelineDocument,
        )

        problem = None
        if text is None:
            text, problem = self.read(path)
        if len(text) > MAX_BYTES:  # in an editor: on disk it would not have been read
            if detect_kind(path, text[:_HEAD], lambda: self.families.spellings) == "other":
                return None
            problem = too_large(len(text))
        if problem is not None:
            return Document(path, "", problem)
        if kind is None:
            kind = detect_kind(path, text, lambda: self.families.spellings)
            if kind == "other" and path == self._connections_file:
                kind = "connections"
        if kind == "connections":
            return ConnectionsDocument(path, text, self.families)
        if kind == "pipeline":
            return PipelineDocument(path, text, self.components)
        if kind == "component":
            return ComponentDocument(path, text)
        return Document(path, text) if kind == "yaml" or any_yaml else None

    def ask(self, path: str) -> Answer:
        """Return what lies at a path beside the project's YAML, and remember that it was asked."""
        real = os.path.realpath(path)
        answer = Answer(real, os.path.exists(path), os.path.isfile(path))
        self.asked[path] = answer
        return answer

    def is_excluded(self) -> Callable[[str], bool]:
        """Return the test of absolute paths against `exclude`."""
        return matcher(self.settings.exclude, self.settings.folder or self.root)

    def is_foreign(self, path: str) -> bool:
        """Tell whether a file is not ours, by what can be made of its bytes where they are no text.

        A file that cannot be opened may be ours.
        """
        text, problem = self.read(path)
        if path == self._connections_file or (problem and problem[0] == "unreadable-file"):
            return False
        data = self.overlay.get(path) if problem else text
        if data is None:
            try:
                with open(path, "rb") as file:
                    data = file.read(_HEAD)
            except OSError:
                return False
        if isinstance(data, bytes):
            utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
            data = data[:_HEAD].decode("utf-16" if utf16 else "utf-8", "replace")
        return detect_kind(path, data, lambda: self.families.spellings) == "other"

    def files(self, folder: str | None = None) -> Iterator[str]:
        """Yield the YAML files below a folder of the project that are to be looked at."""
        included = matcher(self.settings.include, self.settings.folder or self.root)
        for path in walk(folder or self.root, self.is_excluded()):
            if self.overlay.get(path, "") is None:
                continue
            if not self.settings.include or included(path):
                yield path

    def note(self, document: "PipelineDocument") -> frozenset[Usage]:
        """Remember which connections a pipeline uses, and return them."""
        path = document.path
        known = self._marks.get(path)
        found = frozenset(self._usages_of(document))
        given = self.overlay.get(path, known)
        self._usages[path] = document.text if isinstance(given, str) else given, found
        return found

    def noted(self, path: str) -> frozenset[Usage]:
        """Return which connections a file uses; it is read when it has changed since."""
        from osiris_lsp.documents import PipelineDocument

        given = self.overlay.get(path)
        now = mark(path) if given is None else given
        known = self._usages.get(path)
        if known is None or known[0] != now:
            document = self.open(path, given if isinstance(given, str) else None)
            uses = self._usages_of(document) if isinstance(document, PipelineDocument) else ()
            known = self._usages[path] = now, frozenset(uses)
        return known[1]

    def known(self, path: str) -> frozenset[Usage] | None:
        """Return what was noted about a file, whatever it holds now; None if nothing was."""
        noted = self._usages.get(path)
        return noted[1] if noted is not None else None

    def learn(self, path: str, usages: frozenset[Usage]) -> None:
        """Take over what another process noted about a pipeline."""
        self._usages[path] = mark(path), usages
        self._on_disk = None

    def _usages_of(self, document: "PipelineDocument") -> Iterator[Usage]:
        from osiris_lsp.assembly import Assembled

        tree = document.tree
        if not isinstance(tree, Assembled) or not tree.is_regular:
            yield from usages_in(document.modern_steps, self.families)
            return
        from osiris_lsp.documents import Step
        from osiris_lsp.tree import Node

        families, components = self.families, document.components
        for part in tree.parts:
            known = part.identity.usage
            if known is None or known[0] is not families or known[1] is not components:
                items = (item for item in part.identity.sketch if isinstance(item, Node))
                steps = [Step(0, item, components) for item in items]
                known = families, components, tuple(usages_in(steps, families))
                part.identity.usage = known
            if known[2]:
                yield from known[2]

    def rests_on(self, *paths: str) -> None:
        """Take note of files, and folders, without which this would be another project."""
        self._rely_on(*paths)
        self._ground.update(paths)

    def is_ground(self, path: str) -> bool:
        """Tell whether a change of a file makes this another project: settings, family schemas."""
        return path in self._ground or os.path.dirname(path) in self._ground

    def _rely_on(self, *paths: str) -> None:
        self._sources.update((path, mark(path)) for path in paths)

    def stale(self) -> list[str]:
        """Return the files that others depend on and that changed on disk since they were read."""
        found = [
            path
            for path, known in tuple(self._sources.items())
            if path not in self.overlay and mark(path) != known
        ]
        moved = any(self._find(folder) != known for folder, known in tuple(self._found.items()))
        return [*found, os.path.join(self.root, CONNECTIONS[0])] if moved else found

    def forget(self, path: str, is_edit: bool = False) -> bool:
        """Read a file anew when it is asked for next; True when other files depend on it.

        An edit in an editor leaves the disk as it is.
        """
        folder, name = os.path.split(path)
        components = os.path.join(self.root, _COMPONENTS)
        is_wide = path in self._sources or name in CONNECTIONS
        self._revision += 1
        self._on_disk = self._on_disk if is_edit else None
        self._sources.pop(path, None)
        self._connections.pop(path, None)
        self._dotenv.pop(path, None)
        if name in CONNECTIONS:
            self._found.clear()
        if components in (path, folder, os.path.dirname(folder)):
            is_wide = True
            # A step without a connection takes that of the family of its component.
            self._usages.clear()
            self._on_disk = None
            self.__dict__.pop("components", None)
            for known in [item for item in tuple(self._sources) if item.startswith(components)]:
                self._sources.pop(known, None)
        return is_wide

    def usages(self, connections: "ConnectionsDocument") -> frozenset[Usage]:
        """Return the uses of the connections of a file by all pipelines of the project."""
        return frozenset().union(*self.users(connections).values())

    def users(self, connections: "ConnectionsDocument") -> Mapping[str, frozenset[Usage]]:
        """Return the uses of the connections of a file by path of the pipeline, in no order."""
        path = connections.path
        found = self._users_of(path)
        # Who asked before may show another answer, and has to ask again.
        if self._answers.setdefault(path, found) != found:
            self._answers[path] = _SEVERAL
        return found

    def _users_of(self, source: str) -> Mapping[str, frozenset[Usage]]:
        found = dict(self._users_on_disk().get(source, {}))
        for path, text in tuple(self.overlay.items()):
            found.pop(path, None)
            is_user = text is not None and (self.connections_path(path) or "") == source
            if is_user and (noted := self.noted(path)):
                found[path] = noted
        return found

    def _users_on_disk(self) -> Mapping[str, Mapping[str, frozenset[Usage]]]:
        known = self._on_disk
        if known is None:
            revision, known = self._revision, {}
            paths = [path for path in self.files() if path not in self.overlay]
            for path in paths:
                if noted := self.noted(path):
                    known.setdefault(self.connections_path(path) or "", {})[path] = noted
            self._looked = len(paths), monotonic()
            self._on_disk = known if revision == self._revision else None
        return known

    def look_again(self) -> None:
        """Look at the disk when users are asked for next: nobody says when files change there.

        Many files are looked at once a second, which is often enough while somebody types.
        """
        count, at = self._looked
        if count <= _MANY or monotonic() - at >= _OFTEN:
            self._on_disk = None

    def has_answered(self, path: str) -> bool:
        """Tell whether the users of a connections file were asked for."""
        return path in self._answers

    def is_outdated(self) -> bool:
        """Tell whether `users` would answer something else now than it did since `asks_again`."""
        answers = tuple(self._answers.items())
        return any(self._users_of(path) != known for path, known in answers)

    def asks_again(self) -> None:
        """Take note that all who asked for users are told to ask once more."""
        self._answers.clear()

    def sieve(self, document: "Document", spans: Sequence[Span]) -> Sieve:
        """Return what keeps secrets out of messages about a document.

        These are the ones at `spans`, and tokens in the connections that a pipeline refers to.
        """
        from osiris_lsp.documents import PipelineDocument

        others: Sequence[str] = ()
        if isinstance(document, PipelineDocument):
            connections = self.connections_for(document.path)
            if connections is not None:
                words = {connections.text[start:end] for start, end in connections.secret_spans}
                others = [word for word in words if is_distinct(word)]
        return Sieve(document.text, spans, others)

    def dotenv(self, connections_path: str) -> Mapping[str, str | None]:
        """Return the variables of the `.env` beside a connections file; nothing is exported."""
        path = os.path.join(os.path.dirname(connections_path), ".env")
        known = self._dotenv.get(path)
        if known is not None:
            return known
        revision = self._revision
        self._rely_on(path)
        text, _ = self.read(path)
        values: Mapping[str, str | None] = {}
        if text:
            from osiris_lsp.envfile import parse

            values = parse(text)
        return self._keep(self._dotenv, path, values, revision)


def usages_in(steps: "Iterable[Step]", families: Families) -> Iterator[Usage]:
    """Yield the connections that steps use, those of legacy ones left out."""
    for step in steps:
        if step.node is not None and not step.is_legacy:
            usage = usage_of(step, families)
            if usage is not None:
                yield usage


def usage_of(step: "Step", families: Families) -> Usage | None:
    """Return the connection that a step uses, or None; families are canonical."""
    if step.reference is not None:
        return Usage(families.canonical(step.reference.family), step.reference.alias)
    if step.spec is None:
        return None
    family = families.find(step.spec.family_spelling)
    if family is None:
        return None
    if step.connection is None:
        return Usage(family.name, None)
    return Usage(family.name, ANY) if has_variable(step.connection.value) else None


def open_project(
    folder: str,
    *,
    fallback: str | None = None,
    isolated: bool = False,
    overlay: Overlay | None = None,
    connections_file: str | None = None,
    home: str | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Project:
    """Return the project of a folder; problems of its settings are in `Project.problems`.

    `fallback` is its root where nothing marks one. `isolated` ignores settings files. `overrides`
    are settings given on the command line.
    """
    settings = Settings()
    problems: Sequence[SettingsProblem] = ()
    path = None if isolated else find_settings(folder, overlay)
    if path is not None:
        text, problem = Project(folder, overlay=overlay).read(path)
        if problem is not None:
            problems = [SettingsProblem(path, Span(0, 0), problem[1])]
        else:
            settings, problems = load_settings(path, text)
    if overrides:
        settings = settings._replace(**overrides)  # type: ignore[arg-type]  # named as the fields
    project = Project(
        find_root(folder, fallback, overlay),
        settings,
        overlay=overlay,
        connections_file=connections_file,
        home=home,
        environment=environment if settings.check_env else None,
    )
    project.problems.extend(problems)
    if path is not None:
        project.rests_on(path)
    return project


def mark(path: str) -> Mark:
    """Return the mark of a file on disk, None where there is none."""
    try:
        return _mark(os.stat(path))
    except (OSError, ValueError):
        return None


def _mark(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_size, status.st_ino


def read_file(path: str, status: os.stat_result | None = None) -> "tuple[str, InputProblem | None]":
    """Return the text of a file on disk, or an empty text and why it cannot be read.

    A byte order mark is left out. Pipes and devices are never opened. `status` is what `os.stat`
    said right before.
    """
    try:
        status = status or os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return "", ("unreadable-file", f"this is {_file_type(status.st_mode)}, not a file")
        if status.st_size > MAX_BYTES:
            return "", too_large(status.st_size)
        with open(path, "rb", buffering=0) as file:
            data = file.read()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return "", ("unreadable-file", f"this file cannot be read: {reason}")
    except ValueError as error:
        return "", ("unreadable-file", f"this file cannot be read: {error}")
    return decoded(data)


def decoded(data: bytes) -> "tuple[str, InputProblem | None]":
    """Return the text that the bytes of a file stand for, or an empty text and what is wrong."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "", ("invalid-encoding", "this file is UTF-16; save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode(), None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = (
            f"this file is not UTF-8: byte 0x{data[error.start]:02x} in line {line} fits no "
            "character; save it as UTF-8"
        )
        return "", ("invalid-encoding", message)


def too_large(size: int) -> "InputProblem":
    """Return what is wrong with a file of so many bytes."""
    return "file-too-large", (
        f"this file has {size / 1e6:.1f} MB, more than the limit of {MAX_BYTES / 1e6:.0f} MB; "
        "split it, or leave it out with `exclude`"
    )


def _file_type(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"


def _glob(base: str, pattern: str) -> list[str]:
    import glob

    return sorted(glob.glob(os.path.join(base, pattern), recursive=True))
