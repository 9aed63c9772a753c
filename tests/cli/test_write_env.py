"""`lint --write-env`: secrets go into `.env`, both files are written or none, no value shows."""

import re
import stat
import subprocess
from pathlib import Path

import pytest

from osiris_lsp import files, fixes
from tests.cli.conftest import CONNECTIONS, PIPELINE, Run, write

CANARY = "c4n4ry-tractor-9"
NAME = "MYSQL_DEFAULT_PASSWORD"
FILE = "osiris_connections.yaml"
SECRET = CONNECTIONS.replace("${MYSQL_DEFAULT_PASSWORD}", f"{CANARY} # mine")
MOVED = CONNECTIONS.replace("${MYSQL_DEFAULT_PASSWORD}", "${MYSQL_DEFAULT_PASSWORD} # mine")
LINT = ("lint", "--select", "OSR0,OSR3", "--format", "json")


@pytest.fixture
def leaky(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a password in its connections file."""
    monkeypatch.delenv(NAME, raising=False)
    write(project, {FILE: SECRET})
    return project


def test_a_secret_moves_and_the_finding_is_gone(leaky: Path, run: Run) -> None:
    """Its name is printed, with the advice to change it; a second run changes nothing."""
    assert run(*LINT).rules == ["plaintext-secret"]
    moved = run(*LINT, "--write-env")
    assert (moved.code, moved.rules) == (0, [])
    assert f"{FILE} now takes `{NAME}` from .env" in moved.err
    assert "change it at its source" in moved.err
    assert CANARY not in moved.out + moved.err
    assert (leaky / FILE).read_text() == MOVED
    env = leaky / ".env"
    assert env.read_text() == f"{NAME}={CANARY}\n"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert (leaky / ".gitignore").read_text() == ".env\n"
    again = run(*LINT, "--write-env")
    assert (again.code, again.err) == (0, "")
    assert env.read_text() == f"{NAME}={CANARY}\n"


def test_no_fix_takes_a_secret_away(leaky: Path, run: Run) -> None:
    """Replacing it would destroy the only copy."""
    assert run(*LINT, "--fix", "--unsafe-fixes").rules == ["plaintext-secret"]
    assert (leaky / FILE).read_text() == SECRET
    assert not (leaky / ".env").exists()


def test_many_secrets_move_in_one_go(leaky: Path, run: Run) -> None:
    """Flow style, addresses, headers, lists of one name; a comment that allows one is heeded."""
    (leaky / FILE).write_text("""\
connections:
  mysql:
    a: {host: h, database: d, user: u, password: c4n4ry-1}
    b: {host: h, database: d, user: u, password: c4n4ry-2} # pragma: allowlist secret
  postgres:
    a: {dsn: "postgresql://u:c4n4ry-3@h/d"}
    A: {host: h, database: d, user: u, password: c4n4ry-4}
  api:
    a:
      base_url: https://h.example.com
      headers:
        Authorization: Bearer c4n4ry-tractor-5
        X-Api-Key: ${KEY:-c4n4ry-tractor-6}
""")
    moved = run(*LINT, "--write-env")
    assert (moved.code, moved.rules) == (0, [])
    assert "c4n4ry" not in moved.out + moved.err
    assert (
        (leaky / FILE).read_text()
        == """\
connections:
  mysql:
    a: {host: h, database: d, user: u, password: "${MYSQL_A_PASSWORD}"}
    b: {host: h, database: d, user: u, password: c4n4ry-2} # pragma: allowlist secret
  postgres:
    a: {dsn: "postgresql://u:${POSTGRES_A_PASSWORD}@h/d"}
    A: {host: h, database: d, user: u, password: "${POSTGRES_A_PASSWORD_2}"}
  api:
    a:
      base_url: https://h.example.com
      headers:
        Authorization: Bearer ${API_A_HEADERS_AUTHORIZATION}
        X-Api-Key: ${KEY}
"""
    )
    assert (
        (leaky / ".env").read_text()
        == """\
MYSQL_A_PASSWORD=c4n4ry-1
POSTGRES_A_PASSWORD=c4n4ry-3
POSTGRES_A_PASSWORD_2=c4n4ry-4
API_A_HEADERS_AUTHORIZATION=c4n4ry-tractor-5
KEY=c4n4ry-tractor-6
"""
    )


def test_a_step_takes_its_secret_from_the_env_of_the_connections(leaky: Path, run: Run) -> None:
    """The variable is named after the family and the key."""
    step = PIPELINE.replace('connection: "@mysql.default"', "host: h\n      password: c4n4ry-7")
    write(leaky, {"pipelines/orders.yaml": step, FILE: CONNECTIONS})
    assert run(*LINT, "--write-env").rules == []
    assert "password: ${MYSQL_PASSWORD}\n" in (leaky / "pipelines/orders.yaml").read_text()
    assert (leaky / ".env").read_text() == "MYSQL_PASSWORD=c4n4ry-7\n"


@pytest.mark.parametrize("place", [".env", "environment", "reference"])
def test_a_name_that_is_taken_gets_a_number(
    leaky: Path, run: Run, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A variable keeps its value, and nothing that refers to one reads another value."""
    before = ""
    if place == ".env":
        before = f"{NAME}=other\n"
        (leaky / ".env").write_text(before)
    elif place == "environment":
        monkeypatch.setenv(NAME, "other")
    else:
        write(leaky, {FILE: SECRET.replace("user: reader", f"user: ${{{NAME}}}")})
    assert run(*LINT, "--write-env").rules == []
    assert f"password: ${{{NAME}_2}} # mine" in (leaky / FILE).read_text()
    assert (leaky / ".env").read_text() == f"{before}{NAME}_2={CANARY}\n"


@pytest.mark.parametrize(
    ("path", "text", "variable"),
    [
        ("pipelines/other.yaml", f"steps:\n  - id: ${{{NAME}}}\n", f"{NAME}_2"),
        ("pipelines/other.yaml", f"steps: [\n  ${{{NAME}:-x}}\n", f"{NAME}_2"),
        ("compose.yaml", f"a: {{b: '${{{NAME}}}'}}\n", f"{NAME}_2"),
        ("compose.yaml", f"# ${{{NAME}}}\na: ${{{NAME}_X}}\n", NAME),
        ("sub/pipelines/other.yaml", f"steps:\n  - id: ${{{NAME}}}\n", NAME),
    ],
)
def test_a_variable_that_another_file_expects_is_not_filled(
    leaky: Path, run: Run, path: str, text: str, variable: str
) -> None:
    """Whatever file it is, parsed or not, if it has the same `.env`; a comment expects nothing."""
    write(leaky, {path: text, "sub/osiris_connections.yaml": CONNECTIONS})
    moved = run(*LINT, FILE, "--write-env")
    assert moved.rules == []
    assert f"now takes `{variable}`" in moved.err
    assert (leaky / ".env").read_text() == f"{variable}={CANARY}\n"


def test_a_variable_that_has_the_value_is_shared(leaky: Path, run: Run) -> None:
    """What other files take from `.env` stays as it is."""
    write(leaky, {"pipelines/a.yaml": f"a: ${{{NAME}}}\n", ".env": f"{NAME}={CANARY}\n"})
    assert run(*LINT, FILE, "--write-env").rules == []
    assert (leaky / FILE).read_text() == MOVED
    assert (leaky / ".env").read_text() == f"{NAME}={CANARY}\n"


def test_two_secrets_never_share_a_variable(leaky: Path, run: Run) -> None:
    """Not those of two files either; each file reads what it had."""
    step = PIPELINE.replace('connection: "@mysql.default"', "host: h\n      password: c4n4ry-{}")
    names = ["pipelines/a.yaml", "pipelines/b.yaml", "pipelines/c.yaml"]
    write(leaky, {name: step.format(name[10]) for name in names})
    assert run(*LINT, "--write-env").rules == []
    env = dict(line.split("=") for line in (leaky / ".env").read_text().splitlines())
    for name in names:
        (taken,) = re.findall(r"password: \$\{(\w+)\}", (leaky / name).read_text())
        assert env[taken] == f"c4n4ry-{name[10]}"


def test_a_default_that_another_file_has_differently_stays(leaky: Path, run: Run) -> None:
    """With a value in `.env` that file would read another one."""
    text = CONNECTIONS.replace(f"${{{NAME}}}", f"${{PW:-{CANARY}}}")
    write(leaky, {FILE: text, "pipelines/a.yaml": "a: ${PW:-c4n4ry-other}\n"})
    moved = run(*LINT, FILE, "--write-env")
    assert (moved.code, moved.rules) == (1, ["secret-default"])
    assert "c4n4ry" not in moved.out + moved.err
    assert not (leaky / ".env").exists()


def test_a_default_stays_where_its_variable_has_another_value(leaky: Path, run: Run) -> None:
    """The note says why, and holds no value."""
    text = CONNECTIONS.replace(f"${{{NAME}}}", f"${{PW:-{CANARY}}}")
    write(leaky, {FILE: text, ".env": "PW=c4n4ry-other\n"})
    moved = run(*LINT, "--write-env")
    assert (moved.code, moved.rules) == (1, ["secret-default"])
    assert f"not moved: {FILE}:8: `PW` has another value" in moved.err
    assert "c4n4ry" not in moved.out + moved.err
    assert (leaky / FILE).read_text() == text
    assert (leaky / ".env").read_text() == "PW=c4n4ry-other\n"


@pytest.mark.parametrize("kind", ["tracked", "link"])
def test_an_env_that_others_could_read_takes_no_secret(leaky: Path, run: Run, kind: str) -> None:
    """One that git tracks, and one that points elsewhere; both files stay as they were."""
    env = leaky / ".env"
    if kind == "tracked":
        (leaky / ".git").rmdir()
        env.write_text("A=1\n")
        for command in (["init", "-q"], ["add", ".env"]):
            subprocess.run(["git", *command], cwd=leaky, check=True)
    else:
        write(leaky, {"target": "A=1\n"})
        env.symlink_to(leaky / "target")
    moved = run(*LINT, "--write-env")
    assert (moved.code, moved.rules) == (2, ["plaintext-secret"])
    assert ("is tracked by git" if kind == "tracked" else "is a link") in moved.err
    assert CANARY not in moved.out + moved.err
    assert (leaky / FILE).read_text() == SECRET
    assert env.read_text() == "A=1\n"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", [None, "# mine\nA=1"])
def test_a_file_that_cannot_be_written_leaves_no_trace(
    leaky: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    before: str | None,
) -> None:
    """What went into `.env` and `.gitignore` is taken out again."""
    if before is not None:
        write(leaky, {".env": before})

    def fail(*_: object, **__: object) -> None:
        assert CANARY in (leaky / ".env").read_text()
        raise error

    monkeypatch.setattr(fixes, "replace", fail)
    moved = run(*LINT, "--write-env")
    assert moved.code == (2 if isinstance(error, OSError) else 130)
    assert CANARY not in moved.out + moved.err
    assert (leaky / FILE).read_text() == SECRET
    assert ((leaky / ".env").read_text() if (leaky / ".env").exists() else None) == before
    assert not (leaky / ".gitignore").exists()


def test_an_interrupt_behind_the_last_write_loses_nothing(
    leaky: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has the variable by then, so `.env` keeps the only copy of the value."""

    def stop(path: str, data: bytes, mode: int, **options: object) -> None:
        files.replace(path, data, mode)
        raise KeyboardInterrupt

    monkeypatch.setattr(fixes, "replace", stop)
    assert run(*LINT, "--write-env").code == 130
    assert (leaky / FILE).read_text() == MOVED
    assert (leaky / ".env").read_text() == f"{NAME}={CANARY}\n"


def test_a_run_that_was_killed_between_the_files_can_be_repeated(leaky: Path, run: Run) -> None:
    """The value is in both places then; nothing is stored twice."""
    write(leaky, {".env": f"{NAME}={CANARY}\n"})
    assert run(*LINT, "--write-env").rules == []
    assert (leaky / FILE).read_text() == MOVED
    assert (leaky / ".env").read_text() == f"{NAME}={CANARY}\n"


@pytest.mark.parametrize(
    "options", [["--staged"], ["--diff"], ["-"], ["-", "--stdin-filename", "osiris.yaml"]]
)
def test_what_cannot_be_written_is_wrong_use(leaky: Path, run: Run, options: list[str]) -> None:
    """Neither the index nor standard input is a file."""
    result = run("lint", "--write-env", *options, stdin=b"")
    assert result.code == 2
    assert "`--write-env` writes files" in result.err
    assert not (leaky / ".env").exists()


def test_fixes_and_moving_go_together(leaky: Path, run: Run) -> None:
    """In one run: what is safe to repair is repaired, and the secret moves; nothing is lost."""
    (leaky / FILE).write_text(SECRET.replace("version: 1\n", ""))
    both = run("lint", "--format", "json", "--fix", "--write-env")
    assert CANARY not in both.out + both.err
    assert (leaky / FILE).read_text().startswith("version: 1\n")
    assert f"password: ${{{NAME}}} # mine" in (leaky / FILE).read_text()
    assert (leaky / ".env").read_text() == f"{NAME}={CANARY}\n"
