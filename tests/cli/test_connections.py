"""`osiris-lsp connections`: list, doctor, show, add, trust, as a user calls them."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from osiris_lsp.cli.connections import COMMANDS
from osiris_lsp.cli.osiris import main as osiris
from tests.cli.conftest import Run, write
from tests.secrets.test_providers import checked
from tests.services import faults
from tests.services.processes import Server

FILE = """\
# Ours.
version: 1
connections:
  filesystem:
    data:
      base_dir: ./data # where the files are
      default: true
    gone:
      base_dir: ./gone
  sqlite:
    shop:
      path: ${SHOP:-./shop.sqlite}
  mysql:
    default:
      host: 127.0.0.1
      port: ${CLOSED_PORT}
      database: shop
      user: reader
      password: ${MYSQL_PASSWORD}
"""


@pytest.fixture
def shop(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with one good folder, one missing, and a server that does not listen."""
    monkeypatch.setenv("XDG_DATA_HOME", str(project / "home"))
    monkeypatch.setenv("MYSQL_PASSWORD", "c4n4ry")
    write(project, {"osiris_connections.yaml": FILE, "data/a.csv": "id\n1\n"})
    with faults.refused() as closed:
        monkeypatch.setenv("CLOSED_PORT", str(closed.port))
        yield project


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(run: Run, command: str) -> None:
    """With examples, and with exit code 0."""
    with pytest.raises(SystemExit) as ended:
        run("connections", command, "--help")
    assert ended.value.code == 0


@pytest.mark.inventory("S1-CONN020-01", "S1-CONN021-01")
def test_osiris_answers_connections(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command of the seeds is ours, whatever else is installed."""
    assert osiris(["connections", "list", "--json"]) == 0
    assert [item["alias"] for item in json.loads(capsys.readouterr().out)] == [
        "data",
        "gone",
        "shop",
        "default",
    ]


@pytest.mark.inventory("S1-CONN020-02", "S1-CONN020-03", "S1-CONN020-06")
def test_one_connection_as_json_is_the_object_of_the_contract(shop: Path, run: Run) -> None:
    """By reference or by family and alias; 0 for a healthy one, 1 for another."""
    by_name = run("connections", "doctor", "--family", "filesystem", "--alias", "data", "--json")
    assert by_name.code == 0
    assert list(by_name.json) == [
        "family",
        "alias",
        "ok",
        "latency_ms",
        "category",
        "message",
        "details",
    ]
    assert (by_name.json["ok"], by_name.json["message"]) == (True, "Connection successful")
    by_reference = run("connections", "doctor", "@mysql", "--json")
    assert by_reference.code == 1
    shown = by_reference.json
    assert (shown["category"], shown["message"]) == (
        "network",
        "Network error: ConnectionRefusedError",
    )
    assert (shown["details"]["code"], shown["details"]["field"]) == ("tcp.refused", "port")
    assert "127.0.0.1" in by_reference.err


@pytest.mark.inventory("S1-CONN020-05", "S2-DOC-01")
@pytest.mark.parametrize("how", [(), ("--all",)])
def test_all_connections_are_checked(shop: Path, run: Run, how: tuple[str, ...]) -> None:
    """A broken one stops no other; the order is that of the file."""
    done = run("connections", "doctor", *how, "--json")
    assert done.code == 1
    assert [(item["alias"], item["ok"]) for item in done.json["connections"]] == [
        ("data", True),
        ("gone", False),
        ("shop", True),
        ("default", False),
    ]
    assert "c4n4ry" not in done.out + done.err


def test_the_report_for_people_shows_the_place_and_the_remedy(shop: Path, run: Run) -> None:
    """As a compiler would: file, line, column, caret; then what to do."""
    done = run("connections", "doctor", "--color", "never")
    assert "✗ @mysql.default" in done.out
    assert "osiris_connections.yaml:16:13  tcp.refused" in done.out
    assert " 16 |       port: ${CLOSED_PORT}\n" in done.out
    assert "      |             ^^^^^^^^^^^^^^\n" in done.out
    assert "= check `port`, and that the server is running" in done.out
    assert done.out.endswith("2 healthy, 2 not of 4 connections\n")


def test_junit(shop: Path, run: Run) -> None:
    """A report that CI systems read."""
    done = run("connections", "doctor", "--format", "junit")
    suite = ElementTree.fromstring(done.out)[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    failed = [case.get("name") for case in suite if len(case)]
    assert failed == ["@filesystem.gone", "@mysql.default"]


@pytest.mark.inventory("S1-CONN020-02", "S1-CONN020-06")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["@mysql.defualt"], "did you mean `default`?"),
        (["@mysq.default"], "did you mean `mysql`?"),
        (["mysql.default"], "did you mean `@mysql.default`?"),
        (["--family", "mysqll"], "did you mean `mysql`?"),
        (["--family", "mysql", "--alias", "x"], "no connection has the alias `x`"),
        (["--timeout", "0"], "`--timeout` is a number of seconds above 0"),
        (["--all", "@mysql.default"], "leave out the names"),
        (["@mysql.default", "--family", "mysql"], "or by `--family` and `--alias`"),
        (["--connections-file", "no.yaml"], "there is no such file"),
        (["--jsn"], "did you mean `--json`?"),
    ],
)
def test_wrong_use_ends_with_2(shop: Path, run: Run, arguments: list[str], message: str) -> None:
    """And says what was meant."""
    done = run("connections", "doctor", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nconnections: {}\n", "holds no connections; nothing was checked"),
        ('version: 1\nconnections:\n  mysql: "\n', "osiris_connections.yaml:3:10: "),
    ],
)
def test_nothing_to_check_ends_with_2(project: Path, run: Run, text: str, message: str) -> None:
    """An empty file and one that does not parse."""
    write(project, {"osiris_connections.yaml": text})
    done = run("connections", "doctor")
    assert done.code == 2
    assert message in done.err


def test_what_goes_wrong_before_the_network_is_of_category_config(project: Path, run: Run) -> None:
    """Unset variables, unknown families and wrong values, each on its field."""
    write(
        project,
        {
            "osiris_connections.yaml": "version: 1\nconnections:\n"
            "  mysql:\n    a: {host: h, database: d, user: u, password: '${NOT_SET_ANYWHERE}'}\n"
            "    b: {host: h, port: x, database: d, user: u, password: p}\n"
            "  mysqll:\n    c: {host: h}\n"
        },
    )
    done = run("connections", "doctor", "--json")
    found = [
        (item["category"], item["details"]["code"], item["details"]["field"])
        for item in done.json["connections"]
    ]
    assert found == [
        ("config", "config.env_missing", "password"),
        ("config", "config.type", "port"),
        ("config", "config.unknown_family", ""),
    ]
    assert done.code == 1


def test_only_what_is_trusted_is_checked_where_that_is_asked(shop: Path, run: Run) -> None:
    """As the hook does; a change of the destination takes the consent away."""
    refused = run("connections", "doctor", "--trusted-only", "--json")
    assert refused.code == 0
    assert {item["details"]["code"] for item in refused.json["connections"]} == {
        "config.not_trusted"
    }
    assert run("connections", "trust", "@filesystem.data", "@mysql").code == 0
    done = run("connections", "doctor", "--trusted-only", "--json")
    codes = [item["details"].get("code", "ok") for item in done.json["connections"]]
    assert codes == ["ok", "config.not_trusted", "config.not_trusted", "tcp.refused"]
    assert done.code == 1
    path = shop / "osiris_connections.yaml"
    path.write_text(FILE.replace("127.0.0.1", "evil.example.com"))
    again = run("connections", "doctor", "@mysql", "--trusted-only", "--json")
    assert (again.code, again.json["category"]) == (2, "config")
    assert "changed since it was trusted" in again.json["details"]["cause"]


def test_what_a_hook_may_not_check_is_listed(shop: Path, run: Run) -> None:
    """Connections without consent fail no hook: they are listed, for people and for CI."""
    result = run("connections", "doctor", "--trusted-only")
    assert result.code == 0
    assert "- @mysql.default" in result.out
    assert "not checked: nobody has allowed this connection yet" in result.out
    assert result.out.endswith("\n4 not checked of 4 connections\n")
    junit = run("connections", "doctor", "--trusted-only", "--format", "junit")
    assert ElementTree.fromstring(junit.out)[0].attrib["skipped"] == "4"
    assert junit.out.count("<skipped ") == 4
    (shop / "osiris_connections.yaml").unlink()
    nothing = run("connections", "doctor", "--trusted-only")
    assert (nothing.code, nothing.out) == (0, "")
    assert "nothing was checked: there is no `osiris_connections.yaml`" in nothing.err
    assert run("connections", "doctor").code == 2


def test_trust_says_what_it_allows_and_takes_it_back(shop: Path, run: Run) -> None:
    """Destinations and variables are listed; the store is outside of the project's files."""
    shown = run("connections", "trust")
    assert "@mysql.default: not trusted" in shown.out
    assert "  reads        ${MYSQL_PASSWORD}" in shown.out
    assert run("connections", "trust", "--list").out.startswith("nothing is trusted yet")
    allowed = run("connections", "trust", "--all")
    assert allowed.out.count(": trusted\n") == 4
    listed = run("connections", "trust", "--list")
    assert f"@mysql.default  {os.path.realpath(shop)}/osiris_connections.yaml  since" in listed.out
    assert run("connections", "trust", "--revoke", "@mysql").out == (
        "@mysql.default is no longer trusted\n"
    )
    assert "@mysql.default" not in run("connections", "trust", "--list").out


def test_the_list_for_people(shop: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line each, with what is not set."""
    monkeypatch.delenv("MYSQL_PASSWORD")
    done = run("connections", "list")
    assert done.out.splitlines()[0] == "@filesystem.data  Files   (default) base_dir=./data"
    assert done.out.splitlines()[3] == (
        "@mysql.default    MySQL   host=127.0.0.1 database=shop not set: MYSQL_PASSWORD"
    )
    full = run("connections", "list", "--json", "--full", "--family", "mysql")
    assert full.json[0]["config"]["password"] == "${MYSQL_PASSWORD}"
    assert full.json[0]["env"] == {"set": ["CLOSED_PORT"], "missing": ["MYSQL_PASSWORD"]}


def test_show_tells_where_each_value_comes_from(shop: Path, run: Run) -> None:
    """Secrets masked, for people and as JSON."""
    done = run("connections", "show", "@mysql")
    assert done.out.startswith("@mysql.default, MySQL (osiris_connections.yaml:14)\n")
    assert "  database  shop               written here\n" in done.out
    assert "$MYSQL_PASSWORD from the environment" in done.out
    shown = run("connections", "show", "@mysql.default", "--json")
    assert "c4n4ry" not in shown.out + done.out
    assert shown.json["fields"][-1] == {
        "name": "password",
        "value": "${MYSQL_PASSWORD}",
        "secret": True,
        "sources": [{"kind": "environment", "name": "MYSQL_PASSWORD"}],
    }


def test_add_keeps_the_file_as_it_is(shop: Path, run: Run) -> None:
    """Comments and order stay; a secret becomes a variable; what results has no findings."""
    added = run("connections", "add", "mysql", "--alias", "ci", "--set", "host=db", "--set",
                "database=123", "--set", "user=ci")  # fmt: skip
    assert added.code == 0
    text = (shop / "osiris_connections.yaml").read_text()
    assert text == FILE + (
        "    ci:\n      host: db\n      database: \"123\"\n      user: ci\n"
        "      password: ${MYSQL_CI_PASSWORD}\n"
    )  # fmt: skip
    assert run("connections", "add", "redis", "--set", "host=cache").code == 0
    assert (shop / "osiris_connections.yaml").read_text() == text + (
        "  redis:\n    default:\n      host: cache\n"
    )
    linted = run("lint", "--format", "json", "--select", "OSR1", "--ignore", "unused-connection",
                 "--ignore", "no-default")  # fmt: skip
    assert linted.json["findings"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mysq", "--set", "host=h"], "did you mean `mysql`?"),
        (["mysql", "--set", "hots=h"], "did you mean `host`?"),
        (["mysql", "--set", "host"], "lacks its value"),
        (["mysql", "--set", "password=c4n4ry"], "is a secret and is not written into the file"),
        (["mysql", "--set", "host=h"], "needs `database`, `user`"),
        (["mysql", "--alias", "default", "--set", "host=h"], "exists already"),
        (["mysql", "--alias", "My-DB", "--set", "host=h"], "is no alias"),
        (["mysql"], "there is no terminal to ask on"),
    ],
)
def test_add_refuses_what_it_cannot_do(
    shop: Path, run: Run, arguments: list[str], message: str
) -> None:
    """With exit code 2, and without touching the file."""
    arguments = arguments if "--alias" in arguments else [*arguments, "--alias", "other"]
    done = run("connections", "add", *arguments, stdin=b"")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "c4n4ry" not in done.err
    assert (shop / "osiris_connections.yaml").read_text() == FILE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version: 1\n",
        "version: 1\nconnections:\n",
        "version: 1\r\nconnections:\r\n  mysql:\r\n    a: {host: h}\r\n",
        "connections:\n    mysql:\n        a: {host: h}\nversion: 1\n",
        "version: 1\nconnections: {mysql: {a: {host: h}}}\n",
        "x: &x {host: h}\nversion: 1\nconnections:\n  postgres:\n    a:\n      <<: *x\n# end",
    ],
)
def test_add_to_any_layout_is_right_or_refused(project: Path, run: Run, text: str) -> None:
    """What was there before reads as before; a layout that cannot take it stays untouched."""
    path = project / "osiris_connections.yaml"
    path.write_bytes(text.encode())
    done = run("connections", "add", "postgres", "--alias", "new", "--set", "host=h", "--set",
               "database=d", "--set", "user=u")  # fmt: skip
    after = path.read_bytes().decode()
    if done.code:
        assert after == text
        assert "add this by hand" in done.err
        return
    import yaml

    loaded = yaml.safe_load(after)
    assert loaded["connections"]["postgres"].pop("new") == {
        "host": "h",
        "database": "d",
        "user": "u",
        "password": "${POSTGRES_NEW_PASSWORD}",
    }
    before = yaml.safe_load(text) or {}
    assert (loaded["connections"].get("mysql") or None) == (
        (before.get("connections") or {}).get("mysql")
    )
    assert ("\r\n" in text) == ("\r\n" in after)


def test_add_asks_on_a_terminal_and_stores_the_secret(shop: Path) -> None:
    """A real terminal: the secret is not echoed, and goes to `.env` with mode 0600 only."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "osiris_lsp", "connections", "add", "mysql"]
        os.execv(sys.executable, command)
    answers = [
        ("alias", "second"),
        ("host", "db.example.com"),
        ("database", "shop"),
        ("user", "ann"),
        ("variable that holds it", ""),
        ("its value", "c4n4ry-in-env"),
        ("port [3306]", ""),
    ]
    shown = ""
    for prompt, answer in answers:
        shown = _until(terminal, f"{prompt}", shown)
        os.write(terminal, f"{answer}\n".encode())
    shown += _rest(terminal)
    os.waitpid(pid, 0)
    os.close(terminal)
    assert "c4n4ry" not in shown
    assert (shop / "osiris_connections.yaml").read_text() == FILE + (
        "    second:\n      host: db.example.com\n      database: shop\n      user: ann\n"
        "      password: ${MYSQL_SECOND_PASSWORD}\n"
    )
    env = shop / ".env"
    assert env.read_text() == "MYSQL_SECOND_PASSWORD=c4n4ry-in-env\n"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert (shop / ".gitignore").read_text() == ".env\n"


def _rest(terminal: int) -> str:
    """Read from a terminal until its program ends."""
    seen = b""
    while True:
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # so ends a terminal on Linux
            return seen.decode()


def _until(terminal: int, prompt: str, shown: str) -> str:
    """Read from a terminal until a prompt stands at its end."""
    end = time.monotonic() + 20
    seen = ""
    while time.monotonic() < end:
        tail = seen.rsplit("\n", 1)[-1]
        if prompt in tail and tail.endswith(": "):
            return shown + seen
        try:
            seen += os.read(terminal, 4096).decode()
        except OSError:
            break
    raise AssertionError(f"no `{prompt}` in {seen!r}")


@pytest.mark.inventory("S2-FUT-06")
def test_watch_prints_changes_and_writes_metrics(shop: Path) -> None:
    """The first round, then only what differs; the metrics file is always whole."""
    metrics = shop / "osiris.prom"
    command = [sys.executable, "-m", "osiris_lsp", "connections", "doctor", "--watch"]
    with subprocess.Popen(
        [*command, "--interval", "1", "--metrics-file", str(metrics)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _wait(metrics.exists)
        (shop / "gone").mkdir()
        _wait(lambda: 'up{family="filesystem",alias="gone"} 1' in metrics.read_text())
        process.send_signal(2)
        out, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert out.count("@filesystem.data") == 1
    assert "✗ @filesystem.gone" in out
    assert "✓ @filesystem.gone" in out
    text = metrics.read_text()
    assert '# TYPE osiris_connection_up gauge\nosiris_connection_up{family="filesystem"' in text
    assert 'osiris_connection_checks_total{family="filesystem",alias="gone",category="ok"}' in text


def _wait(condition: Any) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


@pytest.mark.inventory("S1-CONN020-05", "S1-CONN009-05")
def test_two_hundred_connections_with_black_holes(
    project: Path, mariadb: Server, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty hosts that drop packets delay nobody: all is done within 8 seconds."""
    with ExitStack() as stack:
        holes = [stack.enter_context(faults.black_hole()).port for _ in range(4)]
        lines = ["version: 1", "connections:", "  mysql:"]
        for number in range(110):
            port = holes[number % 4] if number < 20 else mariadb.port
            lines.append(
                f"    m{number}: {{host: 127.0.0.1, port: {port}, database: shop, user: reader, "
                "password: '${PASSWORD}'}"
            )
        lines.append("  postgres:")
        lines += [
            f"    p{number}: {{host: 127.0.0.1, port: {postgres.port}, database: shop, "
            "user: reader, password: '${PASSWORD}'}"
            for number in range(90)
        ]
        write(project, {"osiris_connections.yaml": "\n".join(lines) + "\n"})
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "osiris_lsp", "connections", "doctor", "--all", "--json",
             "--timeout", "2"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PASSWORD": mariadb.password},
        )  # fmt: skip
        spent = time.monotonic() - start
    found = json.loads(done.stdout)["connections"]
    codes = [item["details"].get("code", "ok") for item in found]
    assert codes == ["tcp.timeout"] * 20 + ["ok"] * 180
    assert spent < 8


LEAKY = """\
connections:
  mysql:
    a:
      host: ghp_TOKEN
      database: &d c4n4ry-c4n4ry-7
      password: *d
      user: reader
      extra:
        note: mysql -u root --password=c4n4ry-c4n4ry-8 shop
        other: ${OTHER_TOKEN}
        token: ${OTHER:c4n4ry-c4n4ry-9}
"""


@pytest.mark.parametrize("command", [["list"], ["list", "--json", "--full"], ["show", "@mysql.a"]])
def test_what_the_linter_would_mask_is_masked(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """In fields that no schema declares secret, and through aliases and variables, too."""
    monkeypatch.setenv("OTHER_TOKEN", "c4n4ry-c4n4ry-6")
    token = checked("ghp_")
    write(project, {"osiris_connections.yaml": LEAKY.replace("ghp_TOKEN", token)})
    result = run("connections", *command)
    assert (result.code, "c4n4ry" in result.out, token in result.out) == (0, False, False)
