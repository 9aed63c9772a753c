"""The chain of records: what it keeps, and that no change of it goes unseen."""

import dataclasses
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.connectors import ConnectorParseError, ConnectorValidationError
from osiris_lsp.connectors.evidence.provenance import START, ProvenanceManager
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from tests.connectors.evidence.notes import NOW

KEY = b"c4n4ry-key"


def chain(count: int, **options: Any) -> ProvenanceManager:
    """A chain of so many records, made at a known time."""
    numbers = itertools.count(1)
    made = ProvenanceManager(wall=lambda: NOW, make_id=lambda: f"r{next(numbers)}", **options)
    for number in range(count):
        made.record(piece(number), "claim_1" if number % 2 else None)
    return made


def piece(number: int) -> Evidence:
    """The evidence behind a record."""
    content = f"content {number} ü \ud800"
    return Evidence(
        f"e{number}", SourceType.DOCUMENT, f"docs/{number}.md", content, title="A title"
    )


def test_what_a_record_says() -> None:
    """Who said what, when it was seen, for which claim; the content only as a hash."""
    made = chain(2)
    first, second = made.records
    shown = dataclasses.asdict(second)
    assert shown.pop("hash") == made.head
    assert len(shown.pop("content_hash")) == 64
    assert shown == {
        "id": "r2",
        "evidence_id": "e1",
        "source_type": "document",
        "source_id": "docs/1.md",
        "title": "A title",
        "url": None,
        "author": None,
        "created_at": None,
        "reliability_score": pytest.approx(0.65),
        "claim_id": "claim_1",
        "recorded_at": "2026-09-21T14:13:20+00:00",
        "previous": first.hash,
    }
    assert first.previous == START
    assert list(made.for_claim("claim_1")) == [second]


def test_evidence_that_matches() -> None:
    """A record tells its evidence from one that was changed."""
    record = chain(1).records[0]
    changed = [
        dataclasses.replace(piece(0), id="other"),
        dataclasses.replace(piece(0), source_id="other"),
        dataclasses.replace(piece(0), content="other"),
    ]
    assert [record.matches(item) for item in (piece(0), *changed)] == [True, False, False, False]


@pytest.mark.parametrize("key", [None, KEY])
def test_there_and_back(key: bytes | None) -> None:
    """What `export` writes is the same chain when it is read, and goes on."""
    made = chain(3, key=key)
    back = ProvenanceManager.load(made.export(), head=made.head, key=key)
    assert back.records == made.records
    back.record(piece(9))
    back.verify(head=made.head)
    assert len(back) == 4


def test_an_empty_chain() -> None:
    """It is one, and verifies."""
    made = chain(0)
    assert ProvenanceManager.load(made.export()).records == ()
    assert (bool(made), len(made), made.head) == (True, 0, START)


FIELDS = [item.name for item in dataclasses.fields(chain(1).records[0])]


@given(
    place=st.integers(0, 3),
    name=st.sampled_from(FIELDS),
    value=st.one_of(st.text(), st.none(), st.floats(0, 1), st.integers(), st.booleans()),
)
def test_any_change_is_found(place: int, name: str, value: Any) -> None:
    """Whatever is written into whichever field of a record."""
    made = chain(4)
    shown = json.loads(made.export())
    before = shown["records"][place][name]
    if type(before) is type(value) and before == value:
        return
    shown["records"][place][name] = value
    with pytest.raises((ConnectorValidationError, ConnectorParseError)) as caught:
        ProvenanceManager.load(json.dumps(shown))
    assert caught.value.code in ("provenance.broken", "provenance.format")


def _swap(records: list[Any]) -> None:
    records[1], records[2] = records[2], records[1]


CHANGES: dict[str, Callable[[list[Any]], object]] = {
    "one is taken out": lambda records: records.pop(1),
    "the first is taken out": lambda records: records.pop(0),
    "one is doubled": lambda records: records.insert(1, records[1]),
    "two change places": _swap,
}


@pytest.mark.parametrize("change", CHANGES)
def test_records_that_are_moved(change: str) -> None:
    """The order is part of the chain."""
    shown = json.loads(chain(4).export())
    CHANGES[change](shown["records"])
    with pytest.raises(ConnectorValidationError, match="does not follow the one before"):
        ProvenanceManager.load(json.dumps(shown))


def test_an_end_that_is_cut_off() -> None:
    """Whoever kept the head sees it; without one nobody can."""
    made = chain(4)
    shown = json.loads(made.export())
    shown["records"].pop()
    text = json.dumps(shown)
    assert len(ProvenanceManager.load(text)) == 3
    with pytest.raises(ConnectorValidationError, match="ended with before"):
        ProvenanceManager.load(text, head=made.head)


def test_a_chain_made_anew() -> None:
    """Without the key nobody can make one that fits, and the key shows nowhere."""
    made = chain(2, key=KEY)
    for other in (None, b"guess"):
        with pytest.raises(ConnectorValidationError, match="record 1 of the chain was changed"):
            ProvenanceManager.load(chain(2, key=other).export(), key=KEY)
    assert KEY.decode() not in repr(made) + made.export()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"format": "x", "records": []}', "[" * 100_000, "null",
     '{"format": "osiris-provenance/1", "records": [1]}',
     '{"format": "osiris-provenance/1", "records": [{}]}',
     '{"format": "osiris-provenance/1", "records": {}}'],
)  # fmt: skip
def test_texts_that_are_no_chain(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ConnectorParseError) as caught:
        ProvenanceManager.load(text)
    assert caught.value.code == "provenance.format"
