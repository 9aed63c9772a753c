"""Secrets in the middle of longer texts."""

import pytest

from osiris_lsp.secrets.structures import find_json, find_parts


def parts(text: str) -> list[str]:
    """Return the secrets in a text, each once."""
    return list(dict.fromkeys(text[slice(*part.span)] for part in find_parts(text, text.lower())))


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("postgresql://a:tractor%409@db/x", ["tractor%409"]),
        ("mongodb://a:tractor9@h1:1,h2:2/x", ["tractor9"]),
        ("jdbc:oracle:thin:scott/tractor9@db:1521:x", ["tractor9"]),
        ("a=1;password={trac;tor};b=2", ["trac;tor"]),
        ("host=db password='orange tractor' user=x", ["orange tractor"]),
        ("SECRET_KEY=tractor-key-9,", ["tractor-key-9"]),
        ("mysql --password tractor9 db", ["tractor9"]),
        ("curl -u admin:tractor9 https://x", ["tractor9"]),
        ("app:tractor9@tcp(db:3306)/x", ["tractor9"]),
        ("machine x.io login me password tractor9", ["tractor9"]),
        ("[default]\naws_secret_access_key = b7Xq2Lr9Tz4Wm1\n", ["b7Xq2Lr9Tz4Wm1"]),
        ("Authorization: Bearer 0f343b0931126a20", ["0f343b0931126a20"]),
        ("CREATE USER x IDENTIFIED BY 'tractor9'", ["tractor9"]),
        ("CREATE SECRET (TYPE s3, SECRET 'tractor9')", ["tractor9"]),
    ],
)
def test_parts(text: str, secrets: list[str]) -> None:
    """Addresses, assignments, options, headers and SQL."""
    assert parts(text) == secrets


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://a:${PW}@db/x",
        "postgresql://user:password@db/x",
        "a=1;password=${PW};b=2",
        "WHERE password = :password",
        "if password == other: pass",
        "app:${PW}@tcp(db:3306)/x",
        "token = tokens[0]\nsecret = load(x)\npassword = varchar(20)\n",
        "f(password=password, token=get_token())",
        "mysql --password $PW --password-stdin",
        "Authorization: Bearer <token>",
        "SELECT 'secret' AS token, 'x'",
        "the password 'tractor9' is no statement",
    ],
)
def test_no_parts(text: str) -> None:
    """References, code, conditions, placeholders and prose."""
    assert parts(text) == []


def test_find_json() -> None:
    """Names and values of secrets, also where the quotes are escaped and in lists."""
    text = '{"user": "x", "password": "tractor9", "tokens": ["tractor-8"], "key": "x"}'
    assert [(name, text[slice(*span)]) for name, span in find_json(text)] == [
        ("password", "tractor9"),
        ("tokens", "tractor-8"),
    ]
    escaped = text.replace('"', '\\"')
    assert [name for name, _ in find_json(escaped)] == ["password", "tokens"]
