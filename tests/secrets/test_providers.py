"""Formats of tokens; every token here is made at run time."""

import base64
import json
import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osiris_lsp.secrets import providers as module
from osiris_lsp.secrets.providers import (
    CANDIDATE,
    LEAST,
    Provider,
    find_tokens,
    has_checksum,
    providers,
)

BODY = "b7Xq2Lr9Tz4Wm1Vk8Dn3Gy6Hc5Jf0K"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def checked(prefix: str, body: str = BODY) -> str:
    """Return a token with the checksum of GitHub and npm."""
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        digits = DIGITS[rest] + digits
    return prefix + body + digits.rjust(6, "0")


def signed(payload: object) -> str:
    """Return a token with a payload and a signature that is none."""
    parts = [json.dumps({"alg": "HS256"}), json.dumps(payload), "orange-tractor-9-green-field"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


def names(text: str) -> list[tuple[str, bool, str | None]]:
    """Return name, validity and severity of the tokens in a text."""
    return [(item.name, item.valid, item.severity) for item in find_tokens(text, text.lower())]


def test_there_are_many_formats_with_sources() -> None:
    """At least 60, each with a name of its own, marks, and a page that describes it."""
    known = providers()
    assert len(known) >= 60
    assert len({provider.name for provider in known}) == len(known)
    data = Path(module.__file__).with_name("providers.json").read_text(encoding="utf-8")
    assert all(item["source"].startswith("https://") for item in json.loads(data))


@pytest.mark.parametrize("provider", providers(), ids=lambda provider: provider.name)
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_the_filters_let_every_format_through(provider: Provider, data: st.DataObject) -> None:
    """What matches a pattern has one of its marks and is a long word.

    Of the characters that a class allows, those that part words are left out: tokens have few.
    """
    pattern = re.sub(r"\[[^\]]*\]", lambda match: re.sub(r"[.=/%]", "", match[0]), provider.source)
    pattern = pattern.replace("[\\w", "[A-Za-z0-9_")
    token = data.draw(st.from_regex(pattern, fullmatch=True))
    assert provider.words or any(mark in token for mark in provider.marks)
    assert len(token) >= LEAST and not any(map(str.isspace, token))
    assert CANDIDATE.search(token)


FORMATS = {
    "a Shopify token": ("shpat", "_", "0f343b0931126a20f133d67c2b018a3b"),
    "a Stripe key": ("sk_", "live", "_", BODY[:24]),
    "a GitLab token": ("glpat", "-", BODY[:20]),
    "a Slack webhook": ("https://hooks.slack", ".com/services/T01/B01/", BODY[:24]),
    "an AWS access key id": ("AKIA", "Q7ZT2M5KXW4RJB6N"),
    "a Google API key": ("AI", "za", BODY, "Xq2Lr"),
    "a Telegram bot token": ("123456789", ":AA", BODY, "Xq2"),
    "a Databricks token": ("dapi", "0f343b0931126a20f133d67c2b018a3b"),
    "an Anthropic key": ("sk-ant", "-api03-", BODY * 3),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_token_is_found_anywhere(name: str) -> None:
    """Bare, quoted, behind a scheme, in an option and in the middle of a sentence."""
    token = "".join(FORMATS[name])
    for around in ("x: {}", 'x: "{}"', "x: Bearer {}", "x: a --key={} b", "# it was {}, once"):
        assert names(around.format(token)) == [(name, True, None)]


def test_a_checksum_tells_real_tokens() -> None:
    """A GitHub or npm token whose checksum does not hold is not valid."""
    for prefix in ("ghp_", "npm_"):
        token = checked(prefix)
        assert has_checksum(token)
        assert [valid for _, valid, _ in names(f"x: {token}")] == [True]
        assert [valid for _, valid, _ in names(f"x: {token[:-1]}!")] == []
        wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
        assert [valid for _, valid, _ in names(f"x: {wrong}")] == [False]


def test_the_payload_of_a_signed_token_counts() -> None:
    """The anon key of Supabase is information, its service_role key and all others are not."""
    anon = names(signed({"iss": "supabase", "role": "anon"}))
    service = names(signed({"iss": "supabase", "role": "service_role"}))
    other = names(signed({"sub": "reader"}))
    assert anon == [("a Supabase anon key", True, "info")]
    assert service == [("a Supabase service_role key", True, None)]
    assert other == [("a signed token (JWT)", True, None)]


def test_dummies_and_patterns_are_no_tokens() -> None:
    """One character over and over, an example, a regular expression."""
    texts = ["ghp" + "_" + "x" * 36, "ghp" + "_" + "0" * 36, "gh[pousr]_[A-Za-z0-9]{36}"]
    assert [names(text) for text in texts] == [[], [], []]


def test_a_word_must_stand_near() -> None:
    """A format without a mark of its own counts where a word before it tells whose it is."""
    token = ".".join(("abcde1", "b7xq2lr9tz4wm1vk"))
    assert names(f"kubeadm_token: {token}")
    assert not names(f"other: {token}")
    assert not names("kubeadm: x\n" + "# filler\n" * 40 + f"other: {token}")
