"""The code quality report of GitLab."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from osiris_lsp.reports import Style, Summary
from osiris_lsp.reports.json import encode
from osiris_lsp.reports.record import Record
from osiris_lsp.reports.repository import repository_path

_SEVERITIES: Final = {"error": "major", "warning": "minor", "info": "info", "hint": "info"}


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write a JSON list with an issue per line, in the subset of Code Climate that GitLab reads."""
    lines = ",\n ".join(map(encode, _issues(records)))
    out.write(f"[{lines}]\n")


def _issues(records: Sequence[Record]) -> Iterator[Mapping[str, Any]]:
    seen: set[str] = set()
    for record in records:
        path = repository_path(record.place.path)
        identity = record.fingerprint
        if identity in seen:  # two projects in one run: fingerprints start from their roots
            identity = hashlib.sha256(f"{identity}\0{path}".encode()).hexdigest()
        seen.add(identity)
        yield {
            "description": f"{record.code}: {record.message}",
            "check_name": record.rule,
            "fingerprint": identity,
            "severity": _SEVERITIES[record.severity],
            "location": {
                "path": path,
                "lines": {"begin": record.place.line, "end": record.place.end_line},
            },
        }
