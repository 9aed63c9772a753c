"""Consent to connect: where a connection goes, what it reads, and which ones were allowed.

A repository of a stranger may send `${AWS_SECRET_ACCESS_KEY}` to a host of theirs, so nothing but a
command at the shell connects without consent. What was consented to is a fingerprint of
destinations, TLS settings and references; a change asks again. The store lies outside of every
workspace.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from osiris_lsp.documents import Connection
from osiris_lsp.files import replace
from osiris_lsp.refs import connection_string_secrets, literal_defaults, literal_secrets, segments
from osiris_lsp.secret import mask
from osiris_lsp.specs import Schema
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref

_TLS: Final = ("ssl", "tls", "verify", "validate_ssl", "insecure")


@dataclass(frozen=True)
class Consent:
    """What one agrees to: texts as they stand in the file, secrets masked, no variable resolved.

    `destinations` and `tls` map fields to texts, `references` holds every `${…}`.
    """

    family: str
    destinations: tuple[tuple[str, str], ...]
    tls: tuple[tuple[str, str], ...]
    references: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all of it; no secret goes in."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def __str__(self) -> str:
        places = ", ".join(f"{text}" for _, text in self.destinations) or "nowhere"
        reads = f" (reads {', '.join(self.references)})" if self.references else ""
        return f"{places}{reads}"


def consent_of(entry: Connection) -> Consent:
    """Return what consent to a connection covers."""
    schema: Schema = entry.spec.effective_schema if entry.spec is not None else {}
    destinations: list[tuple[str, str]] = []
    tls: list[tuple[str, str]] = []
    references: set[str] = set()
    for path, node, field in _leaves(entry.node, schema):
        text = _shown(node, field)
        for piece in segments(node.value):
            if piece.kind != "literal":
                reference = node.value[piece.start : piece.end]
                hidden = literal_defaults(reference) if _is_secret(field) else ()
                references.add(mask(reference, hidden))
        name = path.partition(".")[0].partition("[")[0]
        if name.startswith(_TLS):
            tls.append((path, text))
        elif "x-network" in field or "x-path" in field or entry.spec is None:
            destinations.append((path, text))
    destinations += _implied(entry, schema, {path for path, _ in destinations})
    family = entry.family.canonical
    return Consent(family, tuple(destinations), tuple(tls), tuple(sorted(references)))


def _implied(entry: Connection, schema: Schema, named: set[str]) -> Iterator[tuple[str, str]]:
    """Yield destinations that come from the schema: defaults, and the check of a project family."""
    declared = schema.get("x-doctor")
    if declared is not None and entry.spec is not None and not entry.spec.builtin:
        yield "x-doctor", json.dumps(declared, sort_keys=True)
    properties = schema.get("properties")
    for name, field in properties.items() if isinstance(properties, Mapping) else ():
        default = field.get("default") if isinstance(field, Mapping) else None
        if isinstance(default, str) and "x-network" in field and name not in named:
            yield name, default


def _leaves(
    node: Node | None, schema: Any, path: str = "", depth: int = 0
) -> Iterator[tuple[str, Scalar, Mapping[str, Any]]]:
    node = deref(node) if node is not None else None
    field: Mapping[str, Any] = schema if isinstance(schema, Mapping) else {}
    if depth > 20:
        return
    if isinstance(node, Scalar):
        yield path, node, field
    elif isinstance(node, Seq):
        for index, item in enumerate(node.items):
            yield from _leaves(item, field.get("items", field), f"{path}[{index}]", depth + 1)
    elif isinstance(node, Map):
        properties = field.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        secret = _is_secret(field)
        for name, (_, value) in node.fields.items():
            inner = known.get(name, {"writeOnly": True} if secret else {})
            below = f"{path}.{name}" if path else name
            yield from _leaves(value, inner, below, depth + 1)


def _is_secret(field: Mapping[str, Any]) -> bool:
    return field.get("writeOnly") is True or field.get("x-secret-values") is True


def _shown(node: Scalar, field: Mapping[str, Any]) -> str:
    """Return a text with the secrets that are written out in it masked."""
    value = node.value
    spans = list(connection_string_secrets(value))
    if _is_secret(field):
        spans += [*literal_secrets(value), *literal_defaults(value)]
    return mask(value, spans)


class TrustStore:
    """Consents of the user, one file each; `folder` is for tests."""

    def __init__(self, folder: str | None = None) -> None:
        if folder is None:
            import platformdirs

            data = platformdirs.user_data_dir("osiris-lsp", appauthor=False)
            folder = os.path.join(data, "trust")
        self.folder = folder

    def is_trusted(self, path: str, entry: Connection) -> bool:
        """Tell whether the connection, as it is written now, was consented to."""
        record = self._read(self._file(path, str(entry)))
        return record is not None and record.get("fingerprint") == consent_of(entry).fingerprint

    def changed(self, path: str, entry: Connection) -> bool:
        """Tell whether it was consented to, but differently than it is written now."""
        record = self._read(self._file(path, str(entry)))
        return record is not None and record.get("fingerprint") != consent_of(entry).fingerprint

    def trust(self, path: str, entry: Connection) -> Consent:
        """Remember the consent to a connection of a file; raises OSError."""
        consent = consent_of(entry)
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        record = {
            "file": os.path.realpath(path),
            "ref": str(entry),
            "fingerprint": consent.fingerprint,
            "destinations": [text for _, text in consent.destinations],
            "references": list(consent.references),
            "trusted_at": round(time.time()),
        }
        data = json.dumps(record, indent=2).encode()
        replace(self._file(path, str(entry)), data, 0o600)
        return consent

    def revoke(self, path: str, ref: str) -> bool:
        """Forget a consent; False where there was none."""
        try:
            os.unlink(self._file(path, ref))
        except FileNotFoundError:
            return False
        return True

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Yield what is remembered, by file and reference."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self.folder):
                record = self._read(os.path.join(self.folder, name))
                if record is not None:
                    found.append(record)
        yield from sorted(found, key=lambda item: (str(item.get("file")), str(item.get("ref"))))

    def _file(self, path: str, ref: str) -> str:
        key = hashlib.sha256(f"{os.path.realpath(path)}\n{ref}".encode()).hexdigest()
        return os.path.join(self.folder, f"{key}.json")

    def _read(self, path: str) -> Mapping[str, Any] | None:
        try:
            with open(path, encoding="utf-8") as file:
                record = json.load(file)
        except (OSError, ValueError):
            return None
        return record if isinstance(record, dict) else None
