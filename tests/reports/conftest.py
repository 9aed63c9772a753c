"""A small project with every kind of finding, and reports about it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from osiris_lsp import __version__
from tests.cli.conftest import Result, Run, project, run, write

__all__ = ["project", "run"]

CANARY = "c4nary-Pa55-w0rd"

CONNECTIONS = f"""\
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      port: "3306"
      database: shop
      user: reader
      password: {CANARY} # made up for this test
      default: true
    old: # osiris: ignore[unused-connection] kept, {CANARY} opens it
      host: old.example.com
      database: shop
      user: reader
      password: ${{MYSQL_OLD_PASSWORD}}
"""

PIPELINE = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: "größe-50%,a:b;c]"
    component: mysql.extractor
    mode: read
    config: {table: "漢😀", connection: "@mysql.defalt"}
  - id: sum-<orders>
    component: duckdb.processor
    mode: transform
    needs: [sum-<order>]
    config:
      query: SELECT 1
"""

GOLDEN = Path(__file__).parent / "golden"

Report = Callable[..., Result]
Golden = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """What CI systems say of themselves is for the tests to set."""
    names = ("GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY")
    for name in names:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def report(project: Path, run: Run) -> Report:
    """Lint the project in a format; no report shows the secret of the project."""
    write(project, {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": PIPELINE})

    def call(form: str, *args: str) -> Result:
        result = run("lint", "--format", form, *args)
        assert CANARY not in result.out + result.err
        return result

    return call


@pytest.fixture
def clean(project: Path, run: Run) -> Report:
    """Lint a project without findings in a format."""
    return lambda form: run("lint", "--format", form)


@pytest.fixture
def golden(update: bool) -> Golden:
    """Compare a text with a golden file, or write it with `--update`."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        shown = text.replace(__version__, "VERSION") if name.startswith("sarif") else text
        if update:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(shown.encode())
        assert shown == path.read_bytes().decode()

    return check
