"""Real files: no false alarm, and one mistake of each rule is found where it is."""

import shutil
from pathlib import Path

import pytest

from osiris_lsp.project import open_project
from tests import corpus, golden

pytestmark = corpus.needs_shared


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the corpus with the connections file that its pipelines need."""
    for name in ("components", "pipelines", "legacy"):
        shutil.copytree(corpus.SHARED / name, tmp_path / name)
    shutil.copy(corpus.SHARED / "connections.shopify.example.yaml", tmp_path)
    shutil.copy(corpus.SHARED / "osiris.filesystem.yaml", tmp_path)
    (tmp_path / "osiris_connections.yaml").write_text(corpus.CONNECTIONS)
    (tmp_path / ".git").mkdir()
    return tmp_path


def _found(folder: Path) -> list[str]:
    project = open_project(str(folder))
    return golden.show(golden.lint_all(project), project, folder).splitlines()


def test_the_corpus_has_no_false_alarm(project: Path) -> None:
    """Five pipelines and ten component specs are clean; the legacy files are legacy."""
    heads = [line for line in _found(project) if not line.startswith("  ")]
    places = [(line.split(":")[0], line.split()[2]) for line in heads]
    assert places == [
        ("legacy/broken.yaml", "OSR208"),
        ("legacy/broken.yaml", "OSR208"),
        ("legacy/unfixable.yaml", "OSR208"),
        ("legacy/unfixable.yaml", "OSR208"),
        ("legacy/unfixable.yaml", "OSR208"),
        ("legacy/unfixable.yaml", "OSR208"),
        ("legacy/unfixable.yaml", "OSR301"),
        ("legacy/valid.yaml", "OSR208"),
        ("legacy/valid.yaml", "OSR208"),
    ]


def test_builtin_components_serve_without_specs(project: Path) -> None:
    """The same pipelines are clean without the project's own component specs."""
    shutil.rmtree(project / "components")
    assert not [line for line in _found(project) if line.startswith("pipelines/")]


CSV = "mysql_to_local_csv_all_tables.yaml"
SUPABASE = "mysql_to_supabase_all_tables.yaml"
DEMO = "mysql_duckdb_supabase_demo.yaml"
REFERENCE = '"@mysql.db_movies"'

MISTAKES = [
    (CSV, 'oml_version: "0.1.0"', "oml_version: 0.1", "1:14-1:17", "OSR203"),
    (CSV, "component: mysql.extractor", "component: mysql.extractr", "6:14-6:28", "OSR210"),
    (CSV, "mode: read", "mode: extract", "7:9-7:16", "OSR212"),
    (CSV, "mode: read", "mode: write", "7:9-7:14", "OSR213"),
    (CSV, REFERENCE, '"@mysql.db_movie"', "9:17-9:34", "OSR219"),
    (CSV, REFERENCE, '"@mysq.db_movies"', "9:17-9:34", "OSR218"),
    (CSV, REFERENCE, '"mysql.db_movies"', "9:17-9:34", "OSR215"),
    (CSV, REFERENCE, '"@supabase.main"', "9:17-9:33", "OSR221"),
    (CSV, REFERENCE, "@mysql.db_movies", "9:17-9:33", "OSR004"),
    (CSV, "SELECT * FROM actors", "DELETE FROM actors", "10:13-10:19", "OSR236"),
    (CSV, "    query:", "    qery:", "10:5-10:9", "OSR222"),
    (CSV, '[ "extract-actors" ]', '[ "extract-actor" ]', "15:12-15:27", "OSR228"),
    (CSV, "header: true", 'header: "yes"', "19:13-19:18", "OSR224"),
    (CSV, 'encoding: "utf-8"', 'encoding: "utf-9"', "20:15-20:22", "OSR239"),
    (SUPABASE, 'write_mode: "append"', 'write_mode: "upsert"', "23:17-23:25", "OSR230"),
    (DEMO, "FROM input_df", "FROM inputs_df", "62:12-62:21", "OSR237"),
    (DEMO, "name: mysql-duckdb", "name: MySQL duckdb", "17:7-17:33", "OSR205"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "place", "code"), MISTAKES)
def test_a_planted_mistake_is_found_at_its_characters(
    project: Path, name: str, old: str, new: str, place: str, code: str
) -> None:
    """One change to a real pipeline gives one finding, at the right line and columns."""
    path = project / "pipelines" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    heads = [
        line.split(" ", 3)[:3]
        for line in _found(project)
        if line.startswith(f"pipelines/{name}") and " hint " not in line
    ]
    assert [(head[0].split(":", 1)[1], head[2]) for head in heads] == [(place, code)]


CONNECTION_MISTAKES = [
    ("version: 1", "# none", "2:1-2:12", "OSR102"),
    ("version: 1", "version: 2", "1:10-1:11", "OSR103"),
    ("connections:", "conections:", "2:1-2:11", "OSR104"),
    ("  mysql:", "  mysqll:", "3:3-3:9", "OSR105"),
    ("    db_movies:", "    DB-movies:", "4:5-4:14", "OSR107"),
    ("      user: reader\n", "", "4:5-4:14", "OSR109"),
    ("database: movies", "database: movies\n      port: '3306'", "7:13-7:19", "OSR110"),
    ("database: movies", "database: movies\n      port: 99999", "7:13-7:18", "OSR111"),
    ("database: movies", "database: movies\n      charst: utf8mb4", "7:7-7:13", "OSR112"),
    ("user: reader", "username: reader", "7:7-7:15", "OSR113"),
    ("database: movies", "database: movies\n      unix_socket: /run/x", "5:7-5:11", "OSR114"),
    ("    main:", "    main:\n      timeout: 1\n      connect_timeout: 5", "13:7-13:22", "OSR112"),
    ("database: movies", "database: movies\n      database: films", "7:7-7:15", "OSR005"),
    ("database: movies", "database: 010", "6:17-6:20", "OSR006"),
    ("${MYSQL_PASSWORD}", "hunter2", "8:17-8:24", "OSR301"),
    ("${MYSQL_PASSWORD}", "${MYSQL-PASSWORD}", "8:17-8:34", "OSR401"),
    ("${MYSQL_PASSWORD}", "@${MYSQL_PASSWORD}", "8:17-8:35", "OSR004"),
    ("database: movies", "database: movies\n      ssl_cert: a.pem", "7:7-7:15", "OSR404"),
    ("https://abc.supabase.co", "http://abc.supabase.co", "12:12-12:19", "OSR403"),
    ("user: reader", "user: reader # osiris: ignore[OSR999]", "7:37-7:43", "OSR902"),
    ("user: reader", "user: reader # osiris: ignore[OSR110]", "7:20-7:44", "OSR901"),
]


@pytest.mark.parametrize(("old", "new", "place", "code"), CONNECTION_MISTAKES)
def test_a_mistake_in_the_connections_is_found_at_its_characters(
    project: Path, old: str, new: str, place: str, code: str
) -> None:
    """One change to the connections gives one finding there, at the right line and columns."""
    assert old in corpus.CONNECTIONS
    path = project / "osiris_connections.yaml"
    path.write_text(corpus.CONNECTIONS.replace(old, new, 1))
    heads = [
        line.split(" ", 3)[:3]
        for line in _found(project)
        if line.startswith("osiris_connections.yaml") and " hint " not in line
    ]
    assert [(head[0].split(":", 1)[1], head[2]) for head in heads] == [(place, code)]
