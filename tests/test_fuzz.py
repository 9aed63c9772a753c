"""Byte-level fuzzing: no input makes the linter raise, hang, or point outside the text.

`OSIRIS_LSP_FUZZ` sets the number of mutated inputs (default 2,000; 20,000 were run for a release).
"""

import os
import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp import fixes
from osiris_lsp.documents import Document
from osiris_lsp.engine import Linter
from osiris_lsp.project import Project, read_file
from osiris_lsp.reports.record import Recorder
from osiris_lsp.rules import RULES
from osiris_lsp.syntax import parse
from tests import corpus, golden

INPUTS = int(os.environ.get("OSIRIS_LSP_FUZZ", "2000"))
DEADLINE = 1.0

SEEDS = [path.read_bytes() for path in corpus.files()] + [
    body.encode()
    for path in sorted((Path(__file__).parent / "rules").glob("*/*.case"))
    for body in golden.read(path).files.values()
]
TOKENS = [
    b"@", b"${", b"}", b"${A:-", b"&a ", b"*a", b"<<: *a", b"- ", b": ", b"\t", b"\n", b"\r\n",
    b'"', b"'", b"|\n", b">-\n", b"[", b"]", b"{", b"}", b"#", b"!", b"%", b"\x00", b"\xff",
    b"---\n",
    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xf0\x9f\x9a\x80", b"# osiris: ignore[", b"steps:\n", b"? ",
    b"connections:\n", b"~", b"null", b"1e999", b"-0x", b"9" * 400, b"2024-02-30", b"\\", b"{{",
    b"@mysql.", b"://u:p@",
]  # fmt: skip


def _mutated(random_: random.Random) -> bytes:
    data = bytearray(random_.choice(SEEDS))
    for _ in range(random_.randint(1, 6)):
        at = random_.randint(0, len(data))
        action = random_.randrange(6)
        if action == 0:
            del data[at : at + random_.randint(1, 30)]
        elif action == 1:
            data[at:at] = random_.choice(TOKENS)
        elif action == 2 and data:
            data[at % len(data)] = random_.randrange(256)
        elif action == 3:
            other = random_.choice(SEEDS)
            begin = random_.randint(0, len(other))
            data[at:at] = other[begin : begin + random_.randint(1, 200)]
        elif action == 4:
            begin = random_.randint(0, len(data))
            data[at:at] = data[begin : begin + random_.randint(1, 80)] * random_.randint(1, 4)
        else:
            lines = bytes(data).split(b"\n")
            random_.shuffle(lines)
            data = bytearray(b"\n".join(lines))
    return bytes(data)


@pytest.fixture(scope="module")
def linter(tmp_path_factory: pytest.TempPathFactory) -> Linter:
    """All rules over a project with connections; the environment group is on."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "osiris_connections.yaml").write_text(corpus.CONNECTIONS)
    linter = Linter(Project(str(folder), environment={}))
    assert len(linter.rules) == len(RULES)
    return linter


KINDS = ("connections", "pipeline", "component", "yaml")


def _check(linter: Linter, text: str, name: str = "x.yaml") -> None:
    project = linter.project
    path = os.path.join(project.root, name)
    for kind in KINDS:
        document = project.open(path, text, kind)  # type: ignore[arg-type]
        assert document is not None
        begun = time.perf_counter()
        report = linter.lint(document)
        records = list(Recorder(project).records(document, report.findings))
        taken = time.perf_counter() - begun
        assert not report.crashes, report.crashes[0].traceback + report.crashes[0].error
        assert taken < DEADLINE, f"{taken:.2f} s for {len(text)} characters"
        for finding in report.findings:
            assert 0 <= finding.span.start <= finding.span.end <= len(text)
            if finding.fix is not None and all(edit.path is None for edit in finding.fix.edits):
                fixed = fixes.apply(text, [finding], path)
                assert len(parse(fixed.text).problems) <= len(parse(text).problems)
        for record in records:
            assert record.place.line >= 1
            assert record.excerpt.start <= record.excerpt.end <= len(record.excerpt.text) + 3


@pytest.mark.parametrize("shard", list(range(8)))
def test_mutated_files_do_not_break_the_linter(shard: int, linter: Linter, tmp_path: Path) -> None:
    """Real files with random damage: no exception, no hang, no finding outside the text."""
    random_ = random.Random(shard)
    for _ in range(INPUTS // 8):
        data = _mutated(random_)
        path = tmp_path / "x.yaml"
        path.write_bytes(data)
        text, problem = read_file(str(path))
        if problem is None:
            _check(linter, text)
        else:
            assert problem[0] in RULES


@given(st.text(st.sampled_from("steps:connfig-@{}[]&*!|>\"' \n\t#$%é😀\x00\ud800\r"), max_size=200))
def test_any_text_is_linted(linter: Linter, text: str) -> None:
    """Text without any sense is linted as every kind."""
    _check(linter, text)


@pytest.mark.parametrize(
    "text",
    [
        "steps:\n" + "- {id: a, needs: [a], component: mysql.extractor, mode: read}\n" * 2000,
        "connections:\n  mysql:\n" + "".join(f"    a{i}: {{host: x}}\n" for i in range(1500)),
        "a: " + "[" * 3000,
        "a: &a [" + "x, " * 5000 + "]\n" + "b: [*a]\n" * 50,
        "x: '" + "a" * 200_000 + "\n",
        "steps: [" + "{id: a}, " * 3000 + "]",
        "k: \"" + "\\x" * 20_000,
        "\n".join(f"k{i}: @x" for i in range(2000)),
        "\n".join(f"k{i} @x" for i in range(2000)),
        "x" * 300_000,
        "# osiris: ignore[OSR1]\n" * 3000,
        "${" * 50_000,
        "connections:\n  api:\n    a:\n      base_url: " + "http://a:" * 20_000,
        "steps:\n- id: q\n  component: mysql.extractor\n  config:\n    query: "
        + "SELECT ( " * 5_000 + "DROP",
    ],
    ids=[str(number) for number in range(14)],
)  # fmt: skip
def test_large_odd_texts_end_in_time(text: str, linter: Linter) -> None:
    """Sizes that invite quadratic work end in a few seconds for all four kinds."""
    project = linter.project
    for kind in KINDS:
        document = project.open(os.path.join(project.root, "x.yaml"), text, kind)  # type: ignore[arg-type]
        assert isinstance(document, Document)
        begun = time.perf_counter()
        report = linter.lint(document)
        list(Recorder(project).records(document, report.findings))
        assert not report.crashes, report.crashes[0].traceback + report.crashes[0].error
        assert time.perf_counter() - begun < 10
