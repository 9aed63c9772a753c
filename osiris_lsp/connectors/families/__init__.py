"""One module per family; each defines `CONNECTOR`, and has its fields in `schemas/families/`."""

from importlib import import_module
from typing import cast

from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.specs import Families, FamilySpec, nearest


def connector(family: str, families: Families | None = None) -> Connector:
    """Return the connector of a family by any of its spellings.

    A family that a project defines itself has the one that its schema declares (`x-doctor`).
    Raises ConnectorConfigError for an unknown family.
    """
    known = families or Families()
    spec = known.find(family)
    if spec is None:
        close = nearest(family, known.spellings)
        hint = f"; did you mean `{close}`?" if close else ""
        raise ConnectorConfigError(
            f"`{family}` is no family that osiris-lsp knows{hint}",
            code="config.unknown_family",
            remedy="a project can define families of its own: see `families` in its settings",
        )
    return of_spec(spec)


def of_spec(spec: FamilySpec) -> Connector:
    """Return the connector of a family."""
    if not spec.builtin:
        from osiris_lsp.connectors.declared import Declared

        return Declared(spec)
    module = import_module(f"osiris_lsp.connectors.families.{spec.name}")
    return cast(Connector, module.CONNECTOR)
