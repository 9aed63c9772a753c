"""What is wrong with the settings of a project, as findings."""

from collections.abc import Iterator

from osiris_lsp.finding import Finding
from osiris_lsp.project import Project
from osiris_lsp.reports.record import Record, Recorder
from osiris_lsp.rules import RULES, unknown_selectors
from osiris_lsp.settings import SettingsProblem
from osiris_lsp.specs import nearest
from osiris_lsp.text import Span


def settings_records(project: Project, folder: str | None = None) -> Iterator[Record]:
    """Yield what is wrong with the settings of a project; paths are relative to `folder`."""
    _ = project.families
    problems = list(project.problems)
    path = project.settings.path
    for setting, word in unknown_selectors(project.settings):
        close = nearest(word, RULES)
        hint = f"; did you mean `{close}`?" if close else ""
        at = project.read(path)[0].find(f'"{word}"') + 1 if path else 0
        span = Span(max(at, 0), max(at, 0) + (len(word) if at else 0))
        problems.append(
            SettingsProblem(path or project.root, span, f"`{setting}`: `{word}` is no rule{hint}")
        )
    if problems:
        from osiris_lsp.documents import Document

    for problem in problems:
        entry = RULES["invalid-settings"]
        document = Document(problem.path, project.read(problem.path)[0])
        finding = Finding(
            entry.code,
            entry.name,
            "error",
            problem.message,
            problem.path,
            problem.span,
            (),
            None,
            (),
            entry.source,
        )
        yield from Recorder(project, folder).records(document, [finding])
