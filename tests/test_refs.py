"""References, variables, and which part of a value is literal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.refs import (
    NAME,
    Reference,
    connection_string_secrets,
    is_indirect,
    literal_defaults,
    literal_secrets,
    parse_reference,
    segments,
    variable_name,
)


@pytest.mark.inventory("S1-CONN004-01", "S1-CONN004-02", "S1-CONN004-03")
@pytest.mark.parametrize(
    ("text", "family", "alias"),
    [
        ("@mysql.default", "mysql", "default"),
        ("@shopify.main", "shopify", "main"),
        ("@supabase.prod", "supabase", "prod"),
        ("@a.b", "a", "b"),
        ("@db2.eu_west_1", "db2", "eu_west_1"),
    ],
)
def test_reference(text: str, family: str, alias: str) -> None:
    """The form of CONN-004 is read into family and alias."""
    assert parse_reference(text) == Reference(family, alias, strict=True)
    assert str(parse_reference(text)) == text


@pytest.mark.inventory("S1-CONN003-03", "R-08")
def test_bare_reference() -> None:
    """`@family` is a reference without an alias."""
    assert parse_reference("@mysql") == Reference("mysql", None, strict=True)
    assert str(parse_reference("@mysql")) == "@mysql"


@pytest.mark.inventory("S1-CONN004-05", "R-07")
@pytest.mark.parametrize(
    "text",
    ["@MySQL.Default", "@duckdb.local-db", "@mysql.2024", "@mysql._x", "@My-SQL", "@mysql.Prod"],
)
def test_wide_reference(text: str) -> None:
    """What only the existing runtime accepts is read, and is not strict."""
    reference = parse_reference(text)
    assert reference is not None
    assert not reference.strict
    assert str(reference) == text


@pytest.mark.inventory("S1-CONN004-02", "S1-CONN004-04", "S1-CONN004-06", "R-07")
@pytest.mark.parametrize(
    "text",
    [
        "mysql.default",
        "@",
        "@.",
        "@mysql.",
        "@.default",
        "@mysql..default",
        "@mysql.db.prod",
        "@mysql.default\n",
        "\n@mysql.default",
        "@mysql\n",
        "@mysql.default ",
        "@ mysql.default",
        "@mysql default",
        "@@mysql.default",
        "@mysql.défaut",
        "@mysql.\u0661",
        "@mysql/default",
        "@${FAMILY}.default",
        "",
    ],
)
def test_no_reference(text: str) -> None:
    """Anything else is no reference, a trailing line break included."""
    assert parse_reference(text) is None


@pytest.mark.inventory("S1-CONN004-06")
def test_hyphen_is_no_separator() -> None:
    """`@mysql-default` is the bare reference to an odd family, never to `mysql.default`."""
    assert parse_reference("@mysql-default") == Reference("mysql-default", None, strict=False)


@pytest.mark.inventory("S1-CONN004-02")
@given(st.text(alphabet="ab1_.@- \nA\u0130", max_size=12))
def test_strict_is_exact(text: str) -> None:
    """A reference is strict exactly when both parts are names, and shows as it was written."""
    reference = parse_reference(text)
    if reference is not None:
        assert str(reference) == text
        parts = [reference.family, *([reference.alias] if reference.alias is not None else [])]
        assert reference.strict == all(NAME.fullmatch(part) for part in parts)


def _cut(value: str) -> list[tuple[str, str, str]]:
    return [(piece.kind, value[piece.start : piece.end], piece.name) for piece in segments(value)]


@pytest.mark.inventory("S1-CONN002-02", "S1-CONN002-04", "S2-RES-06", "R-05", "R-06")
@pytest.mark.parametrize(
    ("value", "pieces"),
    [
        ("", []),
        ("plain", [("literal", "plain", "")]),
        ("${NAME}", [("variable", "${NAME}", "NAME")]),
        ("${_n1}", [("variable", "${_n1}", "_n1")]),
        ("${A}${B}", [("variable", "${A}", "A"), ("variable", "${B}", "B")]),
        (
            "https://${H}/v1",
            [("literal", "https://", ""), ("variable", "${H}", "H"), ("literal", "/v1", "")],
        ),
        ("${A:-x:y/z}", [("variable", "${A:-x:y/z}", "A")]),
        ("${A:-}", [("variable", "${A:-}", "A")]),
        ("${A:?not set}", [("variable", "${A:?not set}", "A")]),
        ("${vault:secret/db#pw}", [("provider", "${vault:secret/db#pw}", "vault")]),
        ("${file:/run/secrets/pw}", [("provider", "${file:/run/secrets/pw}", "file")]),
        ("${vault:}", [("malformed", "${vault:}", "")]),
        ("${params.day}", [("parameter", "${params.day}", "day")]),
        ("$${NAME}", [("literal", "$${NAME}", "")]),
        ("$${A}${B}", [("literal", "$${A}", ""), ("variable", "${B}", "B")]),
        ("$${", [("literal", "$${", "")]),
        ("$NAME", [("literal", "$NAME", "")]),
        ("$", [("literal", "$", "")]),
        ("{A}", [("literal", "{A}", "")]),
        ("${}", [("malformed", "${}", "")]),
        ("${ }", [("malformed", "${ }", "")]),
        ("${1A}", [("malformed", "${1A}", "")]),
        ("${A B}", [("malformed", "${A B}", "")]),
        ("${A-x}", [("malformed", "${A-x}", "")]),
        ("${A", [("malformed", "${A", "")]),
        ("${A b", [("malformed", "${A", ""), ("literal", " b", "")]),
        ("${", [("malformed", "${", "")]),
        ("${A:-${B}}", [("malformed", "${A:-${B}}", "")]),
        ("${A:-${B}}c", [("malformed", "${A:-${B}}", ""), ("literal", "c", "")]),
        ("${A:-${B}", [("malformed", "${A:-${B}", "")]),
        ("${ÄB}", [("malformed", "${ÄB}", "")]),
    ],
)
def test_segments(value: str, pieces: list[tuple[str, str, str]]) -> None:
    """A value is cut into literal text, variables, parameters, providers and broken pieces."""
    assert _cut(value) == pieces


@pytest.mark.inventory("S2-RES-06", "R-05")
@pytest.mark.parametrize(
    ("value", "default"),
    [
        ("${A:-x}", "x"),
        ("${A:-}", ""),
        ("${A:-a:-b}", "a:-b"),
        ("${A:- b }", " b "),
        ("${A:-http://h:1/?q}", "http://h:1/?q"),
        ("${A}", None),
        ("${A:?x}", None),
    ],
)
def test_default(value: str, default: str | None) -> None:
    """The default is everything between the first `:-` and the closing brace, as it is."""
    [piece] = segments(value)
    assert (None if piece.default is None else value[slice(*piece.default)]) == default


@pytest.mark.inventory("R-06")
@pytest.mark.parametrize("value", ["${}", "${1A}", "${A", "${A:-${B}}", "${vault:}", "${A-x}"])
def test_malformed_has_a_reason(value: str) -> None:
    """What cannot be read says why."""
    assert all(piece.reason for piece in segments(value) if piece.kind == "malformed")


@pytest.mark.inventory("S1-CONN002-02")
@given(
    st.lists(
        st.sampled_from(["${", "}", "$", "$${", "A", "1", ":-", ":?", ":", "vault", " ", "\n", "@"])
    ).map("".join)
)
def test_segments_cover_the_value(value: str) -> None:
    """The pieces lie side by side, without gap or overlap, and none is empty."""
    at = 0
    for piece in segments(value):
        assert piece.start == at < piece.end
        if piece.default is not None:
            assert piece.start < piece.default.start <= piece.default.end < piece.end
        at = piece.end
    assert at == len(value)


def test_variable_name() -> None:
    """The name of a variable is that of the field, in upper case, without other characters."""
    assert variable_name("mysql", "default", "password") == "MYSQL_DEFAULT_PASSWORD"
    assert variable_name("api", "eu-1", "X-Api Key") == "API_EU_1_X_API_KEY"


# Words of which no scanner makes a secret, put together at run time.
WORD = "orange" + "-tractor-9"


def _literal(value: str) -> list[str]:
    return [value[slice(*span)] for span in literal_secrets(value)]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "   ",
        "${V}",
        "${V:?set it}",
        "${V:-fallback-text}",
        "${vault:secret/db#pw}",
        "${A}-${B}",
        "Bearer ${TOKEN}",
        "Basic ${A}:${B}",
        "Bearer {{ token }}",
        "{{ secrets.password }}",
        "{{ a }}:{{ b }}",
        "{% if x %}{{ y }}{% endif %}",
        "<%= ENV['X'] %>",
        "$(pass show db)",
        "$DB_PASSWORD",
        "%DB_PASSWORD%",
        "@@DB_PASSWORD@@",
        "#{DbPassword}#",
        "__DB_PASSWORD__",
        "@vault.mysql",
        "vault:secret/data/db#password",
        "op://vault/item/field",
        "ref+awsssm://path/to",
        "arn:aws:secretsmanager:eu-west-1:1:secret:db",
        "projects/p/secrets/s/versions/1",
        "https://acme.vault.azure.net/secrets/pw",
        "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/pw)",
        "/run/secrets/db",
        "ENC[AES256_GCM,data:abc]",
        "ENC(abc)",
        "{cipher}abcdef",
        "$ANSIBLE_VAULT;1.1;AES256\n6162",
        "changeme",
        "CHANGE_ME",
        "!ChangeMe!",
        "<your-password>",
        "your-api-key",
        "***",
        "xxxxxx",
        "REDACTED",
        "EXAMPLE",
        "example-token",
        "not-a-real-key",
        "DB_PASSWORD",
        "TOKEN",
        "...",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "mysql://reader:${PW}@db.example.com/shop",
        "mysql://${U:-root}:${PW:?set it}@db.example.com/shop",
        "mysql://reader@db.example.com/shop",
        "mysql://reader:***@db.example.com/shop",
        "jdbc:postgresql://db.example.com/shop?user=reader",
        "host=db.example.com dbname=shop user=reader",
        "host=db.example.com password=${PW:?set it} user=reader",
        "Server=db.example.com;Database=shop;User ID=reader",
        "{{ password | default('changeme') }}",
    ],
)
def test_nothing_written_out(value: str) -> None:
    """References, encrypted values, placeholders and addresses without a password hold none."""
    assert _literal(value) == []


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (WORD, [WORD]),
        ("root", ["root"]),
        ("password", ["password"]),
        ("12345", ["12345"]),
        ("token", ["token"]),
        ("basically", ["basically"]),
        (f"  {WORD}\n", [WORD]),
        (f"Bearer {WORD}", [WORD]),
        (f"bearer  {WORD}", [WORD]),
        (f"{WORD}${{SUFFIX}}", [WORD]),
        (f"${{PREFIX}}{WORD}", [WORD]),
        (f"${{A}}-{WORD}-${{B}}", [f"-{WORD}-"]),
        (f"{WORD}{{{{ suffix }}}}", [WORD]),
        ("$${NOT_A_VARIABLE}x", ["$${NOT_A_VARIABLE}x"]),
        (f"{{{{ password | default('{WORD}') }}}}", [WORD]),
        (f'{{{{ env_var("DB_PASSWORD", "{WORD}") }}}}', [WORD]),
        (f"{{{{ password or '{WORD}' }}}}", [WORD]),
        (f"mysql://reader:{WORD}@db.example.com:3306/shop", [WORD]),
        (f"mysql://${{U:-root}}:{WORD}@db.example.com/shop", [WORD]),
        (f"mysql://reader:a#{WORD}/?@db.example.com/shop", [f"a#{WORD}/?"]),
        ("https://db.example.com:8443/a@b", []),
        ("mongodb://a.example.com:27017,b.example.com:27017/?x=a@b", []),
        (f"mysql://reader:{WORD}${{X}}@db.example.com/shop", [WORD]),
        (f"jdbc:postgresql://db/shop?user=a&password={WORD}", [WORD]),
        (f"host=db user=a password={WORD} sslmode=require", [WORD]),
        (f"host=db password='{WORD} x' user=a", [f"{WORD} x"]),
        (f"Server=db;User ID=a;Password={WORD};", [WORD]),
        (f"DRIVER={{ODBC}};SERVER=db;PWD={{{WORD};}}", [f"{WORD};"]),
        (f"sessionid={WORD}; csrftoken={WORD}", [f"sessionid={WORD}; csrftoken={WORD}"]),
        ("abc=", ["abc="]),
    ],
)
def test_written_out(value: str, parts: list[str]) -> None:
    """Only what is literal counts; in an address only its password."""
    assert _literal(value) == parts


@pytest.mark.inventory("R-05")
@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (f"${{V:-{WORD}}}", [WORD]),
        ("${V:-}", []),
        ("${V:-changeme}", []),
        ("${V:?message}", []),
        (f"${{A:-{WORD}}}:${{B:-second-{WORD}}}", [WORD, f"second-{WORD}"]),
    ],
)
def test_literal_defaults(value: str, parts: list[str]) -> None:
    """The default of a variable is literal text."""
    assert [value[slice(*span)] for span in literal_defaults(value)] == parts


PIECES = st.sampled_from(
    [
        "${A}",
        "${B:-text}",
        "${C:?x y}",
        "${",
        "}",
        "$${D}",
        "{{ e }}",
        "{{ e | default('word9') }}",
        "orange9",
        " ",
        "\n",
        "Bearer ",
        "mysql://u:",
        "@db/x",
        "password=",
        "'",
        '"',
        ";",
        "=",
        "%",
        "host=a ",
    ]
)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_spans_are_literal(value: str) -> None:
    """Spans lie inside the value, in order, are not empty, and never cover a variable."""
    variables = [piece for piece in segments(value) if piece.kind == "variable"]
    for found in (literal_secrets(value), tuple(connection_string_secrets(value))):
        at = 0
        for span in found:
            assert at <= span.start < span.end <= len(value)
            at = span.end
            for piece in variables:
                assert not (span.start <= piece.start and piece.end <= span.end)


@given(st.text(max_size=40))
def test_any_text(value: str) -> None:
    """No text is too odd, and what is indirect as a whole has no literal part but a fallback."""
    spans = literal_secrets(value)
    list(connection_string_secrets(value))
    literal_defaults(value)
    if is_indirect(value) and "{{" not in value:
        assert spans == ()


_PIECES = [
    "x://",
    "u",
    ":",
    "${PW}",
    "${PW:-d}",
    "s3cr3t",
    "@",
    "h.example",
    "/",
    "?",
    "=",
    "password",
    ",",
    "&",
    "-",
]


@given(st.lists(st.sampled_from([*_PIECES, " "]), max_size=12))
def test_a_good_address_holds_no_password(pieces: list[str]) -> None:
    """What is passed over quickly has nothing that a closer look would find."""
    value = "x://u:${PW}@" + "".join(pieces)
    closer = [(start - 1, end - 1) for start, end in connection_string_secrets(f" {value}")]
    assert list(connection_string_secrets(value)) == closer
