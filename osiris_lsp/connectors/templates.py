"""Texts with `{field}` in them, as `x-doctor` in a project's schema has them."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.specs import FamilySpec, nearest

_PIECES: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_HOST: Final = re.compile(r"[\w.:\[\]%-]+")


class Template:
    """A text over the fields of a connection; raises ValueError for a field there is not."""

    def __init__(self, text: str, spec: FamilySpec) -> None:
        self._spec = spec
        self._pieces = tuple(self._read(text))

    def _read(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield (text, field), one of them empty."""
        for match in _PIECES.finditer(text):
            if match[1] is None:
                if match[0] in ("{", "}"):
                    raise ValueError(
                        "has a brace without its partner: a single one is written twice"
                    )
                yield match[0].replace("{{", "{").replace("}}", "}"), ""
                continue
            if match[1] not in self._spec.fields:
                close = nearest(match[1], self._spec.fields)
                hint = f"; did you mean `{{{close}}}`?" if close else ""
                raise ValueError(f"uses `{{{match[1]}}}`, which is no field of the family{hint}")
            yield "", match[1]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields in it, in order."""
        return tuple(field for _, field in self._pieces if field)

    @property
    def field(self) -> str:
        """The field to mark when what it leads to fails: the first that is no secret."""
        return next((name for name in self.fields if not self._spec.fields[name].secret), "")

    @property
    def secret(self) -> str:
        """The first field in it that is a secret; empty without one."""
        return next((name for name in self.fields if self._spec.fields[name].secret), "")

    def raw(self, connection: ResolvedConnection) -> str:
        """Return the text with the values as they are."""
        return "".join(text or _value(connection, field) for text, field in self._pieces)

    def quoted(self, connection: ResolvedConnection) -> str:
        """Return the text as a URL: values percent-encoded, but for a host, or a URL at its start.

        Raises ConnectorConfigError for a host that would lead elsewhere, such as `a@b`.
        """
        found = ""
        for index, (text, field) in enumerate(self._pieces):
            if text:
                found += text
                continue
            value = _value(connection, field)
            if not found:
                found = value.rstrip("/")
            elif self._is_host(found, index):
                found += _host(value, field)
            else:
                found += quote(value, safe="")
        return found

    def _is_host(self, before: str, index: int) -> bool:
        """Tell whether the piece at an index stands for a host or a port."""
        rest = "".join(text or "x" for text, _ in self._pieces[index:])
        authority = before.partition("://")[2]
        return (
            "://" in before
            and not re.search(r"[/?#]", authority)
            and "@" not in re.split(r"[/?#]", rest)[0]
        )


def _value(connection: ResolvedConnection, field: str) -> str:
    if connection.value(field) is None:
        raise ConnectorConfigError(
            f"`{field}` is missing, and `x-doctor` needs it",
            code="config.missing_field",
            field=field,
            remedy=f"add `{field}`",
        )
    return connection.text(field)


def _host(value: str, field: str) -> str:
    if not _HOST.fullmatch(value):
        raise ConnectorConfigError(
            f"`{field}` is no host",
            code="config.host",
            field=field,
            remedy="write the name alone, without scheme, user and path",
        )
    return f"[{value}]" if value.count(":") > 1 and not value.startswith("[") else value
