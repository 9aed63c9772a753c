"""What environment variables say to connectors, and what they cannot say."""

import ast
from pathlib import Path
from typing import Any

import pytest

import osiris_lsp
from osiris_lsp.connectors import ConnectorConfigError, Environment, build_dsn
from osiris_lsp.connectors.families.postgres import read_dsn
from osiris_lsp.secret import Secret

CANARY = "c4n4ry-environment"

CONNECTORS = Path(osiris_lsp.__file__).parent / "connectors"

OTHER_READERS = {
    "credentials/aws.py": "the region, as every tool of AWS reads it",
    "credentials/environment.py": "the provider whose business it is",
    "credentials/factory.py": "which providers there are",
    "credentials/vault.py": "address and token, as every tool of Vault reads them",
    "environment/config.py": "this is the one for connectors that are set up by variables",
    "examples/oauth_flow.py": "a program of its own",
    "examples/simple_rest.py": "a program of its own",
    "families/bigquery/google.py": "credentials, where Google's own tools look for them",
    "resolution.py": "values of `${NAME}`",
}
"""Modules with an environment of their own; none of them reads a variable of seed 000."""

VARIABLES = frozenset(
    (
        *("AUTH_METHOD", "API_KEY", "OPENAI_BASE_URL", "OPENAI_TIMEOUT", "DEFAULT_TEMPERATURE"),
        *("DEFAULT_MAX_TOKENS", "OAUTH_ENDPOINT", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"),
        *("OAUTH_GRANT_TYPE", "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DATABASE"),
        *("POSTGRES_USER", "POSTGRES_PASSWORD"),
    )
)

POSTGRES = {
    "POSTGRES_HOST": "db.example.com",
    "POSTGRES_DATABASE": "shop",
    "POSTGRES_USER": "ada",
    "POSTGRES_PASSWORD": CANARY,
}


@pytest.mark.inventory(
    *("S0-CFG-01", "S0-CFG-02", "S0-CFG-03", "S0-CFG-04", "S0-CFG-05", "S0-CFG-06", "S0-CFG-07"),
    *("S0-CFG-08", "S0-CFG-09", "S0-CFG-10", "S0-CFG-11", "S0-CFG-12", "S0-CFG-13", "S0-CFG-14"),
    *("S0-CFG-15", "R-36", "R-39"),
)
@pytest.mark.parametrize(
    ("name", "attribute", "given", "default"),
    [
        ("AUTH_METHOD", "auth_method", {"oauth": "oauth", " API_Key ": "api_key"}, "api_key"),
        ("API_KEY", "api_key", {CANARY: Secret(CANARY)}, None),
        (
            "OPENAI_BASE_URL",
            "openai_base_url",
            {"https://ai.example.com/v1/": "https://ai.example.com/v1", "http://[::1]:1": ...},
            "https://api.openai.com/v1",
        ),
        ("OPENAI_TIMEOUT", "openai_timeout", {"2.5": 2.5, "90": 90.0}, 60.0),
        ("DEFAULT_TEMPERATURE", "default_temperature", {"0": 0.0, "2": 2.0, "0.25": 0.25}, 0.7),
        ("DEFAULT_MAX_TOKENS", "default_max_tokens", {"1": 1, "4096": 4096}, 2000),
        ("OAUTH_ENDPOINT", "oauth_endpoint", {"https://id.example.com/token": ...}, ""),
        ("OAUTH_CLIENT_ID", "oauth_client_id", {"etl": "etl"}, ""),
        ("OAUTH_CLIENT_SECRET", "oauth_client_secret", {CANARY: Secret(CANARY)}, None),
        ("OAUTH_GRANT_TYPE", "oauth_grant_type", {"password": "password"}, "client_credentials"),
        ("OAUTH_SCOPE", "oauth_scopes", {"a  b": ("a", "b")}, ()),
        ("OAUTH_REFRESH_TOKEN", "oauth_refresh_token", {CANARY: Secret(CANARY)}, None),
        ("OAUTH_CLIENT_AUTH", "oauth_client_auth", {"POST": "post", "basic": "basic"}, "basic"),
        ("SSL_VERIFY", "ssl_verify", {"no": False, "True": True, "0": False}, True),
        ("SSL_CERT_PATH", "ssl_cert_path", {"/ca.pem": "/ca.pem"}, ""),
        ("POSTGRES_HOST", "postgres_host", {"db": "db"}, "localhost"),
        ("POSTGRES_PORT", "postgres_port", {"6432": 6432}, 5432),
        ("POSTGRES_DATABASE", "postgres_database", {"shop": "shop"}, ""),
        ("POSTGRES_USER", "postgres_user", {"ada": "ada"}, ""),
        ("POSTGRES_PASSWORD", "postgres_password", {" p w ": Secret(" p w ")}, None),
        ("LLM_MODEL_HIGH", "models", {"gpt-x": {"high": "gpt-x"}}, {}),
        ("LLM_EMBEDDING_MODEL", "embedding_model", {"e": "e"}, "text-embedding-3-small"),
        ("LLM_PRICES_FILE", "prices_file", {"/p.toml": "/p.toml"}, ""),
    ],
)
def test_variables_and_their_defaults(
    name: str, attribute: str, given: dict[str, Any], default: object
) -> None:
    """An empty one counts as not set; 0 is a value like any other; a secret does not show."""
    assert getattr(Environment({}), attribute) == default
    assert getattr(Environment({name: ""}), attribute) == default
    for text, expected in given.items():
        environment = Environment({name: text})
        found = getattr(environment, attribute)
        assert found == (text if expected is ... else expected)
        assert type(found) is type(default) or default is None
        assert CANARY not in f"{found} {found!r} {environment!r}"


@pytest.mark.inventory("S0-CFG-01", "S0-CFG-03", "S0-CFG-04", "S0-CFG-12", "S0-OAUTH-09")
@pytest.mark.parametrize(
    ("name", "attribute", "values"),
    [
        ("OPENAI_BASE_URL", "openai_base_url", ["ftp://x", "example.com", f"https://u:{CANARY}@x"]),
        ("OPENAI_TIMEOUT", "openai_timeout", ["0", "-1", "soon", "nan", "inf"]),
        ("DEFAULT_TEMPERATURE", "default_temperature", ["2.1", "-0.1", "hot"]),
        ("DEFAULT_MAX_TOKENS", "default_max_tokens", ["0", "1.5", "many"]),
        ("OAUTH_ENDPOINT", "oauth_endpoint", ["id.example.com", "https://x/?a=b"]),
        ("OAUTH_CLIENT_AUTH", "oauth_client_auth", ["jwt"]),
        ("SSL_VERIFY", "ssl_verify", ["maybe"]),
        ("POSTGRES_PORT", "postgres_port", ["0", "65536", "5432/tcp", CANARY]),
    ],
)
def test_what_cannot_be_right_is_refused(name: str, attribute: str, values: list[str]) -> None:
    """The error names the variable and does not repeat a value that may be a secret."""
    for value in values:
        with pytest.raises(ConnectorConfigError, match=f"`{name}`") as caught:
            getattr(Environment({name: value}), attribute)
        assert caught.value.field == name
        assert CANARY not in str(caught.value)


@pytest.mark.inventory("S0-OAUTH-09")
def test_a_method_that_does_not_exist_is_named() -> None:
    """So that its typo shows; it is cut, for it may be something else."""
    with pytest.raises(ConnectorConfigError, match="`AUTH_METHOD` is `outh`"):
        Environment({"AUTH_METHOD": "outh"}).auth_method  # noqa: B018


@pytest.mark.inventory("S0-CFG-11", "S0-CFG-13", "S0-CFG-14", "S0-CFG-15", "R-59")
@pytest.mark.parametrize("password", ["p@ss/w:rd#1%", "a b+c", "Žofie", "'\"\\$"])
def test_a_postgres_connection(password: str) -> None:
    """Special characters of the password survive a URL, and none of it shows."""
    connection = Environment({**POSTGRES, "POSTGRES_PASSWORD": password}).postgres()
    assert password not in repr(connection)
    read = read_dsn(build_dsn(connection), "dsn")
    assert {name: str(read[name]) for name in ("host", "port", "database", "user", "password")} == {
        "host": "db.example.com",
        "port": "5432",
        "database": "shop",
        "user": "ada",
        "password": password,
    }


@pytest.mark.inventory("S0-CFG-13", "S0-CFG-14", "S0-CFG-15")
@pytest.mark.parametrize("name", ["POSTGRES_DATABASE", "POSTGRES_USER", "POSTGRES_PASSWORD"])
def test_a_postgres_connection_that_is_not_complete(name: str) -> None:
    """The variable is named."""
    with pytest.raises(ConnectorConfigError, match=f"`{name}` is not set"):
        Environment({**POSTGRES, name: ""}).postgres()


@pytest.mark.inventory("S0-CFG-16")
def test_variables_are_read_in_one_place() -> None:
    """Through `Environment`; a change of the process's variables shows at once."""
    found, named = set(), set()
    for path in CONNECTORS.rglob("*.py"):
        name = path.relative_to(CONNECTORS).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                found.add(name)
            if isinstance(node, ast.Constant) and node.value in VARIABLES:
                named.add((name, node.value))
    assert found == set(OTHER_READERS)
    readers = {name for name, variable in named if variable != "API_KEY"}
    assert readers <= {"environment/config.py", "environment/oauth_connector.py"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEFAULT_MAX_TOKENS", "7")
        assert Environment().default_max_tokens == 7
