"""From a reference to values: defaults, variables, stores, types, and errors that help."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.connectors import (
    ConnectionResolver,
    ConnectorConfigError,
    CredentialError,
    ResolvedConnection,
    resolve,
    resolve_env_vars,
)
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.project import open_project
from osiris_lsp.secret import Secret

FILE = """\
version: 1
connections:
  mysql:
    default:
      host: ${MYSQL_HOST:-localhost}
      port: ${MYSQL_PORT:-3306}
      database: ${MYSQL_DATABASE}
      username: ${MYSQL_USER:-root}
      password: ${MYSQL_PASSWORD}
      ssl: ${MYSQL_SSL:-false}
      default: true
      description: for people
    production:
      host: prod-db.example.com
      database: prod_db
      user: readonly
      password: ${MYSQL_PROD_PASSWORD}
      replicas: ["${REPLICA}:3307", {host: "r2", port: 3308}]
  postgres:
    one: {host: a, database: b, user: c, password: ""}
    two: {host: a, database: b, user: c, password: ""}
  api:
    default:
      base_url: https://${API_HOST}/v1
      headers: {X-Key: "Bearer ${API_KEY}", X-Tenant: acme}
      auth: {type: basic, user: ann, password: "$${no}${API_KEY}"}
"""
ENVIRONMENT = {
    "MYSQL_DATABASE": "shop",
    "MYSQL_PASSWORD": "p@ss/w:rd#1%",
    "MYSQL_PROD_PASSWORD": "other",
    "REPLICA": "r1",
    "API_HOST": "api.example.com",
    "API_KEY": "k3y",
}


@pytest.fixture
def resolver(tmp_path: Path) -> ConnectionResolver:
    """The resolver of the file above."""
    return _resolver(tmp_path, FILE)


def _resolver(folder: Path, text: str, **more: str) -> ConnectionResolver:
    path = folder / "osiris_connections.yaml"
    path.write_text(text)
    return ConnectionResolver(str(path), environment={**ENVIRONMENT, **more})


@pytest.mark.inventory(
    "S1-CONN003-02", "S1-CONN003-03", "S1-CONN006-01", "S1-CONN006-02",
    "S1-CONN006-03", "S1-CONN006-05", "S1-CONN006-06", "S2-RES-01", "S2-RES-02", "S2-RES-08",
    "S2-MYSQL-06", "S2-MYSQL-07", "S2-MYSQL-08", "S2-MYSQL-09", "S2-MYSQL-10",
)  # fmt: skip
@pytest.mark.parametrize("reference", ["@mysql.default", "@mysql", "@mariadb.default"])
def test_a_resolved_connection_is_the_dict_of_the_contract(
    resolver: ConnectionResolver, reference: str
) -> None:
    """Family and alias are in it, the port is a number, `username` is `user`, metadata is gone."""
    assert resolver.resolve(reference).reveal() == {
        "family": "mysql",
        "alias": "default",
        "host": "localhost",
        "port": 3306,
        "database": "shop",
        "user": "root",
        "password": "p@ss/w:rd#1%",
        "ssl": False,
    }


@pytest.mark.inventory("S1-DEF-02")
def test_from_a_pipeline_to_the_dict_of_a_driver(tmp_path: Path) -> None:
    """Two files and the environment, in the way of the contract."""
    (tmp_path / "osiris_connections.yaml").write_text(FILE)
    pipeline = tmp_path / "pipelines" / "orders.yaml"
    pipeline.parent.mkdir()
    pipeline.write_text(
        "steps:\n  - id: extract\n    driver: mysql.extractor\n"
        '    config: {connection: "@mysql.default", table: orders}\n'
    )
    project = open_project(str(tmp_path))
    document = project.open(str(pipeline))
    assert isinstance(document, PipelineDocument)
    (usage,) = project.note(document)
    path = project.connections_path(str(pipeline))
    found = resolve(f"@{usage.family}.{usage.alias}", path, ENVIRONMENT)
    assert found.reveal() == {
        "family": "mysql",
        "alias": "default",
        "host": "localhost",
        "port": 3306,
        "database": "shop",
        "user": "root",
        "password": ENVIRONMENT["MYSQL_PASSWORD"],
        "ssl": False,
    }


@pytest.mark.inventory("S1-CONN006-05")
def test_a_missing_port_has_the_default_of_the_schema(resolver: ConnectionResolver) -> None:
    """A driver reads it from the dict, as CONN-006 shows; lists and maps are resolved too."""
    plain = resolver.resolve("@mysql.production").reveal()
    assert plain["port"] == 3306
    assert plain["replicas"] == ["r1:3307", {"host": "r2", "port": 3308}]


@pytest.mark.inventory("S1-CONN002-04")
def test_secrets_are_secret_wherever_they_are_nested(resolver: ConnectionResolver) -> None:
    """Values of headers count as secret; the text around a variable stays; `$${` is an escape."""
    found = resolver.resolve("@api")
    assert found["base_url"] == "https://api.example.com/v1"
    assert found["headers"]["X-Key"] == Secret("Bearer k3y")
    assert found["auth"] == {
        "type": "basic",
        "username": "ann",
        "password": Secret("${no}k3y"),
    }
    assert "k3y" not in repr(found)
    assert "k3y" not in str(dict(found))


def test_dotenv_is_read_but_the_environment_wins(tmp_path: Path) -> None:
    """The origin of each value is known."""
    (tmp_path / ".env").write_text("MYSQL_DATABASE=from_file\nMYSQL_USER=ann\n")
    found = _resolver(tmp_path, FILE).resolve("@mysql.default")
    assert (found["database"], found["user"]) == ("shop", "ann")
    kinds = {name: [o.kind for o in origins] for name, origins in found.origins.items()}
    assert (kinds["database"], kinds["user"]) == (["environment"], [".env"])
    assert (kinds["host"], kinds["password"]) == (["default"], ["environment"])


@pytest.mark.inventory("S2-RES-03", "S2-RES-04", "S2-RES-05", "S1-CONN004-07")
@pytest.mark.parametrize(
    ("reference", "kind", "message", "remedy"),
    [
        ("mysql.default", ValueError, "Invalid reference: mysql.default", "`@mysql.default`"),
        ("@a.b.c", ValueError, "Invalid reference: @a.b.c", "@family.alias"),
        ("@mysql.default\n", ValueError, "Invalid reference: @mysql.default\n", "@mysql.default"),
        ("@myqsl.x", KeyError, "Unknown connection family: myqsl", "did you mean `mysql`?"),
        ("@mysql.prodction", KeyError, "Unknown alias: prodction in mysql", "`production`?"),
        ("@mysql.xyz", KeyError, "Unknown alias: xyz in mysql", "aliases: default, production"),
        ("@postgres", KeyError, "@postgres has no default connection", "aliases: one, two"),
    ],
)
def test_a_wrong_reference_says_what_exists(
    resolver: ConnectionResolver,
    reference: str,
    kind: type[Exception],
    message: str,
    remedy: str,
) -> None:
    """The types and texts of seed 002, with the way out behind them."""
    with pytest.raises(ConnectorConfigError) as caught:
        resolver.resolve(reference)
    assert caught.value.message == message
    assert remedy in str(caught.value)
    assert kind in type(caught.value).__mro__


@pytest.mark.inventory("S1-CONN002-05", "S2-RES-07")
def test_an_unset_variable_is_an_error_that_names_everything(tmp_path: Path) -> None:
    """Variable, field, family and alias; a misspelt one is recognised; empty counts as unset."""
    resolver = _resolver(tmp_path, FILE, MYSQL_PASSWORD="", MYSQL_PASWORD="x")
    with pytest.raises(ConnectorConfigError) as caught:
        resolver.resolve("@mysql.default")
    assert caught.value.message == (
        "field `password` of @mysql.default: the variable `MYSQL_PASSWORD` is not set"
    )
    assert "MYSQL_PASWORD" in caught.value.remedy or ".env" in caught.value.remedy
    assert (caught.value.code, caught.value.field) == ("config.env_missing", "password")


@pytest.mark.inventory("S1-CONN008-02", "S1-CONN008-03", "S1-CONN007-03")
@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ('host: h, port: "3306", database: d, user: u, password: p', "config.type", "port"),
        ("host: h, port: 3306.0, database: d, user: u, password: p", "config.type", "port"),
        ("host: h, port: true, database: d, user: u, password: p", "config.type", "port"),
        ("host: h, port: 0, database: d, user: u, password: p", "config.range", "port"),
        ("host: h, port: 65536, database: d, user: u, password: p", "config.range", "port"),
        ('host: h, port: "${PORT}", database: d, user: u, password: p', "config.type", "port"),
        ('host: h, port: "${BIG}", database: d, user: u, password: p', "config.range", "port"),
        ("host: 127.0, database: d, user: u, password: p", "config.type", "host"),
        ("host: 1, database: d, user: u, password: p", "config.type", "host"),
        ("host: h, database: d, user: u", "config.missing_field", "password"),
        ("host: h, user: u, password: null, database: d", "config.missing_field", "password"),
        ("host: '${X', database: d, user: u, password: p", "config.malformed_variable", "host"),
    ],
)
def test_values_that_a_driver_could_not_use_are_errors(
    tmp_path: Path, fields: str, code: str, field: str
) -> None:
    """Each with its code and the field to mark; no value is in the text."""
    text = f"version: 1\nconnections:\n  mysql:\n    x: {{{fields}}}\n"
    resolver = _resolver(tmp_path, text, PORT="s3cr3t-by-mistake", BIG="70000")
    with pytest.raises(ConnectorConfigError) as caught:
        resolver.resolve("@mysql.x")
    assert (caught.value.code, caught.value.field) == (code, field)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("YES", True), ("0", False), ("off", False)],
)
def test_a_variable_becomes_a_boolean(tmp_path: Path, text: str, expected: bool) -> None:
    """In the words of YAML 1.1, in any case."""
    assert _resolver(tmp_path, FILE, MYSQL_SSL=text).resolve("@mysql")["ssl"] is expected


class Store:
    """A credential provider for tests."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def get(self, name: str) -> str | None:
        """Return a credential."""
        if name == "broken":
            raise CredentialError("the store is closed", code="credential.denied")
        return self.values.get(name)

    async def aget(self, name: str) -> str | None:
        """Return a credential."""
        return self.get(name)


def _stored(folder: Path, value: str) -> ConnectionResolver:
    path = folder / "osiris_connections.yaml"
    path.write_text(
        "version: 1\nconnections:\n  mysql:\n    x:\n      host: h\n      database: d\n"
        f"      user: u\n      password: {value}\n"
    )
    stores = {"vault": Store({"app#password": "from-vault"})}
    return ConnectionResolver(str(path), environment={}, providers=stores)


def test_stores_are_asked_for_their_references(tmp_path: Path) -> None:
    """What a store gives is a secret, also inside a longer text; a file is read as it is."""
    found = _stored(tmp_path, '"x-${vault:app#password}"').resolve("@mysql.x")
    assert found["password"] == Secret("x-from-vault")
    assert found.redactor().redact("it was from-vault") == "it was ***"
    (tmp_path / "secret").write_text("from-file\n")
    path = tmp_path / "osiris_connections.yaml"
    path.write_text(path.read_text().replace('"x-${vault:app#password}"', '"${file:secret}"'))
    assert resolve("@mysql.x", str(path), {})["password"] == Secret("from-file")


@pytest.mark.parametrize(
    ("value", "code"),
    [('"${vault:none}"', "credential.missing"), ('"${vault:broken}"', "credential.denied")],
)
def test_a_store_without_the_secret_is_an_error_on_the_field(
    tmp_path: Path, value: str, code: str
) -> None:
    """The editor marks the field whose reference could not be served."""
    with pytest.raises(ConnectorConfigError) as caught:
        _stored(tmp_path, value).resolve("@mysql.x")
    assert (caught.value.code, caught.value.field) == (code, "password")


@pytest.mark.inventory("S2-RES-01")
def test_a_file_that_does_not_parse_says_where(tmp_path: Path) -> None:
    """Line and column, as the linter shows them (S2-RES-01)."""
    with pytest.raises(ConnectorConfigError, match=r"osiris_connections.yaml:3:\d+: "):
        _resolver(tmp_path, 'version: 1\nconnections:\n  mysql: "x\n')


@pytest.mark.inventory("S2-RES-01")
def test_no_file_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says where one was looked for."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConnectorConfigError, match=r"there is no `osiris_connections.yaml` in"):
        ConnectionResolver(environment={})


@pytest.mark.inventory("S1-CONN002-02", "S1-CONN002-04", "S1-CONN002-05", "S2-RES-06", "S2-RES-07")
@pytest.mark.parametrize(
    ("value", "missing", "expected"),
    [
        ("https://${H}/v1", "error", "https://h/v1"),
        ("${H}:${P}", "error", "h:1"),
        ("${NO:-a:b/c}", "error", "a:b/c"),
        ("${NO:-}", "error", ""),
        ("${EMPTY:-x}y", "error", "xy"),
        ("${NO}", "empty", ""),
        ("${NO}", "keep", "${NO}"),
        ("$${H} $H", "error", "${H} $H"),
    ],
)
def test_variables_in_a_text(value: str, missing: Any, expected: str) -> None:
    """Any number of them, anywhere; the seeds' empty text is there for those who ask for it."""
    environment = {"H": "h", "P": "1", "EMPTY": ""}
    assert resolve_env_vars(value, environment, missing) == expected


@given(st.text(st.characters(exclude_characters="${}", exclude_categories=["Cs"])))
def test_text_without_variables_stays(value: str) -> None:
    """Nothing else in a text means anything."""
    assert resolve_env_vars(value, {}) == value


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_value_is_not_read_again(value: str) -> None:
    """What stands in a variable is taken as it is, `${` and quotes included."""
    assert resolve_env_vars("a${X}b", {"X": value}) == f"a{value}b"


def test_a_plain_dict_becomes_a_resolved_connection() -> None:
    """As a program passes it to `doctor`."""
    found = ResolvedConnection("mysql", "x", {"username": "u", "password": "p", "default": True})
    assert dict(found) == {
        "family": "mysql",
        "alias": "x",
        "user": "u",
        "password": Secret("p"),
    }
