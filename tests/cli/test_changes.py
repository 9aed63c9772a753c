"""`lint --staged` and `lint --dependants` in real repositories."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import CONNECTIONS, PIPELINE, Run, write

LEAK = CONNECTIONS.replace("${MYSQL_DEFAULT_PASSWORD}", "hunter2-in-the-open")
GONE = CONNECTIONS.replace("    default:\n", "    main:\n")
CAUSED = "(caused by osiris_connections.yaml)"


def git(folder: Path, *args: str) -> str:
    """Run git as somebody, without any settings of this machine."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    command = ["git", *who, *args]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean project with one commit, which is the current folder."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "PRE_COMMIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("OSIRIS_HOME", raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": PIPELINE})
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_the_index_is_what_is_checked(repository: Path, run: Run) -> None:
    """A leak that was staged is found though the disk has lost it, and the other way round."""
    path = repository / "osiris_connections.yaml"
    path.write_text(LEAK)
    assert run("lint", "--staged", "--format", "json").json["findings"] == []
    git(repository, "add", ".")
    path.write_text(CONNECTIONS)
    result = run("lint", "--staged", "--format", "json")
    assert (result.code, result.rules) == (1, ["plaintext-secret"])
    assert "hunter2" not in result.out
    path.unlink()
    assert run("lint", "--staged", "--format", "json").rules == ["plaintext-secret"]


def test_only_what_is_staged_is_checked(repository: Path, run: Run) -> None:
    """Files that did not change keep their findings to themselves; paths narrow it down."""
    broken = PIPELINE.replace("mysql.default", "mysql.prod")
    write(repository, {"pipelines/old.yaml": broken})
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "old")
    write(repository, {"pipelines/new.yaml": broken, "other/new.yaml": broken})
    assert run("lint", "--staged").out == "no Osiris files found\n"
    git(repository, "add", ".")
    found = run("lint", "--staged", "--format", "json").json["findings"]
    assert [item["path"] for item in found] == ["other/new.yaml", "pipelines/new.yaml"]
    narrow = run("lint", "--staged", "pipelines", "--format", "json").json["findings"]
    assert [item["path"] for item in narrow] == ["pipelines/new.yaml"]


@pytest.mark.parametrize("option", ["--staged", "--dependants"])
def test_dependants_say_what_caused_their_findings(repository: Path, run: Run, option: str) -> None:
    """A connection that goes breaks its pipelines; what was broken before stays untold."""
    write(repository, {"pipelines/old.yaml": PIPELINE.replace("mysql.default", "mysql.prod")})
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "old")
    (repository / "osiris_connections.yaml").write_text(GONE)
    git(repository, "add", ".")
    result = run("lint", option, "--format", "json")
    (finding,) = [item for item in result.json["findings"] if item["path"].startswith("pipelines")]
    assert (finding["rule"], finding["path"]) == ("unknown-alias", "pipelines/orders.yaml")
    assert finding["message"].endswith(CAUSED)
    assert result.code == 1
    git(repository, "commit", "--quiet", "--message", "gone")
    assert run("lint", option, "--format", "json").json["findings"] == []


@pytest.mark.parametrize("option", ["--staged", "--dependants"])
@pytest.mark.parametrize("how", [("rm", "--quiet"), ("rm", "--quiet", "--cached")])
def test_a_deleted_file_has_dependants(
    repository: Path, run: Run, option: str, how: tuple[str, ...]
) -> None:
    """A connections file that goes is the cause, also where the disk still has it."""
    git(repository, *how, "osiris_connections.yaml")
    (finding,) = run("lint", option, "--format", "json").json["findings"]
    assert finding["rule"] == "missing-connections-file"
    assert finding["message"].endswith("(caused by deleting osiris_connections.yaml)")


@pytest.mark.parametrize("option", ["--staged", "--dependants"])
def test_a_connections_file_that_git_ignores_stays(repository: Path, run: Run, option: str) -> None:
    """Teams that keep the file out of git have it on disk all the same."""
    write(repository, {".gitignore": "osiris_connections.yaml\n"})
    git(repository, "rm", "--quiet", "--cached", "osiris_connections.yaml")
    git(repository, "add", ".gitignore")
    assert run("lint", option, "--format", "json").json["findings"] == []


def test_what_was_not_added_is_not_there(repository: Path, run: Run) -> None:
    """A pipeline is staged and the spec of its component forgotten."""
    spec = (
        "name: own.reader\nversion: 1.0.0\nmodes: [read]\ncapabilities: {}\nconfigSchema:\n"
        "  type: object\n  properties:\n    table: {type: string}\n"
    )
    pipeline = PIPELINE.replace("mysql.extractor", "own.reader").replace(
        '      connection: "@mysql.default"\n', ""
    )
    write(repository, {"components/own/spec.yaml": spec, "pipelines/own.yaml": pipeline})
    git(repository, "add", "pipelines")
    assert "unknown-component" in run("lint", "--staged", "--format", "json").rules
    git(repository, "add", ".")
    assert "unknown-component" not in run("lint", "--staged", "--format", "json").rules
    git(repository, "commit", "--quiet", "--message", "own")
    git(repository, "rm", "--quiet", "-r", "components")
    (finding,) = run("lint", "--staged", "--format", "json").json["findings"]
    assert finding["rule"] == "unknown-component"
    assert finding["message"].endswith("(caused by deleting components/own/spec.yaml)")


def test_changed_settings_are_a_cause(repository: Path, run: Run) -> None:
    """Settings of the index hold, and what they change elsewhere is told."""
    write(repository, {"osiris-lsp.toml": 'severity = { "unused-connection" = "error" }\n'})
    more = (
        CONNECTIONS
        + "    spare:\n"
        + CONNECTIONS.partition("    default:\n")[2].replace("      default: true\n", "")
    )
    write(repository, {"osiris_connections.yaml": more})
    git(repository, "add", "osiris_connections.yaml")
    git(repository, "commit", "--quiet", "--message", "spare")
    assert run("lint", "--staged").code == 0
    git(repository, "add", ".")
    assert run("lint", "--staged").code == 0  # the finding was there before, as a hint
    write(repository, {"osiris-lsp.toml": 'ignore = ["OSR1"]\n'})
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "settings")
    git(repository, "rm", "--quiet", "osiris-lsp.toml")
    (finding,) = run("lint", "--staged", "--format", "json").json["findings"]
    assert finding["rule"] == "unused-connection"
    assert finding["message"].endswith("(caused by deleting osiris-lsp.toml)")


def test_broken_settings_are_an_error(repository: Path, run: Run) -> None:
    """A settings file that is staged and cannot be read ends the run with 2."""
    write(repository, {"osiris-lsp.toml": "ignore = 3\n"})
    git(repository, "add", ".")
    result = run("lint", "--dependants", "--format", "json")
    assert (result.code, result.rules) == (2, ["invalid-settings"])
    assert "caused by" not in result.json["findings"][0]["message"]


def test_a_renamed_file_is_deleted_and_added(repository: Path, run: Run) -> None:
    """The old name is gone for its dependants, the new one is checked."""
    git(repository, "mv", "osiris_connections.yaml", "connections.yaml")
    found = run("lint", "--staged", "--format", "json").json["findings"]
    assert {(item["path"], item["rule"]) for item in found} == {
        ("connections.yaml", "misplaced-connections-file"),
        ("pipelines/orders.yaml", "missing-connections-file"),
    }


def test_a_file_that_git_overlooks_is_read_from_the_index(repository: Path, run: Run) -> None:
    """`skip-worktree` is how people keep local changes; a commit has none of them."""
    git(repository, "update-index", "--skip-worktree", "osiris_connections.yaml")
    (repository / "osiris_connections.yaml").write_text(GONE)
    write(repository, {"pipelines/new.yaml": PIPELINE})
    git(repository, "add", "pipelines")
    assert run("lint", "--staged", "--format", "json").json["findings"] == []
    assert run("lint", "pipelines/new.yaml", "--format", "json").rules == ["unknown-alias"]


def test_the_commits_that_pre_commit_names_are_compared(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before a push: what the commits changed is the cause, not what is staged."""
    (repository / "osiris_connections.yaml").write_text(GONE)
    git(repository, "commit", "--quiet", "--all", "--message", "gone")
    assert run("lint", "--dependants").code == 0
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "HEAD~1")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    (finding,) = run("lint", "--dependants", "--format", "json").json["findings"]
    assert finding["message"].endswith(CAUSED)


def test_a_first_commit_and_a_sub_folder(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch without a commit has no text from before; a sub-folder sees the whole commit."""
    git(repository, "checkout", "--quiet", "--orphan", "new")
    (repository / "osiris_connections.yaml").write_text(LEAK)
    git(repository, "add", ".")
    monkeypatch.chdir(repository / "pipelines")
    (finding,) = run("lint", "--staged", "--format", "json").json["findings"]
    assert (finding["path"], finding["rule"]) == ("../osiris_connections.yaml", "plaintext-secret")


def test_a_file_that_is_not_ours_never_fails(repository: Path, run: Run) -> None:
    """Neither one with another encoding nor one that does not parse."""
    (repository / "latin.yaml").write_bytes("a: é\n".encode("latin-1"))
    (repository / "wide.yaml").write_bytes("a: 1\n".encode("utf-16"))
    write(repository, {"broken.yaml": "a: [1\n", "chart.yaml": "{{ if }}\n"})
    git(repository, "add", ".")
    names = ("latin.yaml", "wide.yaml", "broken.yaml", "chart.yaml")
    assert run("lint", "--staged").out == "no Osiris files found\n"
    result = run("lint", "--force-exclude", "--dependants", *names)
    assert (result.code, result.out, result.err) == (0, "no Osiris files found\n", "")
    ours = b"# \xe9\noml_version: '0.1.0'\n"
    (repository / "ours.yaml").write_bytes(ours)
    git(repository, "add", ".")
    assert run("lint", "--staged", "--format", "json").rules == ["invalid-encoding"]
    assert run("lint", "--force-exclude", "ours.yaml").code == 1


@pytest.mark.parametrize("option", ["--staged", "--dependants"])
def test_no_repository_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, option: str
) -> None:
    """Where git does not answer, the run says so and ends with 2."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    result = run("lint", option)
    assert result.code == 2
    assert f"`{option}` asks git, which said: not a git repository" in result.err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed, or not on PATH" in run("lint", option).err


def test_nothing_of_the_repository_runs(repository: Path, run: Run) -> None:
    """A file system monitor and a filter that the repository configures are not started."""
    ran = repository / "ran"
    git(repository, "config", "core.fsmonitor", f"touch {ran}; false")
    git(repository, "config", "filter.evil.smudge", f"touch {ran}; cat")
    write(repository, {".git/info/attributes": "*.yaml filter=evil\n"})
    (repository / "osiris_connections.yaml").write_text(LEAK)
    subprocess.run(["git", "-c", "core.fsmonitor=false", "add", "."], check=True, cwd=repository)
    (repository / "osiris_connections.yaml").write_text(CONNECTIONS)
    assert run("lint", "--staged", "--format", "json").rules == ["plaintext-secret"]
    assert not ran.exists()


def test_staged_files_are_not_fixed(repository: Path, run: Run) -> None:
    """There is no disk to write to."""
    assert run("lint", "--staged", "--fix").code == 2
