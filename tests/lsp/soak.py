"""What the soak test types, and what it expects to see: texts, pieces of text, and an oracle."""

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from osiris_lsp.engine import Linter
from osiris_lsp.project import Project, open_project
from osiris_lsp.reports.record import Recorder
from tests.lsp.conftest import CONNECTIONS, PIPELINE

Found = list[tuple[Any, ...]]
"""Diagnostics as `(line, character, end line, end character, code, severity, message)`."""

SPEC: Final = """\
name: acme.loader
version: "1.0.0"
modes: [write]
capabilities: {}
configSchema:
  type: object
  properties:
    connection: {type: string}
    table: {type: string}
    batch: {type: integer, minimum: 1}
  required: [table]
  additionalProperties: false
x-family: mysql
"""

LOADER: Final = """\
oml_version: "0.1.0"
name: load
steps:
  - {id: read, component: mysql.extractor, mode: read, config: {query: "SELECT 1"}}
  - id: load  # osiris: ignore[unknown-config-key] ours
    component: acme.loader
    mode: write
    needs: [read]
    config: {connection: "@mysql.replica", table: t, batch: ten, tabel: u}
"""

LEGACY: Final = """\
version: 1
name: Old 😀
steps:
  - id: a
    type: sql
    config: {connection: "@duckdb.local", path: ../x}
  - id: b
    driver: mysql.extractor
    config: {connection: '@mysql', query: DROP TABLE t}
"""

STORES: Final = """\
version: 1
connections:
  mysql: &one
    only: {host: h, user: u, password: "p4ss 😀 w0rd", database: d, ssl: false}
    replica: {host: "${HOST:-h}", user: u, passwort: x}
  postgresql:
    main: {dsn: "postgres://u:pw@h/d", port: "${PORT}"}
  duckdb: {local: {path: "${SOAK_PATH}"}, other: {path: x}}
"""

FAMILY: Final = "version: 1\nconnections: {duckdb: {local: {path: x}}}\n"

# Each file, and what may stand in it on disk; the first is there at the start.
FILES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "osiris_connections.yaml": (
        CONNECTIONS,
        STORES,
        FAMILY,
        STORES.replace("\n", "\r\n"),
        "connections: [",
        None,
    ),
    "pipelines/orders.yaml": (PIPELINE, LOADER, PIPELINE.replace("default", "replica"), None),
    "pipelines/load.yaml": (LOADER, LEGACY, LOADER.replace("\n", "\r\n"), "other: 1\n", None),
    "pipelines/old.yml": (LEGACY, PIPELINE.replace("mysql", "duckdb"), LOADER, None),
    "pipelines/new.yaml": (None, PIPELINE.replace("@mysql.default", "@duckdb.other"), LOADER),
    "pipelines/osiris_connections.yaml": (None, FAMILY, STORES),
    "components/acme.loader/spec.yaml": (
        SPEC,
        SPEC.replace("integer", "string"),
        SPEC.replace("tabl", "tabel"),
        "name: [",
        None,
    ),
    ".env": ("SOAK_PATH=x\n", "PORT=1\nREPLICA_PASSWORD='😀'\n", None),
    "osiris-lsp.toml": (
        None,
        "check-env = true\n",
        'ignore = ["unused-connection"]\nseverity = { unknown-field = "error" }\n',
        'profile = "osiris-runtime"\n',
        'exclude = ["pipelines/old.yml"]\ncheck-env = true\n',
        "check-env = ",
    ),
    ".gitignore": (None, "pipelines/load.yaml\n", ""),
}

# What an editor opens: files, and a document that is in no file.
UNTITLED: Final = "untitled:Untitled-1"
OPENED: Final = (*(name for name in FILES if name != ".gitignore"), UNTITLED)

# What is typed or pasted anywhere.
PIECES: Final = (
    *"\n :-#'\"[]{},&*@|>!$x1\t",
    *("😀", "\r\n", "\n\n", "\u2028", "\ufeff", "é́", "\r", "  ", "\n  ", "\n    - ", ": ", "~"),
    *(
        "@mysql.default",
        "@mysql.replica",
        "@duckdb",
        '"@duckdb.other"',
        "@postgres.main",
        "${PORT}",
    ),
    *("${SOAK_PATH}", "${", "- id: z\n    component: duckdb.writer\n", "      password: hunter2\n"),
    *("oml_version: '0.1.0'\n", "steps:\n", "connections:\n", "    port: yes\n", "\n---\n"),
    *(
        "# osiris: ignore\n",
        "  # osiris: off\n",
        "# osiris: kind=pipeline\n",
        "&a ",
        "*a",
        "<<: *a",
    ),
    *(
        "default: true\n",
        "\n    spare: {host: h}\n",
        "mode: read",
        "needs: [read]",
        "mysql",
        "duckdb",
    ),
    "  - id: more\n    component: mysql.writer\n    mode: write\n    config: {table: t}\n",
    "  shopify:\n    shop: {shop_domain: a.myshopify.com, access_token: shpat_x}\n",
    "|\n        SELECT *\n        FROM t\n",
)

# Names that are put for one another.
WORDS: Final = ("default", "replica", "local", "other", "main", "mysql", "duckdb", "postgres")


def position(text: str, offset: int, encoding: str) -> tuple[int, int]:
    """Return the line and the character of an offset, in the units of a client."""
    breaks = list(re.finditer(r"\r\n|\n|\r", text[:offset]))
    line = text[breaks[-1].end() if breaks else 0 : offset]
    if encoding == "utf-32":
        return len(breaks), len(line)
    if encoding == "utf-8":
        return len(breaks), len(line.encode())
    return len(breaks), len(line.encode("utf-16-le")) // 2


def expected(root: str, path: str, texts: Mapping[str, str], encoding: str) -> Found:
    """Return what a fresh lint finds in a file; `texts` are what an editor holds of any file."""
    project = open_project(
        os.path.dirname(path), fallback=root, overlay=dict(texts), environment=os.environ
    )
    document = project.open(path)
    if document is None or project.is_excluded()(path):
        return []
    report = Linter(project).lint(document)
    assert not report.crashes, report.crashes
    text = document.text
    found: Found = []
    records = Recorder(project, root).records(document, report.findings)
    for finding, record in zip(report.findings, records, strict=True):
        start, end = (position(text, at, encoding) for at in finding.span)
        found.append((*start, *end, record.code, record.severity, record.message))
    return found


def closed_files(root: str, texts: Mapping[str, str]) -> list[str]:
    """Return the files of the project that no editor has open."""
    project: Project = open_project(root, fallback=root, overlay=dict(texts))
    return [path for path in project.files(root) if path not in texts]
