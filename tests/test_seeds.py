"""The examples of the seed documents, with what the linter says of each."""

from pathlib import Path

import pytest

from osiris_lsp.project import open_project
from osiris_lsp.refs import parse_reference
from tests import golden
from tests.cli.conftest import write

STEP = """\
steps:
  - id: extract_users
    driver: mysql.extractor
    config:
      connection: "@mysql"
      table: users
"""


def _connections(body: str) -> str:
    lines = "".join(f"  {line}\n" for line in body.strip("\n").splitlines())
    return f"version: 1\nconnections:\n{lines}"


def _lint(folder: Path, files: dict[str, str], *ignore: str) -> list[str]:
    write(folder, files)
    (folder / ".git").mkdir(exist_ok=True)
    project = open_project(str(folder), overrides={"ignore": ("OSR118", *ignore)})
    return [finding.rule for finding in golden.lint_all(project)]


CONN_001 = """
mysql:
  default:
    host: localhost
    port: 3306
    database: mydb
    user: admin
    password: ${MYSQL_PASSWORD}
  production:
    host: prod-db.example.com
    port: 3306
    database: prod_db
    user: readonly
    password: ${MYSQL_PROD_PASSWORD}
"""


@pytest.mark.inventory("S1-CONN001-02", "S1-CONN001-03")
def test_the_example_of_conn_001_is_valid(tmp_path: Path) -> None:
    """Two mysql connections, the default by its name."""
    assert _lint(tmp_path, {"osiris_connections.yaml": _connections(CONN_001)}) == []


SKELETONS = [
    ("connections: {}\n", ["missing-version"]),
    ("version: 2\nconnections: {}\n", ["unsupported-version"]),
    ('version: "1"\nconnections: {}\n', ["unsupported-version"]),
    ("version: 1\n", ["missing-connections-root"]),
    ("version: 1\nconnections: []\n", ["missing-connections-root"]),
    ("version: 1\nconnections: {mysql: [a]}\n", ["wrong-type"]),
    ("version: 1\nconnections: {mysql: {a: 1}}\n", ["wrong-type"]),
    ("version: 1\nconnections: {mysql: }\n", ["empty-family"]),
    ("version: 1\nconnections: {duckdb: {a: }}\n", ["missing-field"]),
    ("version: 1\nversion: 1\nconnections: {}\n", ["duplicate-key"]),
    ("- a\n", ["missing-connections-root"]),
    ("null\n", ["missing-connections-root"]),
]


@pytest.mark.inventory("S1-CONN001-02", "R-29")
@pytest.mark.parametrize(("text", "rules"), SKELETONS)
def test_odd_skeletons_are_one_finding(tmp_path: Path, text: str, rules: list[str]) -> None:
    """Each odd shape of the file gives exactly one finding."""
    found = _lint(tmp_path, {"osiris_connections.yaml": text}, "no-default")
    assert found == rules


@pytest.mark.inventory("S1-CONN002-03", "S1-PAT-03")
@pytest.mark.parametrize(
    ("version", "rules"),
    [
        ('"2024-01"', []),
        ("2024-01", []),
        ("2024-01-01", ["ambiguous-scalar"]),
        ("v1", ["invalid-value"]),
    ],
)
def test_the_shopify_example(tmp_path: Path, version: str, rules: list[str]) -> None:
    """`2024-01` is a string for YAML 1.1 too; `2024-01-01` is a date."""
    body = f"""
shopify:
  default:
    shop_domain: mystore.myshopify.com
    access_token: ${{SHOPIFY_ACCESS_TOKEN}}
    api_version: {version}
"""
    assert _lint(tmp_path, {"osiris_connections.yaml": _connections(body)}) == rules


PATTERNS = {
    "S1-PAT-01": (
        "mysql: {default: {"
        "host: localhost, port: 3306, database: d, user: u, password: '${P}', "
        "charset: utf8mb4, ssl: false}}"
    ),
    "S1-PAT-02": (
        "supabase: {default: {"
        "url: 'https://x.supabase.co', service_role_key: '${K}', api_version: v1}}"
    ),
    "S1-PAT-03": (
        "shopify: {default: {"
        "shop_domain: x.myshopify.com, access_token: '${T}', api_version: '2024-01'}}"
    ),
    "S1-PAT-04": (
        "api: {default: {base_url: 'https://a.example.com', api_key: '${K}', timeout: 30}}"
    ),
    "S1-PAT-05": (
        "postgres: {default: {host: h.example.com, database: d, user: u, password: '${P}'}}"
    ),
    "S2-MYSQL-06": (
        "mysql: {default: {"
        "host: '${MYSQL_HOST:-localhost}', port: '${MYSQL_PORT:-3306}', "
        "database: '${D}', user: '${U:-root}', password: '${P}', connect_timeout: 10, "
        "read_timeout: 30}}"
    ),
    "S2-SUPA-05": (
        "supabase: {default: {"
        "url: '${SUPABASE_URL}', key: '${SUPABASE_SERVICE_ROLE_KEY}', timeout: 30, "
        "auto_refresh_token: true}}"
    ),
}


@pytest.mark.inventory(*PATTERNS)
@pytest.mark.parametrize("item", PATTERNS)
def test_the_patterns_of_the_seeds_are_valid(tmp_path: Path, item: str) -> None:
    """Each connection pattern of seeds 001 and 002 is clean."""
    assert _lint(tmp_path, {"osiris_connections.yaml": _connections(PATTERNS[item])}) == []


@pytest.mark.inventory("R-01", "S2-MYSQL-09")
def test_username_is_accepted_and_reported(tmp_path: Path) -> None:
    """Seed 002 writes `username`; the canonical name is `user`."""
    body = CONN_001.replace("user: admin", "username: admin")
    found = _lint(tmp_path, {"osiris_connections.yaml": _connections(body)})
    assert found == ["deprecated-field"]


@pytest.mark.inventory("S1-CONN003-01", "S1-CONN003-03", "S1-CONN003-04", "R-08", "R-09")
@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("", "", ["implicit-default"]),
        ("production:", "production:\n    default: true", ["implicit-default"]),
        ("  default:", "  main:", ["no-default", "no-default-connection"]),
        ("user: admin", "user: admin\n    default: yes", ["implicit-default"]),
        ("user: admin", 'user: admin\n    default: "yes"', ["wrong-type", "implicit-default"]),
    ],
)
def test_the_default_connection(tmp_path: Path, old: str, new: str, rules: list[str]) -> None:
    """`default: true` first, then the alias `default`, else `@mysql` finds nothing."""
    body = CONN_001.replace(old, new, 1) if old else CONN_001
    files = {"osiris_connections.yaml": _connections(body), "pipelines/a.yaml": STEP}
    assert _lint(tmp_path, files) == rules


@pytest.mark.inventory("S1-CONN003-04")
def test_a_step_says_driver_or_component(tmp_path: Path) -> None:
    """In the seed's spelling and in that of OML, its connection is looked at."""
    oml = 'oml_version: "0.1.0"\nname: shop\n' + STEP.replace(
        "driver: mysql.extractor\n", "component: mysql.extractor\n    mode: read\n"
    )
    for text in (STEP, oml):
        files = {"osiris_connections.yaml": _connections(CONN_001), "pipelines/a.yaml": text}
        assert _lint(tmp_path, files) == ["implicit-default"]
        files["pipelines/a.yaml"] = text.replace("@mysql", "@mysql.gone")
        assert _lint(tmp_path, files) == ["unknown-alias"]


@pytest.mark.inventory("S1-CONN003-01")
def test_two_defaults_are_an_error(tmp_path: Path) -> None:
    """The second flag is the mistake."""
    body = CONN_001.replace("port: 3306", "default: true")
    assert _lint(tmp_path, {"osiris_connections.yaml": _connections(body)}) == ["multiple-defaults"]


@pytest.mark.inventory(
    "S1-CONN004-01", "S1-CONN004-03", "S1-CONN004-04", "S1-CONN004-05", "S1-CONN004-06"
)
@pytest.mark.parametrize(
    ("reference", "rules"),
    [
        ("@mysql.default", []),
        ("@mysql.production", []),
        ("mysql.default", ["invalid-reference"]),
        ("@MySQL.Default", ["invalid-reference"]),
        ("@mysql-default", ["invalid-reference"]),
        ("@mysql.", ["invalid-reference"]),
        ("@", ["invalid-reference"]),
        ("@mysql.default.x", ["invalid-reference"]),
        ("@mysq.default", ["unknown-family-reference"]),
        ("@mysql.defautl", ["unknown-alias"]),
        ("${CONNECTION}", []),
    ],
)
def test_references_of_conn_004(tmp_path: Path, reference: str, rules: list[str]) -> None:
    """Right and wrong references of the contract, one finding each."""
    pipeline = STEP.replace("@mysql", reference)
    files = {"osiris_connections.yaml": _connections(CONN_001), "pipelines/a.yaml": pipeline}
    assert _lint(tmp_path, files) == rules


@pytest.mark.inventory("S1-CONN004-02")
def test_a_trailing_newline_is_no_part_of_a_reference() -> None:
    """The pattern is matched as a whole."""
    assert parse_reference("@mysql.default\n") is None
    assert str(parse_reference("@mysql.default")) == "@mysql.default"


@pytest.mark.inventory("S1-CONN001-01")
def test_a_reference_without_a_connections_file(tmp_path: Path) -> None:
    """It is said once, at the first reference."""
    found = _lint(
        tmp_path, {"pipelines/a.yaml": STEP + STEP.partition("\n")[2].replace("users", "b")}
    )
    assert found.count("missing-connections-file") == 1


@pytest.mark.inventory("S1-CONN007-03", "R-10")
@pytest.mark.parametrize("field", ["host", "database", "user", "password"])
def test_each_required_field_of_conn_007(tmp_path: Path, field: str) -> None:
    """A missing field is found at the alias, and the fix adds it."""
    body = "\n".join(line for line in CONN_001.splitlines() if f" {field}: " not in line)
    found = _lint(tmp_path, {"osiris_connections.yaml": _connections(body)})
    assert found == ["missing-field", "missing-field"]


@pytest.mark.inventory("S1-CONN008-01", "S1-CONN008-02", "R-11")
@pytest.mark.parametrize(
    ("port", "rules"),
    [
        ("3307", []),
        ("${PORT}", []),
        ('"${PORT:-3306}"', []),
        ('"3306"', ["wrong-type"]),
        ("3306.0", ["wrong-type"]),
        ("true", ["wrong-type"]),
        ("null", ["wrong-type"]),
        ("0", ["invalid-value"]),
        ("65536", ["invalid-value"]),
    ],
)
def test_the_port_of_conn_008(tmp_path: Path, port: str, rules: list[str]) -> None:
    """An integer from 1 to 65535, and no truth value."""
    body = CONN_001.replace("port: 3306", f"port: {port}", 1)
    assert _lint(tmp_path, {"osiris_connections.yaml": _connections(body)}) == rules


@pytest.mark.inventory("S1-CONN008-01", "S1-CONN008-03")
@pytest.mark.parametrize("host", ["127.0", "1", "null", "[a]"])
def test_the_host_of_conn_008(tmp_path: Path, host: str) -> None:
    """A host is a string."""
    body = CONN_001.replace("host: localhost", f"host: {host}")
    assert _lint(tmp_path, {"osiris_connections.yaml": _connections(body)}) == ["wrong-type"]


@pytest.mark.inventory("S1-CONN002-01")
def test_a_literal_secret_is_found(tmp_path: Path) -> None:
    """A password that is written out is an error, at the value."""
    body = CONN_001.replace("${MYSQL_PASSWORD}", "hunter2")
    assert _lint(tmp_path, {"osiris_connections.yaml": _connections(body)}) == ["plaintext-secret"]


@pytest.mark.inventory("S4-BP-03")
def test_a_literal_secret_of_a_client_is_found(tmp_path: Path) -> None:
    """Also where a client of a service is configured, below `auth`."""
    auth = "{type: oauth2, client_id: i, token_url: 'https://a.example.com/t', client_secret: %s}"
    for secret, rules in (("hunter2", ["plaintext-secret"]), ("'${SECRET}'", [])):
        body = f"api: {{default: {{base_url: 'https://a.example.com', auth: {auth % secret}}}}}"
        assert _lint(tmp_path, {"osiris_connections.yaml": _connections(body)}) == rules


@pytest.mark.inventory("S4-BP-02")
@pytest.mark.parametrize(("connect", "rules"), [(5, []), (30, []), (31, ["timeout-order"])])
def test_connecting_may_not_take_longer_than_all(
    tmp_path: Path, connect: int, rules: list[str]
) -> None:
    """A connect timeout above the total one is a warning."""
    body = (
        "api: {default: {base_url: 'https://a.example.com', timeout: 30, "
        f"connect_timeout: {connect}}}}}"
    )
    assert _lint(tmp_path, {"osiris_connections.yaml": _connections(body)}) == rules


@pytest.mark.inventory("S1-CONN017-02")
@pytest.mark.parametrize(
    "extra",
    ["ssl_cert: a.pem", "ssl_key: a.key", "ssl: false\n    ssl_ca: ca.pem"],
)
def test_incomplete_tls(tmp_path: Path, extra: str) -> None:
    """A certificate without a key, a key without a certificate, a CA without TLS."""
    body = CONN_001.replace("port: 3306", extra, 1)
    assert "incomplete-tls" in _lint(tmp_path, {"osiris_connections.yaml": _connections(body)})


@pytest.mark.inventory("R-05")
def test_defaults_of_variables_in_the_runtime_profile(tmp_path: Path) -> None:
    """The existing runtime cannot read `${VAR:-default}`."""
    body = CONN_001.replace("host: localhost", "host: ${H:-localhost}")
    write(tmp_path, {"osiris-lsp.toml": 'profile = "osiris-runtime"\n'})
    files = {"osiris_connections.yaml": _connections(body)}
    assert _lint(tmp_path, files) == ["variable-default-unsupported"]
