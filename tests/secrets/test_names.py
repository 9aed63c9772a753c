"""What the names of keys say."""

import pytest

from osiris_lsp.secrets.names import context, is_language, is_secret_name, role

ROLES = {
    "password": (
        "password dbPassword DB_PASS mysql_pwd passphrase PGPASSWORD mot_de_passe contraseña "
        "пароль password_2 password_prod ssh-key-passphrase"
    ),
    "token": (
        "token accessToken api_key apiKey APIKEY X-Api-Key client_secret secretAccessKey "
        "service_role_key secret_key_base private_key_pem webhook_secret kompose.image-pull-secret "
        "AccountKey SharedAccessKey sessionKey Authorization api_keys"
    ),
    "maybe": "key keys auth signature posthog_key anon_key",
    "": (
        "host user password_policy api_key_env token_url key_file secret_id primary_key sort_keys "
        "max_tokens eos_token keyboard monkey passive passenger compass public_key ssl_key "
        "requires_secret reset_password_title access_key_id tokenizer secretName csrf_token 1 _"
    ),
}


@pytest.mark.parametrize(
    ("name", "expected"), [(name, kind) for kind, names in ROLES.items() for name in names.split()]
)
def test_role(name: str, expected: str) -> None:
    """The last word decides, and the words before it may make it something else."""
    assert role(name) == expected


def test_context() -> None:
    """Headers and credentials prove who a client is, columns and types do not."""
    assert [context(name) for name in ("headers", "db_credentials", "columns", "sops", "x")] == [
        "holder",
        "holder",
        "off",
        "closed",
        "",
    ]


def test_is_secret_name() -> None:
    """Masking hides less sure names too, but no bare `key`."""
    hidden = ("password", "dsn", "anon_key", "posthog_key", "Authorization")
    shown = ("key", "auth", "host", "primary_key", "next_token")
    assert [is_secret_name(name) for name in hidden + shown] == [True] * 5 + [False] * 5


def test_is_language() -> None:
    """Only codes of languages count, with a region or without."""
    names = ("en", "pt-BR", "zh_Hant", "db", "env", "enterprise")
    assert [is_language(name) for name in names] == [True, True, True, False, False, False]
