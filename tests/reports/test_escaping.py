"""What a stranger writes into a file reads the same in every format, and means nothing there."""

import json
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from osiris_lsp.batch import Job, Worker
from osiris_lsp.project import open_project
from osiris_lsp.reports import FORMATS, Style, Summary, writer
from osiris_lsp.reports.record import Record, Silenced

CANARY = "c4nary-Pa55-w0rd"

# Control, ESC and bidirectional characters, and what XML, UTF-8 or terminals cannot take.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff"
    "\ufeff\ufffe\uffff]"
)

PIECES = st.sampled_from(
    [
        *"%:;,]|`<>&\"'\\#@*_[]()!~$\t\r\n\x1b\x7f\u202e\u2028\xad\ufeff\ufffe",
        "\x1b[31m",
        "::error::",
        "##vso[task.complete]",
        "</code></pre><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "]]>",
        "-->",
        "[a](javascript:alert)",
        "![b](http://evil.example)",
        "https://evil.example/x",
        "%0A::add-mask::",
        "end\nsubgraph",
        "漢😀é",
        "a",
    ]
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)


def _files(texts: list[str], folder: Path) -> dict[str, str]:
    quoted = [json.dumps(text).replace("\\ud", "\\\\ud") for text in texts]
    raw = re.sub(r"[\r\n]", " ", texts[3])
    connections = (
        f"version: 1\nconnections:\n  mysql:\n    {quoted[0]}:\n      host: h\n      port: x\n"
        f"      password: {CANARY} # {raw} {CANARY}\n"
        f"    old: # osiris: ignore[unused-connection] {raw} {CANARY}\n      host: {quoted[1]}\n"
    )
    pipeline = (
        f'oml_version: "0.1.0"\nname: {quoted[1]}\nsteps:\n'
        f"  - id: {quoted[2]}\n    component: {quoted[0]}\n    mode: {quoted[1]}\n"
        f"    needs: [{quoted[3]}]\n    config: {{connection: {quoted[2]}, {quoted[3]}: 1}}\n"
        f'  - {{id: b, component: mysql.extractor, config: {{connection: "@mysql.{raw}\n'
    )
    name = re.sub(r"[/\0\ud800-\udfff]", "", texts[0]) or "x"
    return {
        str(folder / "osiris_connections.yaml"): connections,
        str(folder / "pipelines" / f"{name}.yaml"): pipeline,
    }


def _reports(files: dict[str, str], folder: Path) -> tuple[Mapping[str, str], list[Record]]:
    project = open_project(str(folder), overlay=files, fallback=str(folder))
    worker = Worker(Job(project, folder=str(folder), detailed=True))
    records: list[Record] = []
    silenced: list[Silenced] = []
    for path in files:
        result = worker.lint(path)
        assert not result.crashes
        records += result.records
        silenced += result.silenced
    doctor = [{"family": "f", "alias": text, "ok": False, "message": text} for text in files]
    summary = Summary(
        2, len(silenced), silenced=silenced, linted=[(project, list(files))], doctor=doctor
    )
    texts = {}
    for form in FORMATS:
        out = StringIO()
        writer(form)(out, records, summary, Style(statistics=True))
        texts[form] = out.getvalue()
    return texts, records


TAGS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body a header p h1 h2 h3 h4 nav ul li main section fieldset "
        "legend input label div span article code pre mark b br details summary figure figcaption "
        "svg defs marker path g rect text footer",
    )
)


class _Tags(HTMLParser):
    """Gathers what a page consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.targets.update(value or "" for name, value in attrs if name in ("href", "src"))


def _html(text: str, records: list[Record]) -> None:
    page = _Tags()
    page.feed(text)
    assert page.tags <= TAGS
    assert not {name for name in page.attributes if name.startswith("on")}
    assert all(target.startswith("#") for target in page.targets)


def _github(text: str, records: list[Record]) -> None:
    lines = text.split("\n")
    commands = [line for line in lines if line.startswith("::")]
    assert len(commands) == len(records)
    values = r"(?:[^%:,]|%25|%3A|%2C)*"
    shape = rf"::(error|warning|notice) (\w+={values},)*title=OSR\d+ [\w-]+::([^%]|%25)*"
    assert [line for line in commands if not re.fullmatch(shape, line)] == []
    assert lines[: len(records)] == commands


def _azure(text: str, records: list[Record]) -> None:
    shape = r"##vso\[task\.logissue (\w+=[^;\]]*;)+\].*"
    for line in text.split("\n"):
        assert "##" not in line or re.fullmatch(shape, line)


def _markdown(text: str, records: list[Record]) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(text)
    kinds = {token.type for block in tokens for token in (block, *(block.children or ()))}
    assert not kinds & {"link_open", "image", "html_inline", "html_block", "s_open", "em_open"}
    assert sum(token.type == "list_item_open" for token in tokens) == len(records)


def _json(text: str, records: list[Record]) -> None:
    json.loads(text)


def _jsonl(text: str, records: list[Record]) -> None:
    assert len([json.loads(line) for line in text.split("\n")[:-1]]) == len(records)


def _xml(text: str, records: list[Record]) -> None:
    root = ElementTree.fromstring(text.encode())
    assert {item.tag for item in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "system-out", "checkstyle", "file",
        "error",
    }  # fmt: skip


def _plain(text: str, records: list[Record]) -> None:
    assert sum(text.count(f" {record.code} ") for record in records[:1]) >= min(len(records), 1)


CHECKS: dict[str, Callable[[str, list[Record]], None]] = {
    "html": _html,
    "github": _github,
    "azure": _azure,
    "markdown": _markdown,
    "json": _json,
    "sarif": _json,
    "gitlab": _json,
    "rdjson": _json,
    "jsonl": _jsonl,
    "junit": _xml,
    "checkstyle": _xml,
    "full": _plain,
    "concise": _plain,
    "grouped": _plain,
}


@settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(TEXTS, min_size=4, max_size=4))
def test_text_of_files_means_nothing(tmp_path: Path, texts: list[str]) -> None:
    """Each format parses, holds what was found and nothing else, and shows no secret."""
    found, records = _reports(_files(texts, tmp_path), tmp_path)
    for form, text in found.items():
        assert CANARY not in text, form
        assert UNSEEN.search(text) is None, form
        text.encode("utf-8")
        CHECKS[form](text, records)
