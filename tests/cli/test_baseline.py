"""`osiris-lsp baseline` and `lint --baseline`: old findings are quiet, new ones are not."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from osiris_lsp.baseline import NAME, Entry, parse, render
from tests.cli.conftest import CONNECTIONS, PIPELINE, Run, write

CANARY = "c4nary-Pa55-w0rd"
BROKEN = PIPELINE.replace("mysql.default", "mysql.prod")
QUIET = ("--ignore", "unused-connection")


def steps(count: int) -> str:
    """Return a pipeline with so many steps, each with an alias that there is not."""
    head, step = BROKEN.split("  - id: extract-orders\n")
    return head + "".join(f"  - id: step-{number}\n{step}" for number in range(count))


def entries(project: Path, name: str = NAME) -> list[Entry]:
    """Return the entries of a baseline of the project."""
    return parse((project / name).read_text())


def test_of_500_old_findings_and_a_new_one_only_the_new_one_counts(project: Path, run: Run) -> None:
    """The baseline takes the old ones; moved by 100 lines, they are still known."""
    names = [f"pipelines/p{number:02}.yaml" for number in range(25)]
    write(project, {**dict.fromkeys(names, steps(20)), "pipelines/orders.yaml": PIPELINE})
    before = run("lint", "--format", "json").json["summary"]
    assert (before["errors"], before["baselined"]) == (500, 0)
    created = run("baseline", "create")
    assert (created.code, created.out) == (0, f"500 findings listed in {NAME}\n")
    lint = ("lint", "--format", "json", "--baseline", NAME)
    assert run(*lint).code == 0
    assert run(*lint).json["summary"]["baselined"] == 500

    for text in (steps(21), "# moved\n" * 100 + steps(21)):
        write(project, {names[7]: text})
        result = run(*lint)
        (finding,) = result.json["findings"]
        assert (result.code, finding["path"]) == (1, names[7])
        assert finding["key_path"][:2] == ["steps", 20]
        assert result.json["summary"]["baselined"] == 500


def test_create_leaves_secrets_out_and_replaces_nothing(project: Path, run: Run) -> None:
    """A secret stays reported; with the option it is listed, and never written."""
    leaked = CONNECTIONS.replace("${MYSQL_DEFAULT_PASSWORD}", CANARY)
    write(project, {"osiris_connections.yaml": leaked, "pipelines/orders.yaml": BROKEN})
    result = run("baseline", "create")
    assert "1 finding about secrets left out" in result.out
    assert "OSR301" not in {entry.code for entry in entries(project)}
    assert run("lint", "--format", "json", "--baseline", NAME).rules == ["plaintext-secret"]

    refused = run("baseline", "create", "--include-secrets")
    assert refused.code == 2
    assert "baseline update" in refused.err
    assert run("baseline", "create", "--include-secrets", "--force").code == 0
    assert "OSR301" in {entry.code for entry in entries(project)}
    assert CANARY not in (project / NAME).read_text()
    assert run("lint", "--baseline", NAME).code == 0


def test_a_secret_that_another_file_quotes_is_not_kept(project: Path, run: Run) -> None:
    """A token as the name of an alias is not written down for the pipeline that misses it."""
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    leaked = CONNECTIONS.replace("    default:", f"    {token}:", 1)
    write(project, {"osiris_connections.yaml": leaked})
    assert run("baseline", "create", "--include-secrets").code == 0
    assert "pipelines/orders.yaml" in {entry.path for entry in entries(project)}
    assert token[4:].lower() not in (project / NAME).read_text().lower()


def test_update_says_what_it_adds_and_what_it_removes(project: Path, run: Run) -> None:
    """Files that were not named keep their entries; without changes nothing is written."""
    write(project, {"pipelines/a.yaml": BROKEN, "pipelines/b.yaml": BROKEN})
    run("baseline", "create")
    before = (project / NAME).read_bytes()
    assert run("baseline", "update").out == f"{NAME}: 0 added, 0 removed, 2 unchanged\n"
    assert (project / NAME).read_bytes() == before
    write(project, {"pipelines/a.yaml": PIPELINE, "pipelines/c.yaml": BROKEN})
    first, second, last = run("baseline", "update", "pipelines").out.splitlines()
    assert first.startswith("+ pipelines/c.yaml: OSR219 unknown-alias")
    assert second.startswith("- pipelines/a.yaml: OSR219 unknown-alias")
    assert last == f"{NAME}: 1 added, 1 removed, 1 unchanged"
    names = [entry.path for entry in entries(project)]
    assert names == ["pipelines/b.yaml", "pipelines/c.yaml"]


def test_prune_takes_out_what_is_stale_and_adds_nothing(project: Path, run: Run) -> None:
    """A stale entry is a warning at its line of the baseline until it is pruned."""
    write(project, {"pipelines/a.yaml": BROKEN, "pipelines/b.yaml": BROKEN})
    run("baseline", "create")
    write(project, {"pipelines/a.yaml": PIPELINE, "pipelines/c.yaml": BROKEN})
    result = run("lint", "--format", "json", "--baseline", NAME)
    stale, new = result.json["findings"]
    assert (stale["code"], stale["severity"], stale["line"]) == ("OSR903", "warning", 3)
    assert (stale["path"], new["path"]) == (NAME, "pipelines/c.yaml")
    assert "pipelines/a.yaml" in stale["message"]
    assert "0 added, 1 removed, 1 unchanged" in run("baseline", "prune").out
    assert [entry.path for entry in entries(project)] == ["pipelines/b.yaml"]
    (project / "pipelines/b.yaml").unlink()
    assert "stale-baseline" in run("lint", "--format", "json", "--baseline", NAME).rules
    run("baseline", "prune")
    assert entries(project) == []


def test_an_entry_is_stale_only_where_it_was_looked_for(project: Path, run: Run) -> None:
    """Not in other files, not for rules that are off, not in a file that cannot be parsed."""
    write(project, {"pipelines/a.yaml": BROKEN})
    run("baseline", "create")
    write(project, {"pipelines/a.yaml": PIPELINE})
    lint = ("lint", "--format", "json", "--baseline", NAME)
    assert run(*lint).rules == ["stale-baseline"]
    assert run(*lint, "pipelines/orders.yaml").rules == []
    assert run(*lint, "--ignore", "unknown-alias").rules == []
    assert run(*lint, "--ignore", "stale-baseline").rules == []
    assert run(*lint, "--severity", "stale-baseline=info").code == 0
    write(project, {"pipelines/a.yaml": PIPELINE + "  [\n"})
    assert "stale-baseline" not in run(*lint).rules
    run("baseline", "prune")
    assert len(entries(project)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is no JSON"),
        ("{\n<<<<<<< ours\n", "it is no JSON (line 2)"),
        ("[" * 100_000, "it is no JSON"),
        ("[]", "it has no `schema_version` 1"),
        ('{"schema_version": 2, "findings": []}', "it has no `schema_version` 1"),
        ('{"schema_version": 1}', "`findings` is no list"),
        ('{"schema_version": 1, "findings": [{"path": 1}]}', "finding 1 needs the texts"),
        ('{"schema_version": 1, "findings": [7]}', "finding 1 needs the texts"),
        ("\xff", "this file is not UTF-8"),
    ],
)
def test_a_broken_baseline_is_an_error(project: Path, run: Run, text: str, said: str) -> None:
    """One line that says what is wrong, exit code 2, and the file stays as it is."""
    (project / NAME).write_bytes(text.encode("latin-1"))
    for command in (("lint", "--baseline", NAME), ("baseline", "update"), ("baseline", "prune")):
        result = run(*command)
        assert (result.code, result.err.count("\n")) == (2, 1)
        assert said in result.err
    assert (project / NAME).read_bytes() == text.encode("latin-1")


def test_a_baseline_that_is_not_there_is_an_error(project: Path, run: Run) -> None:
    """The message says how to write one; a folder is none either."""
    for command in (("lint", "--baseline", "no.json"), ("baseline", "update")):
        result = run(*command)
        assert result.code == 2
        assert "write it with `osiris-lsp baseline create`" in result.err
    assert run("lint", "--baseline", "pipelines").code == 2
    unwritable = run("baseline", "create", "--baseline", "nowhere/old.json")
    assert (unwritable.code, "`--baseline " in unwritable.err) == (2, True)


def test_the_setting_is_the_option_saved(project: Path, run: Run) -> None:
    """Relative to the settings file, for `lint` and `baseline` alike, and never outside."""
    write(project, {"osiris-lsp.toml": 'baseline = "old.json"\n', "pipelines/a.yaml": BROKEN})
    assert "listed in old.json" in run("baseline", "create").out
    assert run("lint", "pipelines").code == 0
    write(project, {"osiris-lsp.toml": 'baseline = "../old.json"\n'})
    for command in (("lint",), ("baseline", "create")):
        result = run(*command)
        assert (result.code, "outside" in result.err) == (2, True)


def test_projects_share_a_baseline(project: Path, run: Run) -> None:
    """Equal findings of two projects are two entries: one does not hide the other."""
    for team in ("a", "b"):
        write(project, {f"{team}/osiris_connections.yaml": CONNECTIONS})
        write(project, {f"{team}/pipelines/orders.yaml": PIPELINE})
    write(project, {"a/pipelines/orders.yaml": BROKEN})
    run("baseline", "create", ".", "--baseline", NAME)
    lint = ("lint", "--format", "json", *QUIET, "--baseline", NAME)
    assert run(*lint, ".").rules == []
    write(project, {"b/pipelines/orders.yaml": BROKEN})
    assert run(*lint, ".").rules == ["unknown-alias"]
    assert run(*lint, "b").rules == ["unknown-alias"]


def test_reports_show_what_is_in_the_baseline(project: Path, run: Run) -> None:
    """The closing line counts it; SARIF has it as suppressed from outside."""
    write(project, {"pipelines/a.yaml": BROKEN})
    run("baseline", "create")
    assert "1 in the baseline" in run("lint", "--baseline", NAME).out
    (one,) = run("lint", "--format", "sarif", "--baseline", NAME).json["runs"][0]["results"]
    assert (one["ruleId"], one["suppressions"][0]["kind"]) == ("OSR219", "external")
    assert one["baselineState"] == "unchanged"
    write(project, {"pipelines/b.yaml": BROKEN})
    sarif = run("lint", "--format", "sarif", "--baseline", NAME).json["runs"][0]["results"]
    assert [result["baselineState"] for result in sarif] == ["new", "unchanged"]
    alone = run("lint", "--format", "sarif").json["runs"][0]["results"]
    assert [result for result in alone if "baselineState" in result] == []


def test_the_text_depends_on_the_entries_only() -> None:
    """Sorted, an entry per line, and read back as it was."""
    some = [Entry(f"{name}.yaml", "OSR219", "unknown-alias", "f" * 64) for name in "bac"]
    assert render(some) == render([*reversed(some), some[0]])
    assert parse(render(some)) == sorted(some)
    assert len(render(some).splitlines()) == len(some) + 3
    assert json.loads(render([])) == {"schema_version": 1, "findings": []}


def test_a_kill_in_the_middle_leaves_the_old_file(project: Path, run: Run) -> None:
    """Killed with the new text half on the disk, the baseline is the old one and still works."""
    write(project, {"pipelines/a.yaml": BROKEN})
    run("baseline", "create")
    before = (project / NAME).read_bytes()
    write(project, {"pipelines/b.yaml": BROKEN})
    code = (
        "import os, signal\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from osiris_lsp.cli import main\n"
        "main(['baseline', 'update'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (project / NAME).read_bytes() == before
    assert run("lint", "--format", "json", "--baseline", NAME).rules == ["unknown-alias"]
    assert "1 added, 0 removed, 1 unchanged" in run("baseline", "update").out


def test_staged_files_meet_the_staged_baseline(project: Path, run: Run) -> None:
    """What the index holds is compared: an old finding passes, a new one does not."""
    (project / ".git").rmdir()
    write(project, {"osiris-lsp.toml": f'baseline = "{NAME}"\n', "pipelines/a.yaml": BROKEN})
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    run("baseline", "create")
    subprocess.run(["git", "add", "."], cwd=project, check=True)
    (project / NAME).write_text("not what is staged")
    assert run("lint", "--staged").code == 0
    write(project, {"pipelines/b.yaml": BROKEN})
    subprocess.run(["git", "add", "pipelines"], cwd=project, check=True)
    result = run("lint", "--staged", "--format", "json")
    assert (result.code, result.rules) == (1, ["unknown-alias"])


def test_a_stale_entry_fails_a_run_only_as_an_error(project: Path, run: Run) -> None:
    """What was repaired makes no run fail, whatever `--fail-on` says, unless one asks for that."""
    write(project, {"pipelines/a.yaml": BROKEN})
    run("baseline", "create")
    write(project, {"pipelines/a.yaml": PIPELINE})
    lint = ("lint", "--format", "json", "--baseline", NAME)
    assert (run(*lint).rules, run(*lint).code) == (["stale-baseline"], 0)
    assert run(*lint, "--fail-on", "hint").code == 0
    assert run(*lint, "--severity", "stale-baseline=error").code == 1
    assert run(*lint, "--severity", "stale-baseline=error", "--fail-on", "never").code == 0
