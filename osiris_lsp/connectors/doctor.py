"""Check connections of a file: one, some or all, at once and without holding each other up."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import with_replicas
from osiris_lsp.connectors.errors import Category, ConnectorConfigError
from osiris_lsp.connectors.families import connector, of_spec
from osiris_lsp.connectors.health import TIMEOUT, Check, Deadline, Probe, examine, failure_of
from osiris_lsp.connectors.resolution import ConnectionResolver
from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.documents import Connection

WORKERS: Final = 48
"""Checks under way at once; they wait much more than they work."""


def classify_error(error: BaseException, family: str = "") -> Category:
    """Return the category of an error (CONN-012); errors of a driver need the family it serves."""
    probe = connector(family) if family else None
    check = Check(ResolvedConnection(family, "", {}), Deadline(TIMEOUT))
    return failure_of(error, check, probe).category


class ConnectionDoctor:
    """The doctor of a connections file; variables and stores are read within each deadline."""

    def __init__(
        self, resolver: ConnectionResolver | None = None, timeout: float = TIMEOUT
    ) -> None:
        self.resolver = resolver or ConnectionResolver()
        self.timeout = timeout
        self._is_abandoned = False
        self._closers: list[Callable[[], object]] = []

    def abandon(self) -> None:
        """Close what checks under way have open, and begin no other: no more results come."""
        self._is_abandoned = True
        for close in tuple(self._closers):
            close()

    def check_connection(self, reference: str) -> DoctorResult:
        """Check the connection that a reference means; raises ConnectorConfigError for none."""
        return self.check(self.resolver.find(reference))

    def check_all(self) -> dict[str, DoctorResult]:
        """Check every connection of the file, by reference."""
        entries = self.resolver.document.connections
        return {str(entry): result for entry, result in self.check_each(entries)}

    def check(self, entry: Connection) -> DoctorResult:
        """Check one connection; never raises."""
        families = self.resolver.project.families

        def prepare(check: Check) -> Probe:
            self._closers.append(check.close)
            if self._is_abandoned:
                raise TimeoutError("the check was abandoned")
            spec = entry.spec
            known = of_spec(spec) if spec is not None else connector(entry.family.name, families)
            check.connection = self.resolver.values_of(entry)
            return with_replicas(known)

        return examine(prepare, (entry.family.canonical, entry.alias), self.timeout)

    def check_each(
        self,
        entries: Sequence[Connection],
        done: Callable[[Connection, DoctorResult], object] = lambda entry, result: None,
    ) -> Iterator[tuple[Connection, DoctorResult]]:
        """Check connections beside each other and yield them in their order.

        `done` is called for each as soon as its result is there.
        """
        todo: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        results: queue.SimpleQueue[tuple[Connection, DoctorResult] | None] = queue.SimpleQueue()
        self._closers.append(lambda: results.put(None))
        if self._is_abandoned:
            return
        for entry in entries:
            todo.put(entry)

        def work() -> None:
            while not self._is_abandoned:
                try:
                    entry = todo.get_nowait()
                except queue.Empty:
                    return
                results.put((entry, self.check(entry)))

        for _ in range(min(WORKERS, len(entries))):
            threading.Thread(target=work, name="doctor", daemon=True).start()
        found: dict[int, DoctorResult] = {}
        for _ in entries:
            got = results.get()
            if got is None:
                return
            entry, result = got
            found[id(entry)] = result
            done(entry, result)
        for entry in entries:
            yield entry, found[id(entry)]


def untrusted(entry: Connection, reason: str) -> DoctorResult:
    """Return the result that stands for a check which nobody consented to."""

    def prepare(check: Check) -> Probe:
        raise ConnectorConfigError(
            reason,
            code="config.not_trusted",
            remedy=f"look at it, then allow it: `osiris connections trust {entry}`",
        )

    return examine(prepare, (entry.family.canonical, entry.alias))
