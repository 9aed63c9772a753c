"""`--format` and `--output-file`: several reports of one run, and where they go."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from osiris_lsp.cli import outputs
from osiris_lsp.reports import FORMATS
from tests.cli.conftest import PIPELINE, Run, write


def test_an_output_file_belongs_to_the_format_before_it(project: Path, run: Run) -> None:
    """The format without a file goes to standard output; all tell of the same findings."""
    write(project, {"pipelines/orders.yaml": PIPELINE.replace("default", "prod")})
    pairs = ["--format", "json", "--output-file", "a.json", "--format", "concise"]
    pairs += ["--format", "gitlab", "--output-file", "b.json"]
    result = run("lint", *pairs)
    assert (result.code, result.err) == (1, "")
    assert "error OSR219" in result.out
    found = json.loads((project / "a.json").read_text())["findings"]
    issues = json.loads((project / "b.json").read_text())
    assert [item["rule"] for item in found] == [issue["check_name"] for issue in issues]


def test_only_files_leave_standard_output_empty(project: Path, run: Run) -> None:
    """The exit code is the same as with a report on standard output."""
    write(project, {"pipelines/orders.yaml": PIPELINE.replace("default", "prod")})
    result = run("lint", "--format", "full", "--output-file", "report.txt", "--color", "always")
    assert (result.code, result.out, result.err) == (1, "", "")
    text = (project / "report.txt").read_text()
    assert "OSR219" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--output-file", "a.json", "--format", "json"), "belongs to the `--format` before it"),
        (("--format", "json", "--format", "full"), "would both go to standard output"),
        (
            ("--format", "json", "--output-file", "a", "--output-file", "b"),
            "has two files, `a` and `b`",
        ),
        (
            ("--format", "json", "--output-file", "a", "--format", "sarif", "--output-file", "./a"),
            "`--output-file ./a` is given twice",
        ),
        (("--format", "json", "--output-file", "no/a.json"), "there is no folder `no`"),
        (("--format", "json", "--output-file", "pipelines"), "is a folder"),
        (
            ("--format", "json", "--output-file", "pipelines/orders.yaml"),
            "a report is no YAML; choose another name",
        ),
        (
            ("--diff", "--format", "json", "--output-file", "a.json"),
            "`--diff` shows changes and writes no report",
        ),
        (("--format", "jsn"), "invalid choice: 'jsn'"),
    ],
)
def test_misuse_is_said_before_anything_is_read_or_written(
    project: Path, run: Run, args: tuple[str, ...], words: str
) -> None:
    """The message names the option and what to write instead."""
    before = sorted(project.rglob("*"))
    result = run("lint", *args)
    assert (result.code, result.out) == (2, "")
    assert words in result.err
    assert len(result.err.splitlines()) == 1
    assert sorted(project.rglob("*")) == before


def test_a_report_that_cannot_be_written_is_an_error(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old report stays whole, the other reports are written, and the exit code is 2."""
    (project / "a.json").write_text("old")

    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device", target)

    monkeypatch.setattr(os, "replace", full)
    result = run("lint", "--format", "json", "--output-file", "a.json", "--format", "full")
    assert result.code == 2
    assert "`a.json` could not be written: no space left on device" in result.err
    assert "no findings in 2 files" in result.out
    assert (project / "a.json").read_text() == "old"
    assert not list(project.glob(".osiris-lsp-*"))


def test_a_pipe_is_written_to_and_a_file_keeps_its_mode(project: Path, run: Run) -> None:
    """Replacing `/dev/null` by a file would break the machine."""
    report = project / "a.json"
    report.write_text("")
    report.chmod(0o600)
    run("lint", "--format", "json", "--output-file", "a.json")
    assert json.loads(report.read_text())["findings"] == []
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    fifo = project / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        run("lint", "--format", "json", "--output-file", str(fifo))
        assert json.loads(os.read(reader, 65536))["findings"] == []
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(fifo.stat().st_mode)


@pytest.mark.parametrize("form", FORMATS)
def test_only_the_chosen_format_is_imported(project: Path, form: str) -> None:
    """A run pays for the report that it writes, and for no other."""
    code = (
        "import sys, json\n"
        "from osiris_lsp.cli import main\n"
        f"main(['lint', '--format', {form!r}, '--output-file', 'report'])\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    others = {f"osiris_lsp.reports.{name}" for name in FORMATS if name != form}
    others -= {"osiris_lsp.reports.json"}  # the formats that are JSON share its encoder
    assert modules & others == set()
    assert ("osiris_lsp.graph" in modules) == (form == "html")


def test_only_some_formats_ask_for_details() -> None:
    """Lines around findings and suppressed findings cost time that others do not pay."""
    assert outputs.detailed([outputs.Output("sarif")])
    assert not outputs.detailed([outputs.Output("full"), outputs.Output("json", "a")])
