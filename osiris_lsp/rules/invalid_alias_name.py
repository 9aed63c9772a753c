"""An alias has a name that cannot stand in a reference.

References have the form `@family.alias`, and each part is a lower-case letter followed by
lower-case letters, digits and underscores. The existing runtime also takes capitals and hyphens, so
that in the profile `osiris-runtime` such a name is a warning.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    Local-DB:
      path: ./data/local.duckdb
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local_db:
      path: ./data/local.duckdb
```

Fix: renames the alias, or quotes it where YAML reads it as something else than a text. Unsafe,
because pipelines that refer to it have to follow.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.edits import rename_key
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project, Usage
from osiris_lsp.refs import NAME
from osiris_lsp.text import lazy, printable
from osiris_lsp.tree import boolean

CODE: Final = "OSR107"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections",)
SOURCE: Final = "CONN-004"
OUTLINE: Final = True

_WIDE: Final = lazy(r"[A-Za-z0-9_-]+")
_OTHER: Final = lazy(r"[^a-z0-9_]+")


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each alias that no reference in the form of CONN-004 can name."""
    is_runtime = project.settings.profile == "osiris-runtime"
    for family in document.families:
        taken = {entry.alias for entry in family.connections}
        for entry in family.connections:
            if NAME.fullmatch(entry.alias):
                if entry.key.type != "str":
                    yield _unquoted(entry)
                continue
            name = _valid(entry.alias)
            shown = printable(entry.alias)
            severity: Severity | None = None
            if is_runtime and _WIDE.fullmatch(entry.alias) and entry.key.type == "str":
                severity = "warning"
            message = f"`{shown}` cannot be the name of an alias; "
            if name is None or name in taken:
                message += "use lower-case letters, digits and `_`, and start with a letter"
                yield Problem(entry.key.span, message, severity=severity)
                continue
            taken.add(name)
            # There the runtime resolves the reference, and a rename would break the pipeline.
            used = is_runtime and Usage(family.canonical, entry.alias) in project.usages(document)
            edit = None if used else rename_key(entry.key, name)
            title = f"Rename to `{name}` (in this file only; references have to follow)"
            fix = Fix(title, False, (edit,)) if edit is not None else None
            yield Problem(entry.key.span, f"{message}use `{name}`", fix, severity=severity)


def _valid(alias: str) -> str | None:
    """Return the nearest valid name, or None."""
    name = _OTHER.sub("_", alias.lower()).strip("_")
    return name if alias.isascii() and NAME.fullmatch(name) else None


def _unquoted(entry: Connection) -> Problem:
    """Return the problem of a key such as `no`, which YAML 1.1 reads as no text."""
    key = entry.key
    if key.type == "bool":
        meaning = f"the truth value `{str(boolean(key)).lower()}`"
    else:
        meaning = "empty" if key.type == "null" else "something else than a text"
    message = f"the alias `{key.value}` is read as {meaning}, which no reference can name; quote it"
    fix = None
    if not key.tag and not key.anchor:
        fix = Fix("Quote the alias", False, (Edit(key.start, key.end, f'"{key.value}"'),))
    return Problem(key.span, message, fix)
