import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.connectors.evidence.robots import Robots, read_robots


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/fish", "/fish", True),
        ("/fish", "/fishheads/yummy.html", True),
        ("/fish", "/Fish.asp", False),
        ("/fish", "/catfish", False),
        ("/fish*", "/fish.html", True),
        ("/*.php", "/folder/any.php.file.html", True),
        ("/*.php", "/windows.PHP", False),
        ("/*.php$", "/folder/filename.php", True),
        ("/*.php$", "/filename.php?parameters", False),
        ("/fish*.php", "/fishheads/catfish.php?x", True),
        ("/fish$", "/fish", True),
        ("/fish$", "/fishes", False),
        ("/a*a$", "/a", False),
        ("/a*a$", "/aa", True),
        ("/a*b*c", "/axxbxxc", True),
        ("/a*b*c", "/axxcxxb", False),
        ("/a%3cd.html", "/a%3Cd.html", True),
        ("/ä", "/%C3%A4", True),
        ("/%7Ejoe/", "/~joe/", True),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    """Those of RFC 9309 and of its best known reader."""
    rules = read_robots(f"User-agent: *\nDisallow: {pattern}", "osiris-lsp")
    assert rules.allow(path) is not fits


@pytest.mark.parametrize(
    ("lines", "path", "allowed"),
    [
        (("allow: /p", "disallow: /"), "/page", True),
        (("allow: /folder", "disallow: /folder"), "/folder/page", True),
        (("allow: /page", "disallow: /*.htm"), "/page.htm", False),
        (("disallow: /", "allow: /$"), "/", True),
        (("disallow: /", "allow: /$"), "/page.htm", False),
        (("disallow: /",), "/robots.txt", True),
    ],
)
def test_the_longest_pattern_decides(lines: tuple[str, ...], path: str, allowed: bool) -> None:
    """`allow` wins where both are as long, and the rules themselves may always be read."""
    text = "\r\n".join(("User-Agent: *", *lines))
    assert read_robots(text, "osiris-lsp").allow(path) is allowed


def test_groups() -> None:
    """Groups of the same name are one, comments are none, and others are not for us."""
    text = """\ufeff# a comment
Disallow: /before-any-group
User-agent: other
User-agent: OSIRIS-LSP/1.0  # both
Disallow: /one # here
Sitemap: https://example.com/x
User-agent: someone
Disallow: /
User-agent: osiris-lsp
Disallow: /two
"""
    rules = read_robots(text, "osiris-lsp")
    paths = ("/one", "/two", "/three", "/before-any-group")
    assert [rules.allow(path) for path in paths] == [False, False, True, True]
    assert read_robots(text, "stranger").allow("/one") is True


@given(st.text(), st.text())
def test_any_text(text: str, path: str) -> None:
    """Whatever a site sends, there is an answer."""
    rules = read_robots(f"User-agent: *\nDisallow: {text}\n{text}", "osiris-lsp")
    assert rules.allow(f"/{path}") in (True, False)


def test_many_stars() -> None:
    """A pattern made to take for ever does not."""
    assert Robots(((False, "/" + "*a" * 20_000 + "$"),)).allow("/" + "a" * 20_000 + "b") is True
