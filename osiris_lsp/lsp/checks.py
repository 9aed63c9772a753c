"""Checks of connections in the editor: with consent, off the loop, remembered with their age."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris_lsp.connectors.doctor import ConnectionDoctor, untrusted
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.health import TIMEOUT, Check, Probe, examine
from osiris_lsp.connectors.resolution import ConnectionResolver
from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.connectors.trust import TrustStore
from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.lsp.entries import dotenv_state, place, question, stamp
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.project import Project

SOURCE: Final = "osiris-doctor"
"""The `source` of the diagnostic of a failed check."""

_PAUSE: Final = 60.0
"""Seconds between two checks of a connection that nobody asked for."""


class Last(NamedTuple):
    """The last result of a connection; `checked_at` is in seconds since 1970, `age` in seconds.

    `stale`: the connection, or the `.env` beside its file, has changed since.
    """

    result: DoctorResult
    checked_at: float
    age: float
    stale: bool


class Target(NamedTuple):
    """A connection of a file, as it is written now; `project` is a copy that no edit changes."""

    path: str
    entry: Connection
    project: Project


class _Record(NamedTuple):
    result: DoctorResult
    checked_at: float
    stamp: str


def identifier(path: str, entry: Connection) -> str:
    """Return the opaque id of a connection: the same as long as its file and its name are."""
    return hashlib.sha256(f"{path}\n{entry}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Checks:
    """What is known of the health of connections, and the way to find out."""

    def __init__(self, server: Server, store: TrustStore | None = None) -> None:
        self._server = server
        self.store = store or TrustStore()
        self.revision = 0
        self._known: dict[str, dict[str, _Record]] = {}
        self._tried: dict[str, float] = {}
        self._told: bool | None = None

    @property
    def refusal(self) -> str | None:
        """Why no check may run here at all, or None."""
        if not self._server.trusted:
            return "the doctor is off over `--tcp`"
        initial = plain(self._server.initial_options)
        told = initial.get("workspaceTrusted") if isinstance(initial, Mapping) else None
        if (told if self._told is None else self._told) is False:
            return "the doctor is off because this workspace is not trusted"
        return None

    def trust_workspace(self, trusted: bool) -> None:
        """Take over what the client says of the workspace."""
        self._told = trusted

    def targets(self, document: ConnectionsDocument, entries: Sequence[Connection]) -> list[Target]:
        """Return connections of a document for checks and for their display, off the loop too."""
        project = self._server.projects.of(document.path).project
        copy = project.overlaid(document.path, document.text)
        return [Target(document.path, entry, copy) for entry in entries]

    def resolver(self, target: Target) -> ConnectionResolver:
        """Return the resolver of the file of a connection; raises ConnectorConfigError."""
        environment = self._server.projects.environment
        return ConnectionResolver(target.path, environment=environment, project=target.project)

    def last(self, path: str, entry: Connection) -> Last | None:
        """Return the last result of a connection, or None where it was not checked yet."""
        known = self._known.get(path)
        record = known.get(str(entry)) if known else None
        if record is None:
            return None
        stale = record.stamp != stamp(path, entry)
        age = max(time.time() - record.checked_at, 0.0)
        return Last(record.result, record.checked_at, age, stale)

    def remember(self, path: str, entry: Connection, result: DoctorResult) -> None:
        """Keep a result of a connection as it is written now."""
        self._known.setdefault(path, {})[str(entry)] = _Record(
            result, time.time(), stamp(path, entry)
        )

    async def run(
        self, targets: Sequence[Target], done: Callable[[int], None] = lambda count: None
    ) -> list[DoctorResult]:
        """Check connections and remember the results; what is not trusted is not checked.

        `done` is called on the loop with the number of results so far. Where the task is cancelled
        the checks under way are abandoned, and what is there already is remembered.
        """
        loop = asyncio.get_running_loop()
        self._tried.update((identifier(*item[:2]), time.monotonic()) for item in targets)
        round_ = _Round(targets, self._server.options.timeout or TIMEOUT, self.resolver)
        refusal = self.refusal

        def tell(count: int) -> None:
            loop.call_soon_threadsafe(done, count)

        try:
            await self._server.blocking(
                round_.run, lambda target: refusal or self._distrust(target), tell
            )
        finally:
            self._keep(round_.stop())
        results = {id(target.entry): record.result for target, record in round_.found}
        return [results[id(target.entry)] for target in targets]

    def _keep(self, found: Sequence[tuple[Target, _Record]]) -> None:
        kept = [(target, record) for target, record in found if record.stamp]
        for target, record in kept:
            self._known.setdefault(target.path, {})[str(target.entry)] = record
        if kept:
            self.revision += 1
            self._server.touched(None, False)

    def _distrust(self, target: Target) -> str | None:
        if self.store.is_trusted(target.path, target.entry):
            return None
        if self.store.changed(target.path, target.entry):
            return "this connection has changed since it was trusted"
        return "nobody has allowed this connection yet"

    async def ask(self, targets: Sequence[Target]) -> list[Target]:
        """Ask for consent where it lacks, and return the connections that are trusted then.

        What is allowed is what was shown: a change that comes meanwhile asks again.
        """
        if self.refusal is not None:
            return []
        new = await self._server.blocking(
            lambda: [item for item in targets if not self.store.is_trusted(*item[:2])]
        )
        if new:
            allow, later = types.MessageActionItem("Allow"), types.MessageActionItem("Not now")
            asked = types.ShowMessageRequestParams(
                types.MessageType.Warning, question([item.entry for item in new]), [allow, later]
            )
            answer = None
            with contextlib.suppress(JsonRpcException):  # a client that cannot ask has not agreed
                answer = await self._server.window_show_message_request_async(asked)
            if answer is None or answer.title != allow.title:
                return [item for item in targets if item not in new]
            await self._server.blocking(
                lambda: [self.store.trust(item.path, item.entry) for item in new]
            )
        return list(targets)

    def live(self, document: ConnectionsDocument, entry: Connection) -> None:
        """Check a trusted connection in the background, if it is time to; asks for nothing.

        At most once a minute, and not again after `auth` until the connection or `.env` changes:
        more attempts could lock the account.
        """
        name, now = identifier(document.path, entry), time.monotonic()
        last = self.last(document.path, entry)
        refused = last is not None and last.result.category == "auth" and not last.stale
        if self.refusal is not None or refused or now - self._tried.get(name, -_PAUSE) < _PAUSE:
            return
        self._tried[name] = now
        self._server.soon(self.run(self.targets(document, [entry])))

    def diagnostics(self, view: View) -> Iterator[types.Diagnostic]:
        """Yield the failed checks of an open connections file that still hold."""
        document = view.document
        if not isinstance(document, ConnectionsDocument) or document.path not in self._known:
            return
        for entry in document.connections:
            last = self.last(document.path, entry)
            if last is None or last.stale or last.result.ok:
                continue
            details = last.result.details
            parts = (details.get("cause"), details.get("remedy"))
            reasons = "; ".join(str(part) for part in parts if part)
            yield types.Diagnostic(
                view.range(place(entry, str(details.get("field") or ""))),
                f"{last.result.message}: {reasons}" if reasons else last.result.message,
                types.DiagnosticSeverity.Error,
                code=str(details.get("code") or "unknown"),
                source=SOURCE,
                data={"id": identifier(document.path, entry)},
            )

    def state(self, view: View) -> str:
        """Return what `diagnostics` depend on besides the text, in short."""
        if view.document.path not in self._known:
            return ""
        return f"{self.revision}-{dotenv_state(view.document.path)}"


class _Round:
    """Checks of some connections, off the loop; `found` grows until it is stopped."""

    def __init__(
        self,
        targets: Sequence[Target],
        timeout: float,
        resolver: Callable[[Target], ConnectionResolver],
    ) -> None:
        self.found: list[tuple[Target, _Record]] = []
        self._targets = targets
        self._timeout = timeout
        self._resolver = resolver
        self._is_over = False
        self._doctor: ConnectionDoctor | None = None

    def stop(self) -> list[tuple[Target, _Record]]:
        """Abandon what is under way, and return what was found until now."""
        self._is_over = True
        found = list(self.found)
        if self._doctor is not None:
            self._doctor.abandon()
        return found

    def run(self, refused: Callable[[Target], str | None], tell: Callable[[int], None]) -> None:
        """Check what is not refused, one file after the other; `tell` hears the number so far."""
        allowed: dict[str, list[Target]] = {}
        for target in self._targets:
            why = refused(target)
            if why is not None:
                self._note(target, untrusted(target.entry, why), "")
            else:
                allowed.setdefault(target.path, []).append(target)
        for path, group in allowed.items():
            self._check(path, group, tell)

    def _check(self, path: str, group: Sequence[Target], tell: Callable[[int], None]) -> None:
        try:
            doctor = ConnectionDoctor(self._resolver(group[0]), self._timeout)
        except ConnectorConfigError as error:
            for target in group:
                self._note(target, _failed(target.entry, error), "")
            return
        meant = {id(target.entry): (target, stamp(path, target.entry)) for target in group}

        def done(entry: Connection, result: DoctorResult) -> None:
            target, mark = meant[id(entry)]
            self._note(target, result, mark)
            tell(len(self.found))

        self._doctor = doctor
        if not self._is_over:
            for _ in doctor.check_each([target.entry for target in group], done):
                pass

    def _note(self, target: Target, result: DoctorResult, mark: str) -> None:
        if not self._is_over:
            self.found.append((target, _Record(result, time.time(), mark)))


def _failed(entry: Connection, error: ConnectorConfigError) -> DoctorResult:
    def prepare(check: Check) -> Probe:
        raise error

    return examine(prepare, (entry.family.canonical, entry.alias))


def plain(data: Any) -> Any:
    """Return what a client sent as plain values: pygls makes named tuples of unknown objects."""
    if hasattr(data, "_asdict"):
        data = data._asdict()
    if isinstance(data, Mapping):
        return {key: plain(value) for key, value in data.items()}
    return [plain(item) for item in data] if isinstance(data, list | tuple) else data


def register(server: Server) -> None:
    """Register the handlers."""
    server.checks = Checks(server)

    @server.on("osiris/workspaceTrusted")
    async def trusted(params: Any) -> None:
        told = plain(params)
        server.checks.trust_workspace(isinstance(told, Mapping) and told.get("trusted") is True)
