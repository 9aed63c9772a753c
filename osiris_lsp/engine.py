"""Lint one document: run the rules that are on, apply suppressions, put findings in order."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from osiris_lsp.discovery import matcher
from osiris_lsp.documents import Document, PipelineDocument
from osiris_lsp.finding import Finding, Problem, Severity, sort_key
from osiris_lsp.project import Project
from osiris_lsp.properties import cached_property
from osiris_lsp.recall import Recall
from osiris_lsp.rules import Entry, load, matches, selected
from osiris_lsp.settings import Settings
from osiris_lsp.suppressions import Silencer, Suppression

# Findings about the comments themselves; a comment cannot silence them for the whole run.
_UNUSED = "unused-suppression"
_ABOUT_COMMENTS = (_UNUSED, "unknown-suppression")


class Crash(NamedTuple):
    """A bug of ours: a rule that failed on a file. It holds no text of the file."""

    rule: str
    path: str
    error: str
    traceback: str


class Report(NamedTuple):
    """What linting a document gave; `suppressed` pairs findings with what silences them."""

    findings: Sequence[Finding]
    suppressed: Sequence[tuple[Finding, Suppression]]
    crashes: Sequence[Crash]


Running = tuple[Entry, Severity, Callable[[Any, Project], Iterable[Problem]]]
"""A rule that is on, the severity in force, and its `check`."""


class Linter:
    """The rules that the settings of a project turn on, ready to run."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.settings: Settings = project.settings
        self._by_kind: dict[str, list[Running]] = {}
        self._recalls: dict[str, Recall] = {}

    @cached_property
    def rules(self) -> Sequence[Entry]:
        """The rules that are on."""
        settings = self.settings
        environment = self.project.environment is not None
        return tuple(selected(settings.select, settings.ignore, environment))

    @cached_property
    def severities(self) -> Mapping[str, Severity]:
        """Severities that the settings change, by rule name."""
        found: dict[str, Severity] = {}
        for selector, severity in self.settings.severity:
            for entry in self.rules:
                if matches(selector, entry):
                    found[entry.name] = severity
        return found

    @cached_property
    def _ignores(self) -> Sequence[tuple[Callable[[str], bool], tuple[str, ...]]]:
        base = self.settings.folder or self.project.root
        return tuple(
            (matcher([glob], base), selectors) for glob, selectors in self.settings.per_file_ignores
        )

    def _for_kind(self, kind: str) -> list[Running]:
        if kind not in self._by_kind:
            self._by_kind[kind] = [
                (entry, self.severities.get(entry.name, entry.severity), load(entry.name).check)
                for entry in self.rules
                if kind in entry.kinds
            ]
        return self._by_kind[kind]

    def lint(self, document: Document, again: bool = False) -> Report:
        """Return the findings of a document in order.

        `again` says that the document will be linted once more after an edit: what was found in
        its entries is kept until `forget`.
        """
        crashes: list[Crash] = []
        findings: list[Finding] = []
        ignored = self._ignored(document.path)
        unused = None
        entrywise: list[Running] = []
        outline: list[Running] = []
        for running in self._for_kind(document.kind):
            if ignored and any(matches(selector, running[0]) for selector in ignored):
                continue
            if running[0].name == _UNUSED:
                unused = running
            elif again and (running[0].entrywise or running[0].outline):
                (entrywise if running[0].entrywise else outline).append(running)
            else:
                self._run(document, running, findings, crashes)

        if again:
            recall = self._recalls.setdefault(document.path, Recall())
            basis = self.project.basis(document)
            check = partial(self._check, document, entrywise, crashes)
            findings += recall.findings(document, basis, check)
            check = partial(self._check, document, outline, crashes)
            findings += recall.of_outlines(document, check)
        findings = list(dict.fromkeys(findings))
        kept = findings
        suppressed: list[tuple[Finding, Suppression]] = []
        if document.suppressions:
            silencer = Silencer(document.suppressions)
            kept = [*_sifted(silencer, findings, suppressed)]
            if unused is not None:
                late: list[Finding] = []
                self._run(document, unused, late, crashes)
                kept += _sifted(silencer, late, [])
        if isinstance(document, PipelineDocument):
            self.project.note(document)
        kept.sort(key=sort_key)
        suppressed.sort(key=lambda pair: sort_key(pair[0]))
        return Report(kept, suppressed, crashes)

    def _check(
        self,
        whole: Document,
        rules: Sequence[Running],
        crashes: list[Crash],
        part: Document,
        names: Collection[str] | None = None,
    ) -> Sequence[Finding]:
        """Run rules, or those of some names, over a document or a part of it."""
        found: list[Finding] = []
        for running in rules:
            if names is None or running[0].name in names:
                self._run(part, running, found, crashes, whole)
        return found

    def forget(self, path: str) -> None:
        """Drop what was kept of a document."""
        self._recalls.pop(path, None)

    def _ignored(self, path: str) -> Sequence[str]:
        return [
            selector for test, selectors in self._ignores if test(path) for selector in selectors
        ]

    def _run(
        self,
        document: Document,
        running: Running,
        findings: list[Finding],
        crashes: list[Crash],
        whole: Document | None = None,
    ) -> None:
        entry, severity, check = running
        owner = whole or document
        try:
            for problem in check(document, self.project):
                findings.append(_finding(owner, entry, severity, problem, self.severities))
        except Exception as error:  # one broken rule never hides the others
            import traceback

            stack = traceback.format_list(traceback.extract_tb(error.__traceback__))
            crashes.append(Crash(entry.name, document.path, type(error).__name__, "".join(stack)))


def _finding(
    document: Document,
    entry: Entry,
    severity: Severity,
    problem: Problem,
    overrides: Mapping[str, Severity],
) -> Finding:
    if problem.severity is not None and entry.name not in overrides:
        severity = problem.severity
    return Finding(
        entry.code,
        entry.name,
        severity,
        problem.message,
        document.path,
        problem.span,
        document.tree.key_path(problem.span.start) if problem.span.end else (),
        problem.fix,
        problem.related,
        entry.source,
    )


def _sifted(
    silencer: Silencer, findings: Sequence[Finding], suppressed: list[tuple[Finding, Suppression]]
) -> Iterator[Finding]:
    """Yield the findings that no comment silences, and put the others into `suppressed`.

    A finding about comments is silenced only by name: else each would silence its own.
    """
    for finding in findings:
        by_name = finding.rule in _ABOUT_COMMENTS
        comment = silencer.silencing(finding.code, finding.rule, finding.span.start, by_name)
        if comment is None:
            yield finding
        else:
            suppressed.append((finding, comment))


def lint(document: Document, project: Project) -> Sequence[Finding]:
    """Return the findings of a document in order; raises RuntimeError when a rule of ours fails."""
    report = Linter(project).lint(document)
    if report.crashes:
        crash = report.crashes[0]
        raise RuntimeError(f"the rule `{crash.rule}` failed with {crash.error}")
    return report.findings
