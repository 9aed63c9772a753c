"""Projects behind open documents: changes on disk, unsaved files, files that nobody has open."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import osiris_lsp.project
from osiris_lsp.discovery import walk
from osiris_lsp.lsp.projects import Projects
from osiris_lsp.project import Project
from tests.cli.conftest import write
from tests.lsp.conftest import CONNECTIONS, PIPELINE
from tests.lsp.session import Client, Session

Begin = Callable[[Client], Session]
ORDERS = "pipelines/orders.yaml"


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Start a server for a client in a project."""
    started: list[Session] = []
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    write(folder, {"osiris_connections.yaml": CONNECTIONS, ORDERS: PIPELINE})

    def start(client: Client) -> Session:
        started.append(Session(client, folder))
        return started[-1]

    yield start
    for session in started:
        session.kill()


def codes(session: Session, name: str) -> list[Any]:
    """Return the codes that are shown for a file, after comparing them with those of the shell."""
    session.compare()
    return sorted({item[4] for item in session.shown(name)})


@pytest.mark.parametrize("pulls", [True, False])
def test_who_cannot_watch_files_is_told_nevertheless(begin: Begin, pulls: bool) -> None:
    """Of other connections, another one nearer by, components, settings and other pipelines."""
    session = begin(Client(pulls, False, "utf-16"))
    session.open_document(ORDERS, PIPELINE)
    session.open_document("osiris_connections.yaml", CONNECTIONS)
    assert codes(session, ORDERS) == []
    assert codes(session, "osiris_connections.yaml") == ["OSR116", "OSR118"]
    session.write("pipelines/osiris_connections.yaml", "version: 1\nconnections: {}\n")
    assert codes(session, ORDERS) == ["OSR218"]
    session.write("pipelines/osiris_connections.yaml", None)
    assert codes(session, ORDERS) == []
    session.write("pipelines/b.yaml", PIPELINE.replace("@mysql.default", "@mysql.replica"))
    session.write("pipelines/c.yaml", PIPELINE.replace("@mysql.default", "@duckdb.local"))
    assert codes(session, "osiris_connections.yaml") == ["OSR116"]
    session.write("osiris-lsp.toml", 'ignore = ["no-default"]\n')
    assert codes(session, "osiris_connections.yaml") == []
    session.write("osiris-lsp.toml", 'ignore = ["ALL"]\nselect = ["unused-connection"]\n')
    session.write("pipelines/c.yaml", None)
    session.close("osiris_connections.yaml")
    session.write("osiris_connections.yaml", "version: 1\nconnections: {}\n")
    session.write("osiris-lsp.toml", None)
    assert codes(session, ORDERS) == ["OSR218"]
    assert session.said() == ""


def test_an_env_file_counts_before_it_is_saved(begin: Begin) -> None:
    """For `unset-variable`; once it is closed the disk counts again."""
    session = begin(Client(True, True, "utf-16"))
    session.write("osiris-lsp.toml", "check-env = true\n")
    session.open_document("osiris_connections.yaml", CONNECTIONS)
    assert "OSR405" in codes(session, "osiris_connections.yaml")
    session.open_document(".env", "MYSQL_DEFAULT_PASSWORD=x\nREPLICA_PASSWORD=y\n")
    assert "OSR405" not in codes(session, "osiris_connections.yaml")
    session.close(".env")
    assert "OSR405" in codes(session, "osiris_connections.yaml")


def test_settings_count_before_they_are_saved(begin: Begin) -> None:
    """Whoever edits them in the same editor sees at once what they do."""
    session = begin(Client(False, True, "utf-16"))
    session.write("osiris-lsp.toml", "")
    session.open_document("osiris_connections.yaml", CONNECTIONS)
    assert codes(session, "osiris_connections.yaml") == ["OSR116", "OSR118"]
    session.open_document("osiris-lsp.toml", 'ignore = ["no-default"]\n')
    assert codes(session, "osiris_connections.yaml") == ["OSR118"]


def test_files_that_nobody_has_open_are_shown_on_wish_only(begin: Begin) -> None:
    """What was published of them goes away with the wish, and with the file."""
    session = begin(Client(False, True, "utf-16"))
    session.write(ORDERS, PIPELINE.replace("@mysql.default", "@mysql.none"))
    session.write("pipelines/b.yaml", PIPELINE.replace("@mysql.default", "@mysql.no"))
    session.configure("workspace")
    assert codes(session, ORDERS) == ["OSR219"]
    assert codes(session, "pipelines/b.yaml") == ["OSR219"]
    session.write("pipelines/b.yaml", None)
    assert codes(session, "pipelines/b.yaml") == []
    session.open_document(ORDERS, PIPELINE)
    assert codes(session, ORDERS) == []
    session.close(ORDERS)
    assert codes(session, ORDERS) == ["OSR219"]
    session.configure("openFiles")
    assert codes(session, ORDERS) == []


def test_a_closed_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    """References in a whole project do not cost the whole disk each time."""
    write(tmp_path, {"osiris_connections.yaml": CONNECTIONS, ORDERS: PIPELINE})
    path = str(tmp_path / ORDERS)
    state = Projects().of(path)
    first = state.closed(path)
    assert first is not None
    assert state.closed(path) is first
    (tmp_path / ORDERS).write_text(PIPELINE.replace("orders", "items"))
    second = state.closed(path)
    assert second is not None
    assert "items" in second.text


def test_what_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    """A request in a thread reads a file; meanwhile the editor says that it has changed."""
    write(tmp_path, {"osiris_connections.yaml": CONNECTIONS})
    path = str(tmp_path / "osiris_connections.yaml")

    class Changing(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            before = super().get(key, default)
            if key == path and before == CONNECTIONS:
                self[path] = "version: 1\nconnections: {}\n"
                project.forget(path)
            return before

    project = Project(str(tmp_path), overlay=Changing({path: CONNECTIONS}))
    first = project.connections_for(path)
    assert first is not None
    assert len(first.connections) == 3
    second = project.connections_for(path)
    assert second is not None
    assert not second.connections


@pytest.mark.parametrize("watched", [True, False])
def test_many_files_are_not_looked_at_for_each_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watched: bool
) -> None:
    """Of connections; where nobody says what changes on disk, they are looked at once a second."""
    pipelines = {f"pipelines/p{number}.yaml": PIPELINE for number in range(300)}
    write(tmp_path, {"osiris_connections.yaml": CONNECTIONS, **pipelines})
    path = str(tmp_path / "osiris_connections.yaml")
    looked: list[str] = []
    now = 100.0
    monkeypatch.setattr(osiris_lsp.project, "monotonic", lambda: now)

    def noted(*given: Any) -> Iterator[str]:
        looked.append(given[0])
        return walk(*given)

    monkeypatch.setattr(osiris_lsp.project, "walk", noted)

    async def unused(projects: Projects, text: str) -> list[str]:
        projects.put(path, text)
        state = projects.of(path)
        await asyncio.sleep(0)  # the end of what is done without a pause
        document = state.project.open(path, text)
        assert document is not None
        found = state.linter.lint(document, again=True).findings
        return [item.message.split("`")[1] for item in found if item.code == "OSR118"]

    async def edit() -> None:
        nonlocal now
        projects = Projects()
        projects.is_watched = watched
        all_unused = ["@mysql.replica", "@duckdb.local"]
        for number in range(10):
            assert await unused(projects, f"{CONNECTIONS}# {number}\n") == all_unused
        assert len(looked) == 1
        orders = tmp_path / "pipelines/p7.yaml"
        orders.write_text(PIPELINE.replace("@mysql.default", "@mysql.replica"))
        now += 1
        if watched:
            projects.changed(str(orders))
        for number in range(10):
            assert await unused(projects, f"{CONNECTIONS}# {number}\n") == ["@duckdb.local"]
        assert len(looked) == 2

    asyncio.run(edit())


def test_an_answer_in_between_hides_no_change(tmp_path: Path) -> None:
    """A request in a thread asks who uses connections, before others are told that this changed."""
    write(tmp_path, {"osiris_connections.yaml": CONNECTIONS, ORDERS: PIPELINE})
    path = str(tmp_path / "osiris_connections.yaml")
    projects = Projects()
    projects.is_watched = True
    state = projects.of(path)
    connections = state.project.connections_for(path)
    assert connections is not None
    before = state.project.users(connections)
    generation = state.generation
    projects.put(str(tmp_path / "new.yaml"), PIPELINE.replace("@mysql.default", "@mysql.replica"))
    assert state.project.users(connections) != before
    projects.settle()
    assert state.generation > generation
    generation = state.generation
    state.project.users(connections)
    projects.changed(str(tmp_path / "new.yaml"))
    projects.settle()
    assert state.generation == generation
