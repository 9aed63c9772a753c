"""Where evidence came from, as a chain of records in which no link can be changed unseen."""

import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from osiris_lsp.connectors.errors import ConnectorParseError, ConnectorValidationError
from osiris_lsp.connectors.evidence.source import Evidence, iso_time

FORMAT: Final = "osiris-provenance/1"

START: Final = "0" * 64
"""What stands for the record before the first."""


@dataclass(frozen=True)
class ProvenanceRecord:
    """What was found, when, and for which claim; `hash` covers all of it and the record before.

    `content_hash` is the SHA-256 of the content, which the record itself does not keep.
    """

    id: str
    evidence_id: str
    source_type: str
    source_id: str
    content_hash: str
    title: str
    url: str | None
    author: str | None
    created_at: str | None
    reliability_score: float
    claim_id: str | None
    recorded_at: str
    previous: str
    hash: str = ""

    def matches(self, evidence: Evidence) -> bool:
        """Tell whether evidence is what was recorded, to the letter."""
        return (self.evidence_id, self.source_id, self.content_hash) == (
            evidence.id,
            evidence.source_id,
            _digest(evidence.content),
        )


class ProvenanceManager:
    """A chain of records. Safe for threads.

    Whoever can write the chain can also make it anew: keep `head` elsewhere and give it to
    `verify`, or give a `key`, without which nobody makes a record that fits.
    """

    def __init__(
        self,
        *,
        key: bytes | None = None,
        wall: Callable[[], float] = time.time,
        make_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._key = key
        self._wall = wall
        self._make_id = make_id
        self._lock = threading.Lock()
        self._records: list[ProvenanceRecord] = []

    def __repr__(self) -> str:
        return f"ProvenanceManager({len(self)} records)"

    def __len__(self) -> int:
        return len(self._records)

    def __bool__(self) -> bool:
        return True  # a chain without records is one, too

    def __iter__(self) -> Iterator[ProvenanceRecord]:
        return iter(self.records)

    @property
    def records(self) -> Sequence[ProvenanceRecord]:
        """The records, the oldest first."""
        with self._lock:
            return tuple(self._records)

    @property
    def head(self) -> str:
        """The hash of the last record, which stands for the whole chain."""
        with self._lock:
            return self._head()

    def record(self, evidence: Evidence, claim_id: str | None = None) -> ProvenanceRecord:
        """Add a record of evidence, for a claim or for none."""
        with self._lock:
            bare = ProvenanceRecord(
                id=self._make_id(),
                evidence_id=evidence.id,
                source_type=str(evidence.source_type),
                source_id=evidence.source_id,
                content_hash=_digest(evidence.content),
                title=evidence.title,
                url=evidence.url,
                author=evidence.author,
                created_at=evidence.created_at,
                reliability_score=evidence.reliability_score,
                claim_id=claim_id,
                recorded_at=iso_time(self._wall()) or "",
                previous=self._head(),
            )
            made = ProvenanceRecord(**{**asdict(bare), "hash": self._seal(bare)})
            self._records.append(made)
            return made

    def for_claim(self, claim_id: str) -> Sequence[ProvenanceRecord]:
        """Return the records of a claim, the oldest first."""
        return tuple(record for record in self.records if record.claim_id == claim_id)

    def verify(self, head: str | None = None) -> None:
        """Raise ConnectorValidationError `provenance.broken` where the chain was changed.

        With the `head` of an earlier time, also where records that were there then are gone.
        """
        previous, heads = START, {START}
        for place, record in enumerate(self.records, 1):
            given = record.hash.encode("utf-8", "surrogatepass")
            sealed = hmac.compare_digest(given, self._seal(record).encode())
            if not sealed or record.previous != previous:
                what = "was changed" if not sealed else "does not follow the one before"
                raise _broken(f"record {place} of the chain {what}")
            previous = record.hash
            heads.add(previous)
        if head is not None and head not in heads:
            raise _broken("the chain does not hold the record that it ended with before")

    def export(self) -> str:
        """Return the chain as JSON, which `load` reads again."""
        shown = {"format": FORMAT, "records": [asdict(record) for record in self.records]}
        return json.dumps(shown, indent=2, ensure_ascii=False)

    @classmethod
    def load(cls, text: str, *, head: str | None = None, **options: Any) -> Self:
        """Return the chain that `export` wrote, verified; `options` are those of the constructor.

        Raises ConnectorParseError for what is no chain, ConnectorValidationError for a changed one.
        """
        made = cls(**options)
        made._records = list(_read(text))
        made.verify(head)
        return made

    def _head(self) -> str:
        return self._records[-1].hash if self._records else START

    def _seal(self, record: ProvenanceRecord) -> str:
        values = asdict(record)
        del values["hash"]
        text = json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
        if self._key is None:
            return hashlib.sha256(text).hexdigest()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _broken(what: str) -> ConnectorValidationError:
    return ConnectorValidationError(
        what,
        code="provenance.broken",
        remedy="take the chain from a backup, and find out who can write to it",
    )


_OPTIONAL: Final = frozenset(("url", "author", "created_at", "claim_id"))


def _read(text: str) -> Iterator[ProvenanceRecord]:
    """Yield the records of an exported chain; each has exactly the fields that we write."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    chain = found if isinstance(found, dict) else {}
    records = chain.get("records")
    if chain.get("format") != FORMAT or not isinstance(records, list):
        raise ConnectorParseError(
            f"the text is no chain of records in the format `{FORMAT}`", code="provenance.format"
        )
    names = {item.name for item in fields(ProvenanceRecord)}
    for place, values in enumerate(records, 1):
        if not isinstance(values, dict) or set(values) != names or not _fits(values):
            raise ConnectorParseError(
                f"record {place} has other fields than a record has", code="provenance.format"
            )
        yield ProvenanceRecord(**values)


def _fits(values: dict[str, Any]) -> bool:
    return all(
        isinstance(value, float | int) and not isinstance(value, bool)
        if name == "reliability_score"
        else isinstance(value, str) or (value is None and name in _OPTIONAL)
        for name, value in values.items()
    )
