"""Secrets do not show: the value type, the redactor, excerpts, fingerprints."""

import base64
import json
import pickle
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.documents import ConnectionsDocument, Document, PipelineDocument
from osiris_lsp.engine import Linter
from osiris_lsp.project import open_project
from osiris_lsp.reports.record import Recorder
from osiris_lsp.secret import MASK, Redactor, Secret, excerpt, fingerprint, mask, merged
from osiris_lsp.specs import Families, builtin_components
from osiris_lsp.text import LineIndex, Span
from tests.cli.test_lint import CANARY, leaky_files

VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=20).filter(
    lambda value: MASK not in value and not set(value) <= set("*")
)


@given(VALUES)
def test_a_secret_never_shows(value: str) -> None:
    """No way to turn a Secret into text gives its value."""
    secret = Secret(value)
    assert (str(secret), f"{secret}", f"{secret:>3}") == (MASK, MASK, MASK)
    assert repr(secret) == repr([secret])[1:-1] == "Secret(***)"
    assert "%s" % secret == MASK  # noqa: UP031 - one of the ways
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret == Secret(value)
    assert secret != Secret(value + "x")
    assert secret.reveal() == value


@given(VALUES, st.text(st.sampled_from("abc: /?=\"'\n"), max_size=10))
def test_the_redactor_knows_every_form_that_we_make(value: str, around: str) -> None:
    """The value, its quoted, escaped and encoded forms, and Basic credentials are replaced."""
    redactor = Redactor([Secret(value)], users=["ann"])
    forms = [
        value,
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
        base64.b64encode(value.encode()).decode(),
        base64.b64encode(f"ann:{value}".encode()).decode(),
    ]
    for form in forms:
        shown = redactor.redact(f"{around}{form}{around}")
        assert form not in shown.replace(around, "") or form in MASK
    assert value not in repr(redactor)


@given(st.text("ab\n", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8))))
def test_masking_replaces_exactly_the_spans(text: str, pairs: list[tuple[int, int]]) -> None:
    """What lies outside the spans stays, what lies inside becomes `***`."""
    spans = [
        Span(start, start + size) for start, size in pairs if start + size <= len(text) and size
    ]
    shown = mask(text, spans)
    kept = "".join(char for at, char in enumerate(text) if not any(a <= at < b for a, b in spans))
    assert shown.replace(MASK, "") == kept
    assert shown.count(MASK) == len(merged(spans))


def test_an_excerpt_moves_the_caret() -> None:
    """A masked secret before the caret shifts it; one below it is covered by it."""
    text = "a: supersecretvalue, b: wrong\n"
    secrets = [Span(3, 19)]
    after = excerpt(LineIndex(text), Span(24, 29), secrets)
    assert after.text == "a: ***, b: wrong"
    assert after.text[after.start : after.end] == "wrong"
    inside = excerpt(LineIndex(text), Span(3, 19), secrets)
    assert inside.text[inside.start : inside.end] == MASK


def _document(name: str) -> Document:
    text = leaky_files()[name]
    if name.startswith("osiris"):
        return ConnectionsDocument("/x/osiris_connections.yaml", text, Families())
    return PipelineDocument("/x/p.yaml", text, builtin_components())


@pytest.mark.parametrize("name", leaky_files())
def test_every_line_of_a_leaky_file_is_masked(name: str) -> None:
    """The secret spans of a file cover each place where a secret is written out."""
    document = _document(name)
    assert CANARY in document.text
    assert CANARY not in mask(document.text, document.secret_spans)


def test_ordinary_text_is_not_masked() -> None:
    """Variables, references, placeholders and the names of things stay readable."""
    text = (
        "version: 1\nconnections:\n  mysql:\n    default:\n      host: db.example.com\n"
        "      user: reader\n      password: ${MYSQL_PASSWORD}\n      port: 3306\n"
    )
    document = ConnectionsDocument("/x/osiris_connections.yaml", text, Families())
    assert mask(text, document.secret_spans) == text


def test_fingerprints_hold_no_key_but_tell_findings_apart() -> None:
    """Code, path, key path, line and ordinal each change it; white space does not."""
    base = fingerprint("OSR219", "a.yaml", ("steps", 0), "x: 1", 0)
    assert base == fingerprint("OSR219", "a.yaml", ("steps", 0), "  x:  1", 0)
    others = {
        fingerprint("OSR218", "a.yaml", ("steps", 0), "x: 1", 0),
        fingerprint("OSR219", "b.yaml", ("steps", 0), "x: 1", 0),
        fingerprint("OSR219", "a.yaml", ("steps", 1), "x: 1", 0),
        fingerprint("OSR219", "a.yaml", ("steps", 0), "x: 2", 0),
        fingerprint("OSR219", "a.yaml", ("steps", 0), "x: 1", 1),
    }
    assert len(others | {base}) == 6


def test_no_message_names_a_token_that_stands_as_an_alias(tmp_path: Path) -> None:
    """Findings of a pipeline, and names proposed in another case, show nothing of it."""
    token = "gh" + "p_" + "a1B2c3D4e" * 4
    (tmp_path / ".git").mkdir()
    connections = tmp_path / "osiris_connections.yaml"
    connections.write_text(f"version: 1\nconnections:\n  mysql:\n    {token}: {{host: db}}\n")
    pipeline = tmp_path / "orders.yaml"
    pipeline.write_text(
        'oml_version: "0.1.0"\nname: orders\nsteps:\n  - id: read\n    component: mysql.extractor\n'
        '    mode: read\n    config: {connection: "@mysql.prod", table: orders}\n'
    )
    project = open_project(str(tmp_path))
    said = []
    for path in (connections, pipeline):
        document = project.open(str(path))
        assert document is not None
        findings = Linter(project).lint(document).findings
        records = Recorder(project).records(document, findings)
        said += [(record.rule, str(record.as_json())) for record in records]
    assert {"unknown-alias", "invalid-alias-name"} <= {rule for rule, _ in said}
    shown = [(rule, text) for rule, text in said if token.lower() in text.lower()]
    assert [rule for rule, _ in shown] == []
