"""Golden cases: small projects in one text file, with the findings of one rule."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from osiris_lsp.engine import Linter
from osiris_lsp.finding import Finding
from osiris_lsp.project import Project, open_project
from osiris_lsp.text import LineIndex

# Rules that look at what the others found.
_NEEDS_ALL = {"unused-suppression"}

_HEADER = re.compile(r"^=== (.+)$", re.MULTILINE)


@dataclass
class Case:
    """A case file.

    Sections start with `=== NAME`. `=== findings` and `=== fixed NAME` are golden; the others are
    files. A file's name may be followed by `crlf`, `bom` or `no-newline`, and `env NAME=VALUE`
    lines before the first section set the environment that `--check-env` sees.
    """

    path: Path
    files: dict[str, str] = field(default_factory=dict)
    options: dict[str, Sequence[str]] = field(default_factory=dict)
    golden: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    head: str = ""

    @property
    def rule(self) -> str:
        """The rule that the case is about: the name of its folder."""
        return self.path.parent.name


def read(path: Path) -> Case:
    """Read a case file."""
    text = path.read_bytes().decode("utf-8")
    parts = _HEADER.split(text)
    case = Case(path, head=parts[0])
    for line in parts[0].splitlines():
        if line.startswith("env "):
            name, _, value = line[4:].partition("=")
            case.environment[name] = value
    for header, body in zip(parts[1::2], parts[2::2], strict=True):
        content = body.removeprefix("\n")
        if header == "findings" or header.startswith("fixed "):
            case.golden[header] = content
        else:
            name, *options = header.split()
            case.files[name] = content
            case.options[name] = options
    return case


def render(case: Case, golden: Mapping[str, str]) -> str:
    """Return the text of a case file with new golden sections."""
    pieces = [case.head]
    for name, body in case.files.items():
        pieces.append(f"=== {' '.join([name, *case.options[name]])}\n{body}")
    pieces += [f"=== {name}\n{body}" for name, body in golden.items()]
    return "".join(pieces)


def write_files(case: Case, folder: Path) -> None:
    """Write the files of a case to a folder, which becomes a repository of its own."""
    (folder / ".git").mkdir()
    for name, body in case.files.items():
        options = case.options[name]
        text = body.replace("\n", "\r\n") if "crlf" in options else body
        if "no-newline" in options:
            text = text.rstrip("\r\n")
        data = text.encode("utf-8")
        if "bom" in options:
            data = b"\xef\xbb\xbf" + data
        if "latin-1" in options:
            data = text.encode("latin-1")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def project_of(case: Case, folder: Path, rule: str | None = None) -> Project:
    """Open the project of a case with one rule on, or with all."""
    overrides: dict[str, object] = {"check_env": bool(case.environment) or "check-env" in case.head}
    if rule is not None and rule not in _NEEDS_ALL:
        overrides["select"] = (rule,)
    return open_project(str(folder), overrides=overrides, environment=case.environment)


def lint_all(project: Project, rule: str | None = None) -> list[Finding]:
    """Return the findings of all files of a project, or those of one rule."""
    linter = Linter(project)
    found: list[Finding] = []
    for path in sorted(project.files()):
        document = project.open(path)
        if document is not None:
            report = linter.lint(document)
            assert not report.crashes, report.crashes[0].traceback + report.crashes[0].error
            found.extend(item for item in report.findings if rule in (None, item.rule))
    return found


def show(findings: Sequence[Finding], project: Project, folder: Path) -> str:
    """Return findings as text: place, severity, code, message, key path, fix, related places."""
    return "".join(_lines(findings, project, folder))


def _lines(findings: Sequence[Finding], project: Project, folder: Path) -> Iterator[str]:
    for finding in findings:
        place = _place(project, finding.path, folder, finding.span.start, finding.span.end)
        yield f"{place} {finding.severity} {finding.code} {finding.message}\n"
        if finding.key_path:
            yield f"  at {'/'.join(map(str, finding.key_path))}\n"
        if finding.fix is not None:
            kind = "safe" if finding.fix.safe else "unsafe"
            yield f"  fix ({kind}): {finding.fix.title}\n"
        for related in finding.related:
            path = related.path or finding.path
            place = _place(project, path, folder, related.span.start, related.span.end)
            yield f"  see {place} {related.message}\n"


def _place(project: Project, path: str, folder: Path, start: int, end: int) -> str:
    lines = LineIndex(project.read(path)[0])
    first, last = lines.position(start), lines.position(end)
    name = Path(path).relative_to(folder).as_posix()
    return f"{name}:{first.line + 1}:{first.column + 1}-{last.line + 1}:{last.column + 1}"
