"""What the detector finds in whole texts, and what it leaves alone."""

import base64
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from osiris_lsp.documents import ConnectionsDocument, Document
from osiris_lsp.secret import mask
from osiris_lsp.specs import Families
from tests.secrets.test_providers import checked, signed

DEADLINE = 5.0
"""Seconds of the processor; each takes a fraction of one, and hours if it were not linear."""


def found(text: str) -> list[tuple[str, str]]:
    """Return the rules and the literals of the leaks of a text, in order."""
    leaks = [leak for group in Document("/x/a.yaml", text).leaks.values() for leak in group]
    return [(leak.kind, text[slice(*leak.span)]) for leak in sorted(leaks, key=lambda it: it.span)]


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLAIN = [
    ("password: |\n  tractor9\n", "tractor9"),
    ("db: {'password': 'tractor9'}", "tractor9"),
    ('db: {user: a, "password": tractor9}', "tractor9"),
    ("? password\n: tractor9\n", "tractor9"),
    ("password : tractor9", "tractor9"),
    ("password: !!str tractor9", "tractor9"),
    ("password: 'pa#ss word'", "pa#ss word"),
    ("a: &pw tractor9\npassword: *pw\nb: {password: *pw}", "tractor9"),
    ("password: prefix_${PW}", "prefix_"),
    ("dsn: host=db password=tractor9 user=x", "tractor9"),
    ("conn: Server=a;User Id=c;Password=tractor9;", "tractor9"),
    ("args: [--password=tractor9]", "tractor9"),
    ("args: [--password, tractor9]", "tractor9"),
    ("cmd: mysql -u root --password=tractor9 db", "tractor9"),
    ("cmd: curl -u admin:tractor9 https://x", "tractor9"),
    ("cmd: PGPASSWORD=tractor9 psql -h x", "tractor9"),
    ("sql: ALTER ROLE a WITH PASSWORD 'tractor9'", "tractor9"),
    ("sql: SET s3_secret_access_key='tractor-9-tractor';", "tractor-9-tractor"),
    ("headers:\n  - 'X-Api-Key: 0f343b0931126a20'", "0f343b0931126a20"),
    ("cmd: 'curl -H \"Authorization: Bearer 0f343b0931126a20\" x'", "0f343b0931126a20"),
    ("env:\n  - name: API_TOKEN\n    value: tractor-tok", "tractor-tok"),
    ("application.yml: |\n  spring:\n    password: tractor9\n", "tractor9"),
    ('conf: |\n  {\n    "password": "tractor9",\n  }\n', "tractor9"),
    ("a: [1\npassword: tractor9\n", "tractor9"),
    ("a:\n\tpassword: tractor9\n", "tractor9"),
    ('sasl.jaas.config: x required username="a" password="tractor9";', "tractor9"),
    ("kind: Secret\ndata:\n  password: " + _encode("tractor9"), _encode("tractor9")),
    ("headers:\n  Authorization: Basic " + _encode("a:tractor9"), _encode("a:tractor9")),
]


@pytest.mark.parametrize(("text", "literal"), PLAIN)
def test_plaintext(text: str, literal: str) -> None:
    """The literal alone, once, in every form of YAML and in structures inside values."""
    assert found(text) == [("plaintext-secret", literal)]


OTHERS = [
    ("url: redis://:tractor9@h:6379/0", "url-credentials", "tractor9"),
    ("url: ftp://a:p@ss@h/x", "url-credentials", "p@ss"),
    ("url: https://x.io/v1?api_key=0f343b0931126a20", "url-credentials", "0f343b0931126a20"),
    ("password: ${PW:-tractor9}", "secret-default", "tractor9"),
    ("url: sftp://a:${SFTP_PASS:-tractor9}@h/x", "secret-default", "tractor9"),
    ("password: !ENV ${PW:tractor9}", "secret-default", "tractor9"),
    ("# DATABASE_URL=postgres://a:tractor9@h/db\na: 1", "secret-in-comment", "tractor9"),
    ("a: 1 # password=tractor9", "secret-in-comment", "tractor9"),
    ("posthog:\n  key: b7Xq2Lr9Tz4Wm1Vk8Dn3", "high-entropy-value", "b7Xq2Lr9Tz4Wm1Vk8Dn3"),
]


@pytest.mark.parametrize(("text", "kind", "literal"), OTHERS)
def test_the_rule_that_fits_best(text: str, kind: str, literal: str) -> None:
    """Addresses, defaults, comments and random text have rules of their own."""
    assert found(text) == [(kind, literal)]


QUIET = [
    "password: $PW",
    "password: ${{ secrets.PW }}",
    "password: '%(pw)s'",
    "password: '#{pw}'",
    "password: op://a/b/c",
    "password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162",
    "sops:\n  mac: b7Xq2Lr9Tz4Wm1Vk8Dn3\n  key: b7Xq2Lr9Tz4Wm1Vk8Dn3",
    "columns: [password, token]",
    "columns:\n  - name: password\n    type: string",
    "fields:\n  - name: token\n    value: string",
    "properties:\n  password: {type: string, description: the password}",
    "en:\n  login:\n    password: Password\n    change_password: Change password",
    "sql: SELECT * FROM t WHERE password = :pw AND token = ?",
    "url: https://example.com/@scope/a:1",
    "git: git@github.com:a/b.git",
    "image: registry.io:5000/a@sha256:0f343b0931126a20f133d67c2b018a3b",
    "cmd: mysql --password=$PW && docker login --password-stdin",
    "script: |\n  token = os.environ['X']\n  f(password=password, token=self.token)",
    "script: |\n  password = getpass.getpass()\n  api_key=config.api_key",
    "script: |\n  def f(password: str, token: str = None):\n    token: Optional[str]\n",
    "doc: |\n  password: the password of the user\n  token: <token>\n",
    "permissions: {id-token: write}",
    "env:\n  - name: PW\n    valueFrom: {secretKeyRef: {name: a, key: password}}",
    "imagePullSecrets:\n  - name: regcred",
    "securitySchemes:\n  apiKey: {type: apiKey, in: header, name: X-API-Key}",
    "pattern: '(?i)password\\s*=\\s*.+'",
    "dsn: postgres://user:password@host/db",
    "description: Pass the token as Bearer header with --token TOKEN",
]


@pytest.mark.parametrize("text", QUIET)
def test_nothing_to_find(text: str) -> None:
    """References, names of things, schemas, texts for people, code and documentation."""
    assert found(text) == []


def test_of_what_overlaps_the_most_precise_is_told() -> None:
    """A token under a secret key, in a comment, and as a default is found once."""
    token = checked("ghp_")
    assert found(f"token: {token}") == [("provider-token", token)]
    assert found(f"token: ${{T:-{token}}}") == [("provider-token", token)]
    assert found(f"# token: {token}\na: 1") == [("secret-in-comment", token)]
    assert found(f"url: https://{token}@example.com/x") == [("provider-token", token)]


def test_a_declared_field_takes_no_literal() -> None:
    """Whatever its name says, a field of a family's spec is secret; the anon key is not."""
    text = "connections:\n  supabase:\n    a: {url: x, key: weak}\n    b: {url: x, anon_key: p-1}\n"
    document = ConnectionsDocument("/x/osiris_connections.yaml", text, Families())
    (leak,) = document.leaks["plaintext-secret"]
    assert (text[slice(*leak.span)], leak.variable) == ("weak", "SUPABASE_A_KEY")
    assert list(document.leaks) == ["plaintext-secret"]


def test_what_is_found_in_an_entry_depends_on_that_entry() -> None:
    """An entry gives the same leaks alone and between others."""
    entries = [
        f"  e{number}:\n    {text}\n"
        for number, text in enumerate(("password: tractor9", "url: redis://:tractor8@h", "a: 1"))
    ]
    whole = found("c:\n" + "".join(entries))
    apart = [leak for entry in entries for leak in found("c:\n" + entry)]
    assert whole == apart
    assert len(whole) == 2


HUGE = {
    "assignments": "x: " + "password=" * 20_000,
    "spaced": "x: '" + "password = x " * 10_000 + "'",
    "addresses": "x: " + "http://a:b@" * 10_000,
    "json": "x: '{" + '"password":' * 10_000 + "'",
    "lines": "x: |\n" + "  password: a1\n" * 10_000,
    "keys": "x: |\n" + "  -----BEGIN PRIVATE KEY-----\n" * 3_000,
    "headers": "x: '" + "x-api-key: " * 10_000 + "'",
    "words": "x: " + "a1B2" * 40_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_values_do_not_hang(name: str) -> None:
    """The detector takes time in proportion to a text, whatever it repeats."""
    document = Document("/x/a.yaml", HUGE[name])
    begun = time.process_time()
    _ = document.secret_spans
    assert time.process_time() - begun < DEADLINE


PIECES = [
    *(text for text, _ in PLAIN),
    *(text for text, _, _ in OTHERS),
    "x: " + signed({"sub": "a"}),
    "- [", "\t", "a: 'b", "#", "password:", "token: >-", "\r\n", "🔑: ${", "key: {{ x | default('",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("\n".join))
@example("password: ${A:-${B}}")
@example("- [\npassword: |\n  tractor9\n")
@example('a: [\npassword: "orange\n  tractor9')
def test_masking_covers_all_that_is_found(text: str) -> None:
    """Leaks lie inside the text, do not overlap, and no masked text shows one."""
    document = Document("/x/a.yaml", text)
    leaks = document.detection.leaks
    for before, after in pairwise(leaks):
        assert before.span.end <= after.span.start
    spans = document.secret_spans
    for leak in leaks:
        assert 0 <= leak.span.start < leak.span.end <= len(text)
        assert any(span.start <= leak.span.start and leak.span.end <= span.end for span in spans)
        assert text[slice(*leak.span)] not in leak.subject
    assert "tractor9" not in mask(text, spans)
