"""A config lacks a key that the component needs.

The pipeline does not compile, or the driver stops at this step. What a connection provides need not
stand in the config.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    config:
      delimiter: ";"
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    config:
      path: orders.csv
      delimiter: ";"
```

Fix: names the connection of the family where nothing else is missing and there is one to choose.
Unsafe, because the step then uses that connection.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.configs import (
    is_connected,
    is_half_typed,
    listed,
    misspelt,
    proposal,
    takes_query_or_table,
)
from osiris_lsp.documents import PipelineDocument, Step
from osiris_lsp.edits import add_fields
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Scalar, deref

CODE: Final = "OSR223"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem per step with all keys that are missing, at its `config`."""
    for step in document.modern_steps:
        # A step of the `driver` form needs only `id` and `driver` (seed 001).
        if step.spec is None or step.shape != "oml" or is_half_typed(document, step):
            continue
        missing = _missing(document, step, project)
        if missing:
            reference = proposal(document, step, project)
            span = step.fields["config"][0].span if "config" in step.fields else step.anchor
            message = _message(step, missing, reference)
            yield Problem(span, message, _fix(document, step, project, missing, reference))
        yield from _nested(step)


def _missing(document: PipelineDocument, step: Step, project: Project) -> Sequence[str]:
    """Return the required keys that neither the config nor a connection gives, in order."""
    if step.spec is None:
        return ()
    if step.config is None and "config" in step.fields:
        value = deref(step.fields["config"][1])
        if not (isinstance(value, Scalar) and value.type == "null"):
            return ()
    given = step.config.fields if step.config is not None else {}
    missing = [name for name in step.spec.required if name not in given]
    if not missing:
        return ()
    meant = set(misspelt(step).values())
    if "connection" in meant or is_connected(document, step, project):
        missing = [name for name in missing if name not in step.spec.connection_fields]
    if takes_query_or_table(step.spec):
        missing = [name for name in missing if name not in ("query", "table")]
    return [name for name in missing if name not in meant]


def _message(step: Step, missing: Sequence[str], reference: str | None) -> str:
    assert step.spec is not None
    verb = "are" if len(missing) > 1 else "is"
    message = f"{listed(missing)} {verb} missing in the config of `{printable(step.spec.name)}`"
    written = f'`connection: "{reference}"`' if reference else "`connection`"
    if "connection" in missing:
        return f"{message}; add {written}" if reference else message
    provided = [name for name in missing if name in step.spec.connection_fields]
    if not provided:
        return message
    which = listed(provided) if len(provided) < len(missing) else "it" if verb == "is" else "them"
    return f"{message}; take {which} from a connection with {written}"


def _fix(
    document: PipelineDocument,
    step: Step,
    project: Project,
    missing: Sequence[str],
    reference: str | None,
) -> Fix | None:
    """Name the connection where that is all that is missing and only one can be meant."""
    connections = project.connections_for(document.path)
    spec = step.spec
    if reference is None or connections is None or spec is None or "config" not in step.fields:
        return None
    family = spec.family_spelling
    if connections.default_of(family) is None and len(connections.of_family(family)) > 1:
        return None
    given = step.config.fields if step.config is not None else {}
    if any(name != "connection" and name not in spec.connection_fields for name in missing):
        return None
    if any(spec.connection_fields.get(name, "allowed") != "allowed" for name in given):
        return None
    key, value = step.fields["config"]
    edit = add_fields(document, key, value, [("connection", f'"{reference}"')])
    return None if edit is None else Fix(f"Name the connection `{reference}`", False, (edit,))


def _nested(step: Step) -> Iterator[Problem]:
    for item in step.violations:
        if item.kind == "missing" and item.path and step.config is not None:
            key = step.config.fields.get(str(item.path[0]))
            span = key[0].span if key is not None else Span(item.span.start, item.span.start)
            yield Problem(span, item.message)
