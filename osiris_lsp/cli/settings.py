"""Settings on the command line: what is wrong with them, and what is in force."""

import json
from collections.abc import Iterator, Sequence

from osiris_lsp.finding import Finding
from osiris_lsp.project import Project
from osiris_lsp.reports.record import Record, Recorder
from osiris_lsp.rules import RULES, unknown_selectors
from osiris_lsp.settings import SettingsProblem
from osiris_lsp.specs import nearest
from osiris_lsp.text import Span


def settings_records(project: Project) -> Iterator[Record]:
    """Yield what is wrong with the settings of a project as findings."""
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
        yield from Recorder(project).records(document, [finding])


def show_settings(projects: Sequence[Project]) -> int:
    """Print the settings that are in force."""
    for project in projects:
        settings = project.settings
        print(f"# project {project.root}")
        print(f"# settings {settings.path or 'none: defaults'}")
        for name, value in settings._asdict().items():
            if name in ("path", "folder"):
                continue
            key = name.replace("_", "-")
            print(f"{key} = {_toml(value)}")
    return 0


def _toml(value: object) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        inner = ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value)
        return f"{{ {inner} }}"
    return '""' if value is None else json.dumps(value)
