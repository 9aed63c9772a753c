from dataclasses import fields

import pytest

from osiris_lsp.connectors.evidence.source import Evidence, SourceType, freshness, iso_time
from tests.connectors.evidence.notes import NOW


def evidence(**more: object) -> Evidence:
    """The least that evidence has."""
    return Evidence("1", SourceType.WEB_SEARCH, "https://example.com", "text", **more)  # type: ignore[arg-type]


@pytest.mark.inventory("S3-EV-01", "S3-EV-02", "S3-EV-03", "S3-BASE-03")
def test_fields_and_defaults() -> None:
    """Four fields are given, all others have the defaults of the seed."""
    made = evidence()
    assert {item.name: getattr(made, item.name) for item in fields(made)} == {
        "id": "1",
        "source_type": SourceType.WEB_SEARCH,
        "source_id": "https://example.com",
        "content": "text",
        "title": "",
        "created_at": None,
        "author": None,
        "url": None,
        "confidence": 0.5,
        "freshness": 1.0,
        "authority": 0.5,
        "metadata": {},
    }


@pytest.mark.inventory("S3-EV-04")
def test_metadata_is_not_shared() -> None:
    """Each piece of evidence has a mapping of its own."""
    first, second = evidence(), evidence()
    first.metadata["stars"] = 5
    assert second.metadata == {}


@pytest.mark.inventory("S3-EV-05", "S3-TYPE-02")
@pytest.mark.parametrize(
    ("confidence", "fresh", "authority", "expected"),
    [
        (0.5, 1.0, 0.5, 0.65),
        (1.0, 0.0, 0.0, 0.4),
        (0.0, 1.0, 0.0, 0.3),
        (0.0, 0.0, 1.0, 0.3),
        (1.0, 1.0, 1.0, 1.0),
        (0.0, 0.0, 0.0, 0.0),
    ],
)
def test_reliability(confidence: float, fresh: float, authority: float, expected: float) -> None:
    """0.4 of confidence, 0.3 of freshness, 0.3 of authority."""
    made = evidence(confidence=confidence, freshness=fresh, authority=authority)
    assert made.reliability_score == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("created_at", "expected"),
    [
        (iso_time(NOW), 1.0),
        (iso_time(NOW - 365 * 86_400), 0.5),
        (iso_time(NOW - 730 * 86_400), 0.25),
        ("2099-01-01", 1.0),
        ("2099-01-01T00:00:00Z", 1.0),
        (None, 0.5),
        ("yesterday", 0.5),
    ],
)
def test_freshness(created_at: str | None, expected: float) -> None:
    """Half as fresh each year, and half where nobody knows."""
    assert freshness(created_at, NOW) == pytest.approx(expected)


@pytest.mark.parametrize("strange", [None, "1", True, float("nan"), float("inf"), 1e30, [1]])
def test_times_that_are_none(strange: object) -> None:
    """What is no time becomes none."""
    assert iso_time(strange) is None
