"""Secrets in base64."""

import base64

import pytest

from osiris_lsp.secrets.encoded import decode, find_encoded


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("postgresql://reader:tractor9@db/shop", "the password in the address"),
        ("PGPASSWORD=tractor9 psql -h db", "`PGPASSWORD`"),
        ('{"password": "tractor9"}', "`password`"),
        ('{"auths": {"registry": {"auth": "eDp5"}}}', "the login of a registry"),
    ],
)
def test_a_secret_inside(text: str, subject: str) -> None:
    """The part of the value that is encoded, and what is in it."""
    value = _encode(text)
    found = find_encoded(value)
    assert found is not None
    assert (value[slice(*found.span)], found.subject) == (value, subject)
    basic = find_encoded(f"Basic {value}")
    assert basic is not None and basic.span.start == 6


@pytest.mark.parametrize("value", [_encode("an ordinary text"), "analyticsdatabase", "a" * 40, ""])
def test_no_secret_inside(value: str) -> None:
    """Ordinary text, and words that only look like base64."""
    assert find_encoded(value) is None


def test_decode_takes_lines_and_the_alphabet_of_urls() -> None:
    """White space inside and missing padding do not matter, binary data is no text."""
    value = _encode("orange-tractor-9 and more")
    assert decode(value[:12] + "\n" + value[12:]) == "orange-tractor-9 and more"
    assert decode(base64.b64encode(bytes(range(130, 180))).decode()) is None
