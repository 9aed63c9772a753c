"""Steps: the connection is resolved before the driver runs."""

import ast
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import ConnectionResolver, ResolvedConnection, run_step, session
from osiris_lsp.connectors.examples import sql_extractor
from osiris_lsp.connectors.examples.sql_extractor import SQLExtractor
from osiris_lsp.connectors.runner import connection_of
from osiris_lsp.lsp.server import Server as LanguageServer
from tests.connectors.clients.sql.conftest import SERVERS, Place, account
from tests.services.processes import Server

FILE = """\
version: 1
connections:
  mysql:
    default:
      host: localhost
      port: ${DB_PORT}
      database: mydb
      user: admin
      password: ${DB_PASSWORD}
      ssl: {ca: certs/ca.pem}
      default: true
  sqlite:
    local: {path: data/local.sqlite}
    memory: {path: ":memory:"}
"""


class Recorder:
    """A driver that notes what it is given."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def run(
        self, *, step_id: str, config: dict[str, Any], inputs: Mapping[str, Any], ctx: Any
    ) -> str:
        """Note it."""
        self.given = {"step_id": step_id, "config": config, "inputs": inputs, "ctx": ctx}
        return "ran"


@pytest.fixture
def resolve(tmp_path: Path) -> Callable[[str], ResolvedConnection]:
    """The resolver of a file."""
    file = tmp_path / "osiris_connections.yaml"
    file.write_text(FILE)
    variables = {"DB_PORT": "3307", "DB_PASSWORD": "s3cr3t-c4nary"}
    return ConnectionResolver(str(file), environment=variables).resolve


@pytest.mark.inventory("S1-CONN005-01", "S1-CONN005-02", "S1-CONN006-01", "S1-CONN006-02")
@pytest.mark.inventory("S1-CONN006-03", "S1-CONN006-06")
def test_a_driver_gets_its_connection(
    tmp_path: Path, resolve: Callable[[str], ResolvedConnection]
) -> None:
    """A plain dict with all fields; the reference stays, and the step is not changed."""
    driver = Recorder()
    step = {"id": "extract", "config": {"connection": "@mysql.default", "query": "SELECT 1"}}
    assert run_step(step, driver, resolve=resolve, inputs={"a": 1}, ctx="c") == "ran"
    found = driver.given["config"].pop("resolved_connection")
    assert driver.given == {
        "step_id": "extract",
        "config": {"connection": "@mysql.default", "query": "SELECT 1"},
        "inputs": {"a": 1},
        "ctx": "c",
    }
    assert isinstance(found, dict)
    assert (
        found
        == json.loads(json.dumps(found))
        == {
            "family": "mysql",
            "alias": "default",
            "host": "localhost",
            "port": 3307,
            "database": "mydb",
            "user": "admin",
            "password": "s3cr3t-c4nary",
            "ssl": {"ca": str(tmp_path / "certs" / "ca.pem")},
        }
    )
    assert "c4nary" not in f"{found!r} {found} {driver.given!r}"
    assert step["config"] == {"connection": "@mysql.default", "query": "SELECT 1"}


@pytest.mark.inventory("S1-CONN006-01")
def test_paths_are_absolute(tmp_path: Path, resolve: Callable[[str], ResolvedConnection]) -> None:
    """They count from the connections file, which a driver does not know."""
    driver = Recorder()
    found = []
    for alias in ("local", "memory"):
        run_step({"id": "x", "config": {"connection": f"@sqlite.{alias}"}}, driver, resolve=resolve)
        found.append(driver.given["config"]["resolved_connection"]["path"])
    assert found == [str(tmp_path / "data" / "local.sqlite"), ":memory:"]


@pytest.mark.inventory("S1-CONN005-03")
def test_a_step_without_a_connection() -> None:
    """It is passed on as it is, and nothing is resolved."""
    driver = Recorder()

    def refuse(reference: str) -> ResolvedConnection:
        pytest.fail(f"resolved {reference}")

    run_step({"id": "x", "config": {"path": "a.csv"}}, driver, resolve=refuse)
    assert driver.given["config"] == {"path": "a.csv"}
    run_step({"id": "x"}, driver, resolve=refuse)
    assert driver.given["config"] == {}
    with pytest.raises(ValueError, match="a step has no `id`"):
        run_step({"config": {}}, driver, resolve=refuse)


@pytest.mark.inventory("S1-CONN005-01")
def test_a_driver_is_not_called_for_an_unknown_connection(
    resolve: Callable[[str], ResolvedConnection],
) -> None:
    """The error of resolving comes first."""
    driver = Recorder()
    with pytest.raises(KeyError, match="prod"):
        run_step({"id": "x", "config": {"connection": "@mysql.prod"}}, driver, resolve=resolve)
    assert driver.given == {}


@pytest.mark.inventory("S1-CONN006-04", "S1-CONN005-05")
@pytest.mark.parametrize("config", [{}, {"resolved_connection": {}}])
def test_a_driver_without_its_connection(config: dict[str, Any]) -> None:
    """It says so, whichever step it is."""
    said = r"^Step extract: 'resolved_connection' is required$"
    with pytest.raises(ValueError, match=said):
        connection_of(config, "extract")
    with pytest.raises(ValueError, match=said):
        SQLExtractor().run(step_id="extract", config=config, inputs={}, ctx=None)


@pytest.mark.inventory("S1-CONN005-04", "S1-CONN005-05")
def test_the_example_resolves_nothing_itself() -> None:
    """No `run` of the example's drivers asks a resolver or the environment."""
    tree = ast.parse(inspect.getsource(sql_extractor))
    runs = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "run"
    ]
    assert len(runs) == 1
    words = {
        getattr(node, "attr", None) or getattr(node, "id", None)
        for run in runs
        for node in ast.walk(run)
    }
    assert "connection_of" in words
    assert words.isdisjoint(
        {"resolve", "resolve_connection", "ConnectionResolver", "environ", "os"}
    )


@pytest.fixture(params=SERVERS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """An account on each server."""
    server: Server = request.getfixturevalue({"mysql": "mariadb"}.get(request.param, request.param))
    with account(request.param, server) as found:
        yield found


def connections_file(place: Place, folder: Path) -> Path:
    """A file with the connection of an account, which comes from a variable where it is secret."""
    fields = {**place.config, "password": "${DB_PASSWORD}"}
    lines = [f"      {name}: {value}" for name, value in fields.items() if name != "family"]
    file = folder / "osiris_connections.yaml"
    text = f"version: 1\nconnections:\n  {place.family}:\n    default:\n"
    file.write_text(text + "\n".join(lines) + "\n")
    return file


@pytest.mark.inventory("S1-CONN013-01", "S1-CONN014-01", "S1-CONN014-03", "S2-BP-06")
def test_steps_share_a_connection(place: Place, tmp_path: Path) -> None:
    """Three steps have one session on the server, and none after the end."""
    file = connections_file(place, tmp_path)
    variables = {"DB_PASSWORD": place.config["password"]}
    resolve = ConnectionResolver(str(file), environment=variables).resolve
    driver = SQLExtractor()
    config = {"connection": f"@{place.family}.default", "query": "SELECT count(*) AS n FROM orders"}
    for number in range(3):
        result = run_step({"id": f"s{number}", "config": config}, driver, resolve=resolve)
        assert result == {"rows": [{"n": 3}]}
        assert len(place.sessions()) == 1
    session.cleanup_session()
    place.wait_for_sessions(0)


@pytest.mark.inventory("S1-CONN005-05", "S1-CONN014-03")
def test_the_example_runs(place: Place, tmp_path: Path) -> None:
    """As its page says."""
    connections_file(place, tmp_path)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "osiris_lsp.connectors.examples.sql_extractor"),
            *(f"@{place.family}.default", "SELECT id, customer FROM orders WHERE id < 3"),
        ],
        cwd=tmp_path,
        env={**os.environ, "DB_PASSWORD": place.config["password"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("1\tAda\n2\tŽofie 🛒\n", "")
    place.wait_for_sessions(0)


@pytest.mark.inventory("S1-CONN014-03")
def test_the_language_server_closes_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it ends."""
    ended: list[object] = []

    class Pool:
        def close(self) -> None:
            ended.append("closed")

    server = LanguageServer()
    session.DEFAULT.shared("sql", {"family": "none"}, Pool)
    monkeypatch.setattr(os, "_exit", ended.append)
    server._exit()
    assert ended == ["closed", 1]
