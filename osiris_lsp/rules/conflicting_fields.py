"""Two fields of a connection exclude each other.

The driver uses one of them and leaves the other out, and which one is not to be seen in the file.
The same holds for two spellings of one field, and for two spellings of one family.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      dsn: ${MYSQL_DEFAULT_DSN}
      host: db.example.com
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      dsn: ${MYSQL_DEFAULT_DSN}
```
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from osiris_lsp.documents import Connection, ConnectionsDocument, FamilyEntry
from osiris_lsp.finding import Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.specs import Schema, Section
from osiris_lsp.tree import Map, Scalar, boolean, deref

CODE: Final = "OSR114"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = "R-01"
ENTRYWISE: Final = True


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem per connection and preferred field, and one per doubled family."""
    first: dict[str, FamilyEntry] = {}
    for family in document.families:
        other = first.setdefault(family.canonical, family)
        if other.name != family.name:
            message = (
                f"`{family.name}` and `{other.name}` are two spellings of one family; put all its "
                f"connections below `{other.name}`"
            )
            related = (Related(other.key.span, "the same family"),)
            yield Problem(family.key.span, message, related=related)
    for entry in document.connections:
        for mapping, section in entry.sections:
            for kept, others in _conflicts(mapping, section).items():
                yield _problem(entry, mapping, section, kept, others)


def _conflicts(mapping: Map, section: Section) -> Mapping[str, Sequence[str]]:
    """Return the preferred fields with those that they exclude, in the order of the schema."""
    spellings: dict[str, list[str]] = {}
    for name in mapping.fields:
        if name in section.current:
            spellings.setdefault(section.current[name], [section.current[name]]).append(name)
    groups = (*map(tuple, spellings.values()), *section.conflicts)
    found: dict[str, list[str]] = {}
    taken: set[str] = set()
    for group in groups:
        present = [
            name
            for name in group
            if name in mapping.fields and _is_set(mapping, name, section.fields.get(name, {}))
        ]
        for name in present[1:]:
            if name not in taken:
                taken.add(name)
                found.setdefault(present[0], []).append(name)
    return found


def _is_set(mapping: Map, name: str, schema: Schema) -> bool:
    """Tell whether a field is there and not empty; a plain switch that is off does not count."""
    value = deref(mapping.fields[name][1])
    if not isinstance(value, Scalar):
        return True
    is_switch = schema.get("type") == "boolean" and "x-canonical" not in schema
    return value.type != "null" and not (is_switch and boolean(value) is False)


def _problem(
    entry: Connection, mapping: Map, section: Section, kept: str, others: Sequence[str]
) -> Problem:
    ticked = [f"`{name}`" for name in others]
    listed = ticked[0] if len(ticked) == 1 else f"{', '.join(ticked[:-1])} and {ticked[-1]}"
    current = section.spelling(kept)
    if section.spelling(others[0]) == current:
        message = f"`{kept}` and {listed} are spellings of one field; keep `{current}` only"
    elif len(others) > 1:
        message = f"`{kept}` stands in place of {listed}; keep one or the other"
    else:
        message = f"`{kept}` and {listed} exclude each other; keep one of them"
    own = {id(key) for key, _ in mapping.pairs}
    keys = [mapping.fields[name][0] for name in others]
    first = min(keys, key=lambda key: (id(key) not in own, key.start))
    preferred = mapping.fields[kept][0]
    if id(first) in own:
        span, other = first.span, preferred
    else:
        # A merge brings it in: the connection is the place where both meet.
        span = preferred.span if id(preferred) in own else entry.key.span
        other = first
    return Problem(span, message, related=(Related(other.span, f"`{other.value}` is set here"),))
