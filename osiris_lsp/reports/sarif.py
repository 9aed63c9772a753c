"""The SARIF 2.1.0 report, with rules, fixes, related places and suppressed findings."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO
from urllib.parse import quote

from osiris_lsp import __version__, ruledoc
from osiris_lsp.reports import Style, Summary
from osiris_lsp.reports.record import Place, Record
from osiris_lsp.reports.repository import repository_path
from osiris_lsp.rules import RULES, Entry, load
from osiris_lsp.secret import MASK
from osiris_lsp.text import printable

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note", "hint": "note"}
_ROOT: Final = "%SRCROOT%"
_SECRETS: Final = "OSR3"
_EXITS: Final = (
    "nothing to report",
    "findings",
    "a usage, settings or input error",
    "a bug in osiris-lsp",
)


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write a log with one run."""
    shown = [*records, *summary.known, *(item.record for item in summary.silenced)]
    names = sorted({record.rule for record in shown}, key=list(RULES).index)
    new = {"baselineState": "new"} if summary.compared else {}
    results: list[Mapping[str, Any]] = [{**_result(record, names, []), **new} for record in records]
    for record, reason in summary.silenced:
        given = {"justification": reason} if reason else {}
        comment = {"kind": "inSource", "status": "accepted", **given}
        results.append(_result(record, names, [comment]))
    listed = {"kind": "external", "status": "accepted", "justification": "in the baseline"}
    old = {"baselineState": "unchanged"}
    results += [{**_result(record, names, [listed]), **old} for record in summary.known]
    code = summary.exit_code
    invocation = {
        "executionSuccessful": code in (0, 1),
        "exitCode": code,
        "exitCodeDescription": _EXITS[code],
    }
    driver = {
        "name": "osiris-lsp",
        "version": __version__,
        "rules": [_rule(RULES[name]) for name in names],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "redactionTokens": [MASK],
        "results": results,
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    lines = json.dumps(log, ensure_ascii=False, indent=1).split("\n")
    out.writelines(f"{printable(line)}\n" for line in lines)


def _rule(entry: Entry) -> Mapping[str, Any]:
    module = load(entry.name)
    doc = ruledoc.read(module)
    page = ruledoc.markdown(entry.name, module)
    tags = ["security"] if entry.code.startswith(_SECRETS) else ["correctness"]
    score = {"security-severity": "8.0" if entry.severity == "error" else "5.0"}
    return {
        "id": entry.code,
        "name": entry.name,
        "shortDescription": {"text": doc.summary},
        "fullDescription": {"text": f"{doc.summary} {' '.join(doc.why.split())}".strip()},
        "help": {"text": _plain(page), "markdown": page},
        "defaultConfiguration": {"level": _LEVELS[entry.severity]},
        "properties": {
            "tags": tags,
            "problem.severity": _problem_severity(entry),
            **(score if "security" in tags else {}),
        },
    }


def _problem_severity(entry: Entry) -> str:
    """Return the severity in the words of GitHub's code scanning."""
    return entry.severity if entry.severity in ("error", "warning") else "recommendation"


def _plain(page: str) -> str:
    """Return the page of a rule without the marks of Markdown."""
    lines = (
        line.lstrip("#").lstrip() if line.startswith("#") else line for line in page.split("\n")
    )
    return "\n".join(line for line in lines if not line.startswith("```")).replace("`", "")


def _result(
    record: Record, names: Sequence[str], suppressions: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        "ruleId": record.code,
        "ruleIndex": names.index(record.rule),
        "level": _LEVELS[record.severity],
        "message": {"text": record.message},
        "locations": [_location(record)],
        "partialFingerprints": {"osirisFinding/v1": record.fingerprint},
        "suppressions": list(suppressions),
    }
    if record.related:
        found["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": {**_artifact(place), "region": _region(place)},
                "message": {"text": message},
            }
            for number, (place, message) in enumerate(record.related, 1)
        ]
    if record.edits:
        found["fixes"] = [
            {"description": {"text": record.fix}, "artifactChanges": _changes(record)}
        ]
    return found


def _location(record: Record) -> Mapping[str, Any]:
    place, shown = record.place, record.excerpt
    region = _region(place)
    marked = shown.text[shown.start : shown.end]
    physical = {**_artifact(place), "region": region}
    if place.line == place.end_line and shown.text:
        if marked:
            region["snippet"] = {"text": marked}
        physical["contextRegion"] = {"startLine": place.line, "snippet": {"text": shown.text}}
    location: dict[str, Any] = {"physicalLocation": physical}
    if record.key_path:
        path = printable("/".join(map(str, record.key_path)))
        location["logicalLocations"] = [{"fullyQualifiedName": path, "kind": "member"}]
    return location


def _artifact(place: Place) -> dict[str, Any]:
    uri = quote(repository_path(place.path))
    return {"artifactLocation": {"uri": uri, "uriBaseId": _ROOT}}


def _region(place: Place) -> dict[str, Any]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _changes(record: Record) -> Sequence[Mapping[str, Any]]:
    changes: dict[str, dict[str, Any]] = {}
    for place, text in record.edits or ():
        change = changes.setdefault(place.path, {**_artifact(place), "replacements": []})
        change["replacements"].append(
            {"deletedRegion": _region(place), "insertedContent": {"text": text}}
        )
    return list(changes.values())
