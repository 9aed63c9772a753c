"""Families: the built-in schemas, and those that a project brings."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from osiris_lsp.project import open_project
from osiris_lsp.schema import violations
from osiris_lsp.specs import (
    ComponentSpec,
    Families,
    FamilySpec,
    builtin_components,
    load_schema,
    nearest,
    schema_names,
)
from osiris_lsp.syntax import parse
from tests import corpus, golden
from tests.cli.conftest import write

FAMILIES = schema_names("families")
ROOTS = ("connections", "pipeline", "component", "settings")
REQUIRED = {
    "mysql", "postgres", "supabase", "duckdb", "sqlite", "filesystem", "shopify", "api", "graphql",
    "posthog", "openai", "oauth", "mongodb", "redis", "bigquery", "snowflake",
    *("arxiv", "github", "hackernews", "local_docs", "newsapi", "reddit", "sec", "sql", "twitter"),
    *("web", "whisper", "wikipedia"),
    "stripe", "hubspot", "docusign", "pagerduty",
}  # fmt: skip


def test_every_canonical_family_has_a_schema() -> None:
    """The families of DESIGN section 4 are all there."""
    assert set(FAMILIES) == REQUIRED


@pytest.mark.parametrize("name", [*ROOTS, *(f"families/{name}" for name in FAMILIES)])
def test_schemas_are_valid_and_described(name: str) -> None:
    """JSON Schema 2020-12; each property has a description, and its examples fit it."""
    schema = load_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    properties = list(_properties(schema))
    assert properties
    for key, field in properties:
        assert len(field.get("description", "")) > 10, f"{name}: {key} has no description"
        validator = jsonschema.Draft202012Validator({**field, "$defs": schema.get("$defs", {})})
        for value in [
            *field.get("examples", ()),
            *([field["default"]] if "default" in field else ()),
        ]:
            if not (isinstance(value, str) and "${" in value):
                assert validator.is_valid(value), f"{name}: {key}: {value!r} does not fit"


def _properties(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for part in (schema, *schema.get("$defs", {}).values()):
        for key, field in part.get("properties", {}).items():
            if isinstance(field, dict) and "$ref" not in field:
                yield key, field


@pytest.mark.parametrize("name", FAMILIES)
def test_the_secrets_of_a_family_are_declared(name: str) -> None:
    """Fields with the name of a secret are write-only, and nothing secret is listed in public."""
    spec = FamilySpec(load_schema(f"families/{name}"))
    for field in spec.fields.values():
        named = re.search(r"(password|secret|token|api_key|private_key)$", field.name)
        if named and field.schema.get("type") == "string":
            assert field.secret, f"{name}.{field.name}"
        if field.secret:
            assert not field.schema.get("x-public"), f"{name}.{field.name}"
    for group in spec.requirements:
        for option in group:
            assert set(option) <= set(spec.fields)
    for conflict in spec.conflicts:
        assert set(conflict) <= set(spec.fields)


@corpus.needs_shared
@pytest.mark.parametrize(
    "path", sorted((corpus.SHARED / "components").glob("*/spec.yaml")), ids=str
)
def test_builtin_components_agree_with_the_real_specs(path: Path) -> None:
    """Types, limits, required keys, policies and aliases are those of the real component."""
    real = ComponentSpec(yaml.safe_load(path.read_text()))
    ours = builtin_components()[real.name]
    assert set(ours.required) == set(real.required)
    assert set(ours.modes) == set(real.modes)
    assert {**ours.connection_fields, **real.connection_fields} == dict(ours.connection_fields)
    assert len(ours.constraints) == len(real.constraints)
    for key, field in real.properties.items():
        mine = ours.properties[key]
        for limit in ("minimum", "maximum", "minLength", "maxLength", "enum", "pattern"):
            assert mine.get(limit) == field.get(limit), f"{key}: {limit}"
    assert set(real.secrets) <= set(ours.secrets)


@pytest.mark.parametrize("name", sorted(builtin_components()))
def test_builtin_components_meet_the_schema_of_components(name: str) -> None:
    """The specs that we ship are valid by the schema that we check projects with."""
    root = parse(json.dumps(load_schema(f"components/{name}"))).root
    assert root is not None
    assert list(violations(root, load_schema("component"))) == []


OWN = {
    "x-family": "kafka",
    "x-aliases": ["redpanda"],
    "type": "object",
    "properties": {
        "brokers": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "sasl_password": {"type": "string", "writeOnly": True},
        "acks": {"type": "string", "enum": ["all", "none"]},
        "topic": {"type": "string", "pattern": "^(a+)+$"},
        "retries": {"type": "integer", "multipleOf": 5},
    },
    "required": ["brokers"],
    "additionalProperties": False,
}


def _lint(folder: Path, connections: str) -> list[str]:
    write(
        folder,
        {
            "osiris-lsp.toml": 'families = ["families/*.json"]\nignore = ["OSR116", "OSR118"]\n',
            "families/kafka.json": json.dumps(OWN),
            "osiris_connections.yaml": f"version: 1\nconnections:\n{connections}",
        },
    )
    project = open_project(str(folder))
    assert project.problems == []
    return [finding.rule for finding in golden.lint_all(project)]


def test_a_family_of_a_project_is_like_a_builtin_one(tmp_path: Path) -> None:
    """Its fields, requirements, secrets and spellings count."""
    good = "  kafka:\n    main: {brokers: [a], sasl_password: '${P}', acks: all, retries: 10}\n"
    assert _lint(tmp_path, good) == []
    assert _lint(tmp_path, good.replace("kafka", "redpanda")) == []
    assert _lint(tmp_path, good.replace("brokers", "brokrs")) == ["missing-field", "unknown-field"]
    assert _lint(tmp_path, good.replace("'${P}'", "hunter22")) == ["plaintext-secret"]
    assert _lint(tmp_path, good.replace("acks: all", "acks: most")) == ["invalid-value"]
    assert _lint(tmp_path, good.replace("retries: 10", "retries: 7")) == ["invalid-value"]
    assert _lint(tmp_path, good.replace("kafka", "kafak")) == ["unknown-family"]


def test_a_hostile_pattern_of_a_project_ends(tmp_path: Path) -> None:
    """A pattern that backtracks without end runs under a limit."""
    text = "  kafka:\n    main: {brokers: [a], topic: " + "a" * 60 + "b}\n"
    assert _lint(tmp_path, text) == ["invalid-value"]


def test_a_schema_that_refers_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    """A `$ref` to a URL or another file allows everything and opens nothing."""
    properties = {**OWN["properties"], "acks": {"$ref": "http://127.0.0.1:9/x.json"}}  # type: ignore[dict-item]
    text = "version: 1\nconnections:\n  kafka:\n    main: {brokers: [a], acks: [1]}\n"
    write(
        tmp_path,
        {
            "osiris-lsp.toml": 'families = ["families/*.json"]\nselect = ["OSR110", "OSR111"]\n',
            "families/kafka.json": json.dumps({**OWN, "properties": properties}),
            "osiris_connections.yaml": text,
        },
    )
    assert golden.lint_all(open_project(str(tmp_path))) == []


@pytest.mark.parametrize(
    ("word", "choices", "expected"),
    [
        ("prodd", ["prod", "staging"], "prod"),
        ("prdo", ["prod", "dev"], "prod"),
        ("Prod", ["prod"], "prod"),
        ("db-main", ["db_main"], "db_main"),
        ("read", ["write", "transform"], None),
        ("x", ["y"], None),
        ("hostname", ["host", "port"], None),
        ("", ["a"], None),
    ],
)
def test_nearest_takes_slips_and_not_guesses(
    word: str, choices: list[str], expected: str | None
) -> None:
    """A suggestion is made for a slip of the fingers only."""
    assert nearest(word, choices) == expected


EVIDENCE = """\
  arxiv: {main: {default: true}}
  github: {main: {default: true, token: "${GITHUB_TOKEN}"}}
  hackernews: {main: {default: true, timeout: 10}}
  local_docs: {main: {default: true, root: ./docs, suffixes: [.md]}}
  newsapi: {main: {default: true, api_key: "${NEWSAPI_KEY}"}}
  reddit: {main: {default: true, client_id: a, client_secret: "${R}", user_agent: "linux:x:1"}}
  sec: {main: {default: true, user_agent: Example data@example.com}}
  sql: {main: {default: true, dsn: "postgresql://reader:${PW}@db.example.com/shop"}}
  twitter: {main: {default: true, bearer_token: "${TWITTER}"}}
  web: {main: {default: true, api_key: "${BRAVE}"}}
  whisper: {main: {default: true, api_key: "${OPENAI}", root: ./audio}}
  wikipedia: {main: {default: true, base_url: "https://de.wikipedia.org"}}
"""


@pytest.mark.inventory("S3-TYPE-04")
@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("", "", ""),
        ('"${GITHUB_TOKEN}"', "hunter22hunter22", "plaintext-secret"),
        ('"${TWITTER}"', "hunter22hunter22", "plaintext-secret"),
        ("reader:${PW}@", "reader:hunter22@", "url-credentials"),
        ("data@example.com", "nobody", "invalid-value"),
        ("postgresql://reader:${PW}@", "oracle://", "invalid-value"),
        ("de.wikipedia.org", "de wikipedia", "invalid-value"),
        ("timeout: 10", "timeout: soon", "wrong-type"),
        (', user_agent: "linux:x:1"', "", "missing-field"),
        ("root: ./docs, ", "", "missing-field"),
        ("client_id: a, ", "client_ident: a, ", "missing-field"),
        ("arxiv:", "arxive:", "unknown-family"),
    ],
)
def test_sources_of_evidence(tmp_path: Path, right: str, wrong: str, rule: str) -> None:
    """All twelve lint clean, and each mistake is found."""
    found = _lint(tmp_path, EVIDENCE.replace(right, wrong, 1) if right else EVIDENCE)
    assert ([rule] if rule else []) == found[:1]


@pytest.mark.parametrize(
    "name", ["edgar", "hacker_news", "localdocs", "mediawiki", "news_api", "x"]
)
def test_other_spellings_of_sources(name: str) -> None:
    """They are accepted, and mean the same family."""
    spec = Families().find(name)
    assert spec is not None
    assert spec.name in REQUIRED
