"""Which literal under a name is a secret."""

import pytest

from osiris_lsp.secrets.literals import entropy, is_secret, looks_random


@pytest.mark.parametrize(
    ("role", "name", "value"),
    [
        ("password", "password", "dragon"),
        ("password", "password", "password"),
        ("password", "password", "correct horse battery staple"),
        ("password", "password", "12345678"),
        ("token", "token", "acme-prod-7"),
        ("token", "api_key", "0f343b0931126a20"),
        ("token", "api_key", "/9j4AAQSk3ZJRg8ABAQ2AAD7x1"),
        ("maybe", "key", "b7Xq2Lr9Tz4Wm1Vk8Dn3"),
    ],
)
def test_a_secret(role: str, name: str, value: str) -> None:
    """Passwords may be weak and hold white space; what may be a key must look random."""
    assert is_secret(role, name, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("role", "name", "value"),
    [
        ("password", "password", "Password"),
        ("password", "password", "required"),
        ("password", "password", "must be set by the user"),
        ("password", "pwd", "/home/reader"),
        ("token", "token", "bearer"),
        ("token", "token", "512"),
        ("token", "api_key", "api-key-1"),
        ("token", "api_key", "1234567890abcdef"),
        ("token", "private_key", "certs/client.key"),
        ("token", "session_key", "user.id"),
        ("token", "token", "see the wiki"),
        ("maybe", "key", "orders"),
        ("maybe", "key", "SampleKey1"),
        ("maybe", "key", "users-v2-2024-11"),
    ],
)
def test_no_secret(role: str, name: str, value: str) -> None:
    """Labels, answers, prose, paths, dummies, and words under a key that says little."""
    assert not is_secret(role, name, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        "short1A",
        "analyticsdatabase",
        "5a065f88-4c83-46c5-bf79-f638787ce318",
        "2024-01-01T00:00:00Z",
        "sha256:0f343b0931126a20",
        "https://example.com/b7Xq2Lr9Tz4",
        "aaaaaaaaaaaaaaaaaaaa1",
        "ipv4-to-ipv6-gateway",
    ],
)
def test_what_does_not_look_random(value: str) -> None:
    """Identifiers, dates, digests, addresses and words."""
    assert not looks_random(value)


def test_entropy() -> None:
    """Bits for each character."""
    assert (entropy(""), entropy("aaaa"), entropy("ab"), entropy("abcd")) == (0, 0, 1, 2)
