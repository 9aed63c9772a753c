"""`osiris-lsp lint` as a user meets it: paths, formats, exit codes, bad input."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from osiris_lsp import batch, fixes
from osiris_lsp.batch import FileResult, Worker
from osiris_lsp.project import read_file
from osiris_lsp.reports import FORMATS
from osiris_lsp.rules import load
from tests.cli.conftest import CONNECTIONS, PIPELINE, Run, write

CANARY = "c4nary-Pa55-w0rd"


def test_a_clean_project_exits_with_0(project: Path, run: Run) -> None:
    """Without paths the project of the current folder is checked."""
    result = run("lint")
    assert (result.code, result.err) == (0, "")
    assert result.out == "no findings in 2 files\n"


@pytest.mark.parametrize("form", FORMATS)
def test_exit_codes_are_the_same_for_every_format(project: Path, run: Run, form: str) -> None:
    """0 clean, 1 findings, 0 below --fail-on, 0 with --exit-zero, 2 for a missing file."""
    assert run("lint", "--format", form).code == 0
    write(project, {"pipelines/orders.yaml": PIPELINE.replace("default", "prod")})
    assert run("lint", "--format", form).code == 1
    assert run("lint", "--format", form, "--exit-zero").code == 0
    assert run("lint", "--format", form, "--fail-on", "never").code == 0
    level = ("--severity", "unknown-alias=info", "--ignore", "unused-connection")
    assert run("lint", "--format", form, *level).code == 0
    assert run("lint", "--format", form, *level, "--fail-on", "info").code == 1
    assert run("lint", "--format", form, "nosuch.yaml").code == 2


def test_json_has_the_shape_of_the_design(project: Path, run: Run) -> None:
    """Places are 1-based, columns count code points, ends are exclusive (DESIGN section 5)."""
    text = PIPELINE.replace('"@mysql.default"', '"@mysql.defalt" # 🚀').replace("orders", "é😀")
    write(project, {"pipelines/orders.yaml": text})
    data = run("lint", "--format", "json", "--select", "unknown-alias").json
    assert data["schema_version"] == 1
    (finding,) = data["findings"]
    assert list(finding) == [
        "code", "rule", "severity", "message", "path", "line", "column", "end_line", "end_column",
        "key_path", "fix", "related", "source", "fingerprint",
    ]  # fmt: skip
    assert (finding["path"], finding["line"]) == ("pipelines/orders.yaml", 8)
    assert (finding["column"], finding["end_line"], finding["end_column"]) == (19, 8, 34)
    assert finding["key_path"] == ["steps", 0, "config", "connection"]
    assert finding["fix"]["safe"] is False
    (edit,) = finding["fix"]["edits"]
    assert (edit["path"], edit["column"], edit["new_text"]) == (
        "pipelines/orders.yaml", 19, '"@mysql.default"',
    )  # fmt: skip
    assert finding["related"][0]["path"] == "osiris_connections.yaml"
    assert data["summary"] == {
        "files": 2, "errors": 1, "warnings": 0, "infos": 0, "hints": 0, "fixable": 1,
        "suppressed": 0, "baselined": 0,
    }  # fmt: skip


def test_fingerprints_survive_edits_elsewhere(project: Path, run: Run) -> None:
    """Lines added above do not change a fingerprint; equal findings have different ones."""
    broken = PIPELINE.replace("mysql.default", "mysql.prod")
    write(project, {"pipelines/orders.yaml": broken})
    before = run("lint", "--format", "json", "--select", "unknown-alias").json["findings"]
    write(project, {"pipelines/orders.yaml": f"# a\n# b\n{broken}"})
    after = run("lint", "--format", "json", "--select", "unknown-alias").json["findings"]
    assert [item["fingerprint"] for item in before] == [item["fingerprint"] for item in after]
    assert before[0]["line"] + 2 == after[0]["line"]


def test_full_shows_line_caret_fix_and_rule(project: Path, run: Run) -> None:
    """The caret stands under the value, wide characters before it included."""
    text = PIPELINE.replace(
        '      connection: "@mysql.default"\n      table: orders',
        '      {table: "漢😀", connection: "@mysql.defalt"}',
    ).replace("    config:\n      {", "    config: {")
    write(project, {"pipelines/orders.yaml": text})
    lines = run("lint", "--select", "unknown-alias").out.splitlines()
    assert lines[0].startswith("pipelines/orders.yaml:7:39: error OSR219 `@mysql.defalt` is not")
    assert lines[2] == ' 7 |     config: {table: "漢😀", connection: "@mysql.defalt"}'
    # Two wide characters stand before the value: the caret is two columns further right.
    assert lines[3].index("^") == lines[2].index('"@mysql') + 2
    assert lines[3].count("^") == len('"@mysql.defalt"')
    assert "   = fix: change to `@mysql.default` (--fix --unsafe-fixes)" in lines
    assert "   = rule: unknown-alias, CONN-004" in lines


def test_a_missing_file_is_an_error_and_the_others_are_checked(project: Path, run: Run) -> None:
    """The message says which file is meant, and the rest of the run goes on."""
    write(project, {"pipelines/orders.yaml": PIPELINE.replace("default", "prod")})
    result = run("lint", "pipelines/order.yaml", "pipelines/orders.yaml", "--format", "concise")
    assert result.code == 2
    assert "there is no file `pipelines/order.yaml`; did you mean `pipelines/orders.yaml`?" in (
        result.err
    )
    assert "OSR219" in result.out


def test_a_pattern_that_matches_nothing_is_an_error(project: Path, run: Run) -> None:
    """Patterns that the shell left alone are expanded, and an empty one is said."""
    assert run("lint", "pipelines/*.yaml").out == "no findings in 1 file\n"
    result = run("lint", "pipelines/*.json")
    assert result.code == 2
    assert result.err == "osiris-lsp: error: the pattern `pipelines/*.json` matches no file\n"


@pytest.mark.parametrize(
    ("make", "rule", "words"),
    [
        ("fifo", "unreadable-file", "this is a named pipe, not a file"),
        ("loop", "unreadable-file", "this file cannot be read"),
        ("latin-1", "invalid-encoding", "byte 0xe9 in line 2"),
        ("mark", "invalid-encoding", "byte 0xe9 in line 2"),
        ("utf-16", "invalid-encoding", "this file is UTF-16; save it as UTF-8"),
        ("huge", "file-too-large", "more than the limit of 5 MB"),
    ],
)
def test_what_cannot_be_read_is_one_finding(
    project: Path, run: Run, make: str, rule: str, words: str
) -> None:
    """Each odd file gives one clear finding, and the other files are still checked."""
    path = project / "odd.yaml"
    if make == "fifo":
        os.mkfifo(path)
    elif make == "loop":
        path.symlink_to(path)
    elif make == "latin-1":
        path.write_bytes("a: 1\nb: é\n".encode("latin-1"))
    elif make == "mark":
        path.write_bytes(b"\xef\xbb\xbfa: 1\nb: \xe9\n")
    elif make == "utf-16":
        path.write_bytes("a: 1\n".encode("utf-16"))
    else:
        path.write_bytes(b"# x\n" * 13_000_000)
    write(project, {"pipelines/orders.yaml": PIPELINE.replace("mysql.default", "mysql.prod")})
    result = run("lint", "--format", "json", "odd.yaml", "pipelines")
    assert result.code == 1
    assert rule in result.rules
    assert "unknown-alias" in result.rules
    (finding,) = [item for item in result.json["findings"] if item["path"] == "odd.yaml"]
    assert words in finding["message"]
    assert (finding["line"], finding["column"], finding["end_column"]) == (1, 1, 1)


def test_a_file_without_permission_is_one_finding(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that may not be read is reported; root may read all, so the refusal is made up."""

    def refuse(path: str, *args: object, **options: object) -> object:
        if path.endswith("orders.yaml"):
            raise PermissionError(13, "Permission denied", path)
        return open(path, *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("osiris_lsp.project.open", refuse, raising=False)
    result = run("lint", "--format", "json", "--ignore", "unused-connection")
    assert result.rules == ["unreadable-file"]
    assert "permission denied" in result.json["findings"][0]["message"]


def test_a_file_that_goes_away_is_one_finding(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is deleted between listing and reading does not stop the run."""
    real = batch.Worker.lint

    def lint(self: batch.Worker, path: str, defer: bool = False) -> batch.FileResult:
        if path.endswith("orders.yaml") and os.path.exists(path):
            os.unlink(path)
        return real(self, path, defer)

    monkeypatch.setattr(batch.Worker, "lint", lint)
    result = run("lint", "--format", "json", "--ignore", "unused-connection")
    assert result.rules == ["unreadable-file"]
    assert "no such file" in result.json["findings"][0]["message"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "defines no connections"),
        ("- a\n", "mapping"),
        ("mysql:\n  default: {host: h, database: d, user: u, password: '${P}'}\n", "connections"),
        ("connections:\n", "no connections"),
        ("just text\n", "mapping"),
    ],
)
def test_an_odd_connections_file_gives_one_clear_finding(
    project: Path, run: Run, text: str, words: str
) -> None:
    """An empty file, a list, or families at the top are each said once."""
    write(project, {"osiris_connections.yaml": text})
    result = run("lint", "osiris_connections.yaml", "--format", "json", "--select", "OSR104")
    (finding,) = result.json["findings"]
    assert words in finding["message"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("select = [", 1, "this is not valid TOML"),
        ('profile = "contract"\nselct = ["OSR1"]\n', 2, "did you mean `select`?"),
        ('profile = "strict"\n', 1, "`profile` must be one of `contract`, `osiris-runtime`"),
        ('select = ["OSR1"]\nignore = ["unknown-alais"]\n', 2, "did you mean `unknown-alias`?"),
        ('[severity]\nunknown-alias = "fatal"\n', 0, "must be one of `error`"),
        ('families = ["families/*.json"]\n', 1, "matches no file"),
        ("check-env = 1\n", 1, "`check-env` must be true or false"),
    ],
)
def test_settings_that_cannot_be_used_are_findings_and_exit_2(
    project: Path, run: Run, text: str, line: int, words: str
) -> None:
    """The finding lies in the settings file, and the files are still checked."""
    write(project, {"osiris-lsp.toml": text})
    result = run("lint", "--format", "json")
    assert result.code == 2
    (finding,) = [item for item in result.json["findings"] if item["rule"] == "invalid-settings"]
    assert finding["path"] == "osiris-lsp.toml"
    assert words in finding["message"]
    if line:
        assert finding["line"] == line
    assert result.json["summary"]["files"] == 2
    assert run("lint", "--isolated").code == 0


def test_settings_of_pyproject_count(project: Path, run: Run) -> None:
    """`[tool.osiris-lsp]` is a settings file; the nearest one wins."""
    write(
        project,
        {
            "pyproject.toml": '[tool.osiris-lsp]\nignore = ["unknown-alias"]\n',
            "pipelines/orders.yaml": PIPELINE.replace("mysql.default", "mysql.prod"),
        },
    )
    assert "unknown-alias" not in run("lint", "--format", "json").rules
    assert "unknown-alias" in run("lint", "--format", "json", "--isolated").rules
    nearer = {"pipelines/osiris-lsp.toml": 'select = ["unknown-alias"]\n'}
    write(project, {**nearer, "pipelines/osiris_connections.yaml": CONNECTIONS})
    assert run("lint", "pipelines/orders.yaml", "--format", "json").rules == ["unknown-alias"]


def test_selection_severity_and_per_file_ignores(project: Path, run: Run) -> None:
    """Options go over settings; the more precise selector decides."""
    write(project, {"pipelines/orders.yaml": PIPELINE.replace("mysql.default", "mysql.prod")})
    assert run("lint", "--format", "json", "--select", "OSR1").rules == ["unused-connection"]
    assert run("lint", "--format", "json", "--ignore", "ALL").rules == []
    picked = run("lint", "--format", "json", "--ignore", "ALL", "--extend-select", "OSR219")
    assert picked.rules == ["unknown-alias"]
    data = run("lint", "--format", "json", "--select", "OSR2", "--severity", "OSR219=hint").json
    assert [item["severity"] for item in data["findings"]] == ["hint"]
    write(project, {"osiris-lsp.toml": '[per-file-ignores]\n"pipelines/*" = ["OSR2"]\n'})
    assert "unknown-alias" not in run("lint", "--format", "json").rules


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--select", "unknown-alis"], "did you mean `unknown-alias`?"),
        (["--severity", "unknown-alias"], "write RULE=LEVEL"),
        (["--severity", "unknown-alias=fatal"], "error, warning, info, hint"),
        (["--unsafe-fixes"], "goes with `--fix` or `--diff`"),
        (["--formt", "json"], "did you mean `--format`?"),
        (["--connections-file", "no.yaml"], "there is no such file"),
        (["--stdin-filename", "a.yaml", "b.yaml"], "goes with the path `-`"),
        (["--jobs", "-1"], "must be 0 or more"),
    ],
)
def test_wrong_use_exits_with_2_and_one_line(
    project: Path, run: Run, args: list[str], words: str
) -> None:
    """Each wrong option gives one line on standard error that says what to do."""
    result = run("lint", *args)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("osiris-lsp: error: ")
    assert result.err.count("\n") == 1
    assert words in result.err


def test_standard_input_has_a_name_and_a_project(project: Path, run: Run) -> None:
    """Text from a pipe is checked as the file that it is named after."""
    text = PIPELINE.replace("mysql.default", "mysql.prod").encode()
    args = ("lint", "-", "--stdin-filename", "pipelines/new.yaml", "--format", "json")
    result = run(*args, stdin=text)
    assert result.rules == ["unknown-alias"]
    assert result.json["findings"][0]["path"] == "pipelines/new.yaml"
    assert run("lint", "-", stdin=b"\xff").code == 2


def test_foreign_files_are_skipped_and_said(project: Path, run: Run) -> None:
    """A named file that is not ours gets a note, which --force-exclude silences."""
    write(project, {"compose.yaml": "services:\n  db: {image: mysql}\n"})
    result = run("lint", "compose.yaml")
    assert result.code == 0
    assert "compose.yaml is no Osiris file and was skipped" in result.err
    assert run("lint", "compose.yaml", "--force-exclude").err == ""
    assert run("lint").err == ""
    write(project, {"compose.yaml": "services: 1\nservices: 2\n"})
    assert run("lint", "--any-yaml", "compose.yaml", "--format", "json").rules == ["duplicate-key"]
    kind = run("lint", "--kind", "pipeline", "compose.yaml", "--format", "json").rules
    assert "missing-key" in kind


def test_any_yaml_is_checked_for_yaml_and_secrets(project: Path, run: Run) -> None:
    """Foreign files get OSR0xx and OSR3xx, ours keep their kind, and no report shows a secret."""
    compose = f"services:\n  db: {{environment: [DB_PASSWORD={CANARY}]}}\n  db: {{image: mysql}}\n"
    orders = PIPELINE.replace("mysql.default", "mysql.prod")
    write(project, {"compose.yaml": compose, "pipelines/orders.yaml": orders})
    result = run("lint", "--any-yaml", "--format", "json", "--no-cache")
    rules = ["plaintext-secret", "duplicate-key", "unused-connection", "unknown-alias"]
    assert result.rules == rules
    shown = [run("lint", "--any-yaml", "--format", form).out for form in FORMATS]
    assert all(CANARY not in text for text in (result.out, *shown))
    assert run("lint", "--any-yaml", "--select", "OSR3", "--format", "json", ".").rules == [
        "plaintext-secret"
    ]


def test_ignored_and_excluded_files_are_left_out(project: Path, run: Run) -> None:
    """`.gitignore` and `exclude` hold for folders; a named file is checked all the same."""
    broken = PIPELINE.replace("mysql.default", "mysql.prod")
    write(
        project,
        {
            ".gitignore": "build/\n",
            "osiris-lsp.toml": 'exclude = ["old/"]\n',
            "build/a.yaml": broken,
            "old/b.yaml": broken,
            "sub/.gitignore": "*.yaml\n!keep.yaml\n",
            "sub/c.yaml": broken,
            "sub/keep.yaml": broken,
        },
    )
    found = run("lint", "--format", "json", "--select", "OSR219").json["findings"]
    assert [item["path"] for item in found] == ["sub/keep.yaml"]
    named = ("lint", "old/b.yaml", "build/a.yaml", "--format", "json", "--select", "OSR219")
    assert len(run(*named).rules) == 2
    assert run(*named, "--force-exclude").rules == []


def test_a_modeline_decides(project: Path, run: Run) -> None:
    """`# osiris: kind=` makes a file ours, or not ours."""
    broken = PIPELINE.replace("mysql.default", "mysql.prod")
    write(project, {"pipelines/orders.yaml": f"# osiris: kind=off\n{broken}"})
    assert run("lint", "--format", "json", "--select", "OSR2").rules == []
    write(project, {"other.yaml": "# osiris: kind=pipeline\nname: x\n"})
    assert "missing-key" in run("lint", "other.yaml", "--format", "json").rules


def test_fix_keeps_mode_line_endings_and_byte_order_mark(project: Path, run: Run) -> None:
    """Only the fixed characters change."""
    path = project / "pipelines" / "orders.yaml"
    text = PIPELINE.replace('"@mysql.default"', "@mysql.default  # why").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    path.chmod(0o640)
    result = run("lint", "--fix")
    assert (result.code, result.out) == (0, "1 finding fixed. no findings in 2 files\n")
    fixed = text.replace("@mysql.default  #", '"@mysql.default"  #')
    assert path.read_bytes() == b"\xef\xbb\xbf" + fixed.encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [name.name for name in path.parent.iterdir()] == ["orders.yaml"]


def test_fix_through_a_link_changes_the_target(project: Path, run: Run) -> None:
    """A link stays a link."""
    path = project / "pipelines" / "orders.yaml"
    path.write_text(PIPELINE.replace('"@mysql.default"', "@mysql.default"))
    link = project / "pipelines" / "link.yaml"
    link.symlink_to(path)
    assert run("lint", "pipelines/link.yaml", "--fix").code == 0
    assert link.is_symlink()
    assert path.read_text() == PIPELINE


def test_fix_refuses_a_file_that_changed_meanwhile(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody else wrote in between is not lost."""
    path = project / "pipelines" / "orders.yaml"
    path.write_text(PIPELINE.replace('"@mysql.default"', "@mysql.default"))
    real = fixes.apply

    def apply(text: str, *rest: object) -> fixes.Applied:
        path.write_text("# somebody else\n")
        return real(text, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(fixes, "apply", apply)
    result = run("lint", "--fix")
    assert result.code == 2
    assert "changed while it was being fixed" in result.err
    assert path.read_text() == "# somebody else\n"


def test_an_interrupted_write_leaves_the_file_whole(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk refuses, the old file is there and no temporary one."""
    path = project / "pipelines" / "orders.yaml"

    def fsync(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        fixes.write(str(path), PIPELINE, "new: text\n")
    assert read_file(str(path)) == (PIPELINE, None)
    assert [name.name for name in path.parent.iterdir()] == ["orders.yaml"]


def test_diff_shows_and_writes_nothing(project: Path, run: Run) -> None:
    """The diff is the change that --fix would make; safe fixes only unless told otherwise."""
    path = project / "pipelines" / "orders.yaml"
    broken = PIPELINE.replace('"@mysql.default"', "@mysql.default").replace(
        "mode: read", "mode: reed"
    )
    path.write_text(broken)
    out = run("lint", "--diff").out
    assert "-      connection: @mysql.default\n" in out
    assert '+      connection: "@mysql.default"\n' in out
    assert "+    mode: read\n" not in out
    assert "+    mode: read\n" in run("lint", "--diff", "--unsafe-fixes").out
    assert path.read_text() == broken


def leaky_files() -> dict[str, str]:
    """Return a project with a secret in every place where one is written out."""
    connections = CONNECTIONS.replace("${MYSQL_DEFAULT_PASSWORD}", CANARY) + (
        f"      pasword: {CANARY}\n"
        f"  postgres:\n    main: {{dsn: 'postgresql://u:{CANARY}@h.example.com/db', host: x}}\n"
        "  supabase:\n    main:\n      url: https://x.supabase.co\n"
        f"      key: |\n        {CANARY}\n"
        f"      api_key: [{CANARY}, '{CANARY}']\n"
        f"# password: {CANARY}\n"
        f"  posthog:\n    x: {{api_key: \"ab${{{CANARY}}}\", project_id: '1', region: us}}\n"
        f"  shopify:\n    main: {{access_token: %{CANARY}, shop_domain: x.myshopify.com}}\n"
        f"  api:\n    x: {{base_url: 'http://u:{CANARY}@a.example.com',\n"
        f"        auth: {{type: bearer, token: {CANARY}}}}}\n"
        f'  openai:\n    x:\n      api_key: "{CANARY}\n'
    )
    pipeline = PIPELINE + (
        f"      password: {CANARY}\n      host: 'mysql://u:{CANARY}@h'\n"
        f"  - {{id: b, component: supabase.writer, mode: write, needs: extract-orders,\n"
        f"     config: {{connection: '@supabase.main', table: t, key: {CANARY}}}}}\n"
    )
    return {"osiris_connections.yaml": connections, "pipelines/orders.yaml": pipeline}


@pytest.mark.parametrize(
    "args", [*[["--format", form] for form in FORMATS], ["--diff", "--unsafe-fixes"]]
)
def test_no_secret_in_any_output(project: Path, run: Run, args: list[str]) -> None:
    """A secret that is written out appears in no report, message, caret line or diff."""
    write(project, leaky_files())
    result = run("lint", *args)
    assert len(result.out) > 200
    assert CANARY not in result.out + result.err
    write(project, {"osiris-lsp.toml": 'ignore = ["OSR3"]\n'})
    result = run("lint", *args)
    assert CANARY not in result.out + result.err


def test_colour_is_for_terminals(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No escape without a terminal; FORCE_COLOR and --color ask for it, NO_COLOR forbids it."""
    write(project, {"pipelines/orders.yaml": PIPELINE.replace("mysql.default", "mysql.prod")})
    assert "\x1b" not in run("lint").out
    assert "\x1b[1;31m" in run("lint", "--color", "always").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in run("lint").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("lint").out


def test_hostile_text_is_shown_as_escapes(project: Path, run: Run) -> None:
    """Terminal escapes and bidirectional characters of a file do not reach the terminal."""
    text = PIPELINE.replace("mysql.default", "mysql.prod").replace(
        "table: orders", 'table: "\u202e" # \x7f'
    )
    text = text.replace("component: mysql.extractor", 'component: "my\\esql.extractor"')
    write(project, {"pipelines/orders.yaml": text})
    for form in ("full", "concise"):
        out = run("lint", "--format", form).out
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_show_files_and_settings(project: Path, run: Run) -> None:
    """Both print what is in force and check nothing."""
    out = run("lint", "--show-files").out
    assert out == "connections  osiris_connections.yaml\npipeline     pipelines/orders.yaml\n"
    write(project, {"osiris-lsp.toml": 'select = ["OSR1"]\n'})
    out = run("lint", "--show-settings", "--ignore", "OSR104").out
    assert 'select = ["OSR1"]\n' in out
    assert 'ignore = ["OSR104"]\n' in out


def test_statistics_count_by_rule(project: Path, run: Run) -> None:
    """The most frequent rule comes first."""
    write(project, {"pipelines/orders.yaml": PIPELINE.replace("mysql.default", "mysql.prod")})
    assert "     1  OSR219  unknown-alias\n" in run("lint", "--statistics").out


def test_several_projects_in_one_run(project: Path, run: Run) -> None:
    """Each file is checked with the connections and settings of its own project."""
    broken = PIPELINE.replace("mysql.default", "mysql.prod")
    write(
        project,
        {
            "one/osiris_connections.yaml": CONNECTIONS.replace("    default:", "    prod:"),
            "one/a.yaml": broken,
            "two/osiris_connections.yaml": CONNECTIONS,
            "two/osiris-lsp.toml": 'ignore = ["OSR118"]\n',
            "two/a.yaml": broken,
        },
    )
    found = run("lint", "one", "two", "--format", "json", "--select", "unknown-alias,OSR118").json
    assert [(item["path"], item["rule"]) for item in found["findings"]] == [
        ("two/a.yaml", "unknown-alias")
    ]


def test_processes_find_the_same(project: Path, run: Run) -> None:
    """Several processes give the findings of one, in the same order."""
    for i in range(150):
        alias = "prod" if i % 7 == 0 else "default"
        write(
            project, {f"pipelines/p{i}.yaml": PIPELINE.replace("mysql.default", f"mysql.{alias}")}
        )
    one = run("lint", "--format", "json", "--jobs", "1")
    two = run("lint", "--format", "json", "--jobs", "2")
    assert one.out == two.out
    assert one.rules.count("unknown-alias") == 22


def _leave(*_: object) -> NoReturn:
    os._exit(9)


def _fail(*_: object) -> NoReturn:
    raise ValueError(CANARY)


@pytest.mark.parametrize("end", [_leave, _fail])
def test_what_ends_a_process_ends_the_run(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch, end: Callable[..., NoReturn]
) -> None:
    """Nobody waits for results of a process that was killed; an error in it is one of the run."""
    write(project, {f"pipelines/p{i:02}.yaml": PIPELINE for i in range(60)})
    lint = Worker.lint

    def checked(self: Worker, path: str, defer: bool = False) -> FileResult:
        return end() if path.endswith("p40.yaml") else lint(self, path, defer)

    monkeypatch.setattr(Worker, "lint", checked)
    result = run("lint", "--jobs", "2")
    assert result.code == 3
    assert "a bug in osiris-lsp" in result.err
    assert CANARY not in result.out + result.err


def test_a_broken_rule_is_a_bug_of_ours(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, one line, a log without any text of the files; the other rules still ran."""
    monkeypatch.setenv("XDG_STATE_HOME", str(project / "state"))
    write(project, leaky_files())

    def check(*_: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(load("unknown-alias"), "check", check)
    result = run("lint", "--format", "concise")
    assert result.code == 3
    assert "a bug in osiris-lsp (unknown-alias)" in result.err
    assert "OSR301" in result.out
    log = Path(result.err.strip().rpartition(" ")[2])
    text = log.read_text()
    assert "unknown-alias: ValueError" in text
    assert CANARY not in text + result.out + result.err


FORBIDDEN = (
    "pygls", "lsprotocol", "sqlalchemy", "pymysql", "psycopg2", "openai", "httpx2", "duckdb",
    "ruamel", "jsonschema", "jsonschema_rs", "sqlglot", "ssl", "asyncio", "osiris_lsp.lsp",
    "osiris_lsp.connectors", "_socket", "subprocess", "tenacity", "cachetools",
)  # fmt: skip


def test_lint_opens_no_socket_and_imports_no_driver(project: Path) -> None:
    """An ordinary run reads project files and nothing else (DESIGN invariant 3)."""
    code = (
        "import sys, json\n"
        "from osiris_lsp.cli import main\n"
        "code = main(['lint'])\n"
        "print(json.dumps([code, sorted(sys.modules)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    assert [name for name in FORBIDDEN if name in modules] == []


def test_the_command_runs_as_a_process(project: Path) -> None:
    """`python -m osiris_lsp` exits with the code of the run, and a closed pipe is no traceback."""
    write(project, {"pipelines/orders.yaml": PIPELINE.replace("mysql.default", "mysql.prod")})
    command = [sys.executable, "-m", "osiris_lsp", "lint"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ""
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
