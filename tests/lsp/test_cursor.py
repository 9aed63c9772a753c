"""What stands at an offset, in sound text and while it is being typed; `|` marks the offset."""

from collections.abc import Mapping

import pytest

from osiris_lsp.documents import ComponentDocument, ConnectionsDocument, PipelineDocument
from osiris_lsp.lsp.cursor import Cursor, find
from osiris_lsp.specs import Families, FieldSpec, builtin_components
from osiris_lsp.tree import Alias, Map, Scalar, Seq

CONNECTIONS = """\
# 😀
version: 1
connections:
  mysql:
    default: &d
      host: ${DB_HOST}
      password: "a${DB_PW}b"
      ssl: {ca: x, }
    two:
      <<: *d
  nosuch:
    one: {a: b}
"""

PIPELINE = """\
oml_version: "0.1.0"
name: orders
params: {source: "@mysql.two"}
steps:
  - id: a
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.default"
      table: orders # osiris: ignore[OSR101, ] x

  - id: b
    component: filesystem.csv_writer
    needs: [a]
    config: {path: ./x, }
"""


def cursor(text: str) -> Cursor:
    """Return the cursor at the mark of a text, whose kind its keys tell."""
    offset = text.index("|")
    text = text.replace("|", "", 1)
    if "oml_version" in text:
        return find(PipelineDocument("/p/orders.yaml", text, builtin_components()), offset)
    return find(ConnectionsDocument("/p/osiris_connections.yaml", text, Families()), offset)


def behind(text: str, piece: str, typed: str = "") -> Cursor:
    """Return the cursor behind a piece of a text, with something typed there."""
    at = text.index(piece) + len(piece)
    return cursor(f"{text[:at]}{typed}|{text[at:]}")


@pytest.mark.parametrize(
    ("piece", "path", "kind"),
    [
        ("host", ("connections", "mysql", "default", "host"), Scalar),
        ("host: ${DB", ("connections", "mysql", "default", "host"), Scalar),
        ("ssl: {ca: x,", ("connections", "mysql", "default", "ssl"), Map),
        ("ssl: {ca: ", ("connections", "mysql", "default", "ssl", "ca"), Scalar),
        ("<<: *d", ("connections", "mysql", "two", "<<"), Alias),
        ("connections:", ("connections",), Map),
    ],
)
def test_the_place_in_the_tree(piece: str, path: tuple[str, ...], kind: type) -> None:
    """Keys lead to the innermost node, on keys, values, aliases and in gaps of flow style."""
    found = behind(CONNECTIONS, piece)
    assert (path, kind) == (found.path, type(found.node))


@pytest.mark.parametrize(
    ("indent", "path", "kind"),
    [
        (6, ("steps", 0, "config"), Map),
        (4, ("steps", 0), Map),
        (2, ("steps",), Seq),
    ],
)
def test_a_blank_line_belongs_to_what_has_its_indentation(
    indent: int, path: tuple[str | int, ...], kind: type
) -> None:
    """The same between blocks as below the last one."""
    found = behind(PIPELINE, "] x\n", " " * indent)
    assert (path, kind) == (found.path, type(found.node))
    assert found.key is None


@pytest.mark.parametrize("typed", ["mode:", "mode: ", 'mode: "', "mode: re"])
def test_a_value_that_is_being_typed_has_its_key(typed: str) -> None:
    """Empty, blank, or in an open quote."""
    found = cursor(PIPELINE.replace("mode: read", f"{typed}|"))
    assert found.path == ("steps", 0, "mode")
    assert found.key is not None
    assert (found.key.value, found.on_key) == ("mode", False)


def test_a_key_that_is_being_typed_is_in_its_mapping() -> None:
    """A line without a colon does not parse, and has its place by indentation."""
    found = cursor(PIPELINE.replace("mode: read", "mo|"))
    assert (found.path, found.key) == (("steps", 0), None)
    assert found.is_broken


def test_the_connection_and_the_step_around() -> None:
    """Their keys and gaps inside them count; another family or item does not."""
    assert [
        str(behind(CONNECTIONS, piece).connection)
        for piece in ("    defa", "ssl: {ca: x,", "  mys", "    two")
    ] == [
        "@mysql.default",
        "@mysql.default",
        "None",
        "@mysql.two",
    ]
    family = behind(CONNECTIONS, "  nosuc").family
    assert family is not None
    assert (family.name, family.spec) == ("nosuch", None)
    steps = [
        behind(PIPELINE, piece).step for piece in ("id: a", "needs: [", "./x, }\n", "name: orders")
    ]
    assert [step and step.id for step in steps] == ["a", "b", None, None]


@pytest.mark.parametrize(
    ("written", "text", "reference"),
    [
        ('"@mysql.de|fault"', "@mysql.default", "@mysql.default"),
        ('"@mysql.|"', "@mysql.", "None"),
        ('"@|', "@", "None"),
        ('"@my|', "@my", "@my"),
        ("@my|", "@my", "@my"),
        ("@mysql.|", "@mysql.", "None"),
        ("'@mysql|", "@mysql", "@mysql"),
    ],
)
def test_a_reference(written: str, text: str, reference: str) -> None:
    """Whole, half-typed, in an open quote and without quotes."""
    found = cursor(PIPELINE.replace('"@mysql.default"', written))
    assert found.reference_span is not None
    assert text == found.document.text[slice(*found.reference_span)]
    assert reference == str(found.reference)


def test_a_reference_in_parameters() -> None:
    """A parameter may hold the connection of a step; other texts with an `@` are none."""
    assert str(behind(PIPELINE, "@mysql.t").reference) == "@mysql.two"
    assert behind(PIPELINE.replace("table: orders", 'table: "@a.b"'), "@a").reference is None


@pytest.mark.parametrize(
    ("written", "text", "name"),
    [
        ("a${DB_|PW}b", "${DB_PW}", "DB_PW"),
        ("a${DB_PW}|b", "${DB_PW}", "DB_PW"),
        ("a${DB_|", "${DB_", ""),
    ],
)
def test_a_variable(written: str, text: str, name: str) -> None:
    """From its `$` to its `}`, or to the end of what has been typed."""
    found = cursor(CONNECTIONS.replace('a${DB_PW}b"', written))
    assert found.variable is not None
    assert found.variable_span is not None
    assert (text, name) == (
        found.document.text[slice(*found.variable_span)],
        found.variable.name,
    )


@pytest.mark.parametrize(
    ("piece", "word"),
    [("ignore[OSR", "OSR101"), ("ignore[", "OSR101"), ("OSR101, ", ""), ("ignore", None)],
)
def test_a_rule_in_a_comment(piece: str, word: str | None) -> None:
    """The word in the brackets; empty where one may be typed."""
    found = behind(PIPELINE, piece)
    assert (word, True) == (found.rule_word, found.in_comment)
    assert found.reference is None


def test_the_anchor() -> None:
    """From its `&` on, with the node that it names."""
    found = behind(CONNECTIONS, "&d").anchor
    assert found is not None
    assert ("&d", Map) == (CONNECTIONS[slice(*found[1])], type(found[0]))
    assert behind(CONNECTIONS, "host").anchor is None


def test_the_field() -> None:
    """A spec for a field of a connection, else the schema: nested, of a step, of its config."""
    host = behind(CONNECTIONS, "host").field
    assert isinstance(host, FieldSpec)
    assert (host.name, host.secret) == ("host", False)
    for text, piece, word in (
        (CONNECTIONS, "{ca", "certificate"),
        (PIPELINE, "mode", "What the component should do"),
        (PIPELINE, "connection", "Reference to a connection"),
        (PIPELINE, "table", "able"),
        (PIPELINE, "oml_version", "Version of the pipeline language"),
        (PIPELINE, "name", "Name of the pipeline"),
    ):
        found = behind(text, piece).field
        assert isinstance(found, Mapping)
        assert word in found["description"]
    assert behind(CONNECTIONS, "{a").field is None


def test_a_component_spec_has_the_schema_of_specs() -> None:
    """Its keys are those of our schema of component specs."""
    document = ComponentDocument("/p/components/x/spec.yaml", "name: a.b\nmodes: [extract]\n")
    found = find(document, 2)
    assert found.schema is not None
    assert found.path == ("name",)


@pytest.mark.parametrize(
    "text", ["|", "# |", "a|", "- |", "{|", "a: [|", "\ufeff|a: b\n", "a:\r\n  |"]
)
def test_every_text_has_an_answer(text: str) -> None:
    """Nothing, a comment, a word, open brackets: no offset fails."""
    found = cursor(text)
    assert found.connection is None
    assert found.step is None
    for offset in (-1, 99):
        assert find(found.document, offset).reference is None
