"""Typed views over a tree: connections files, pipelines, component specs."""

from osiris_lsp.documents.connections import Connection, ConnectionsDocument, FamilyEntry
from osiris_lsp.documents.document import (
    AROUND,
    ComponentDocument,
    Document,
    InputProblem,
    part_span,
    scalars,
    walk,
)
from osiris_lsp.documents.pipelines import (
    MODES,
    PipelineDocument,
    Shape,
    Step,
    is_csv_option,
    sanitized,
)

__all__ = [
    "AROUND",
    "MODES",
    "ComponentDocument",
    "Connection",
    "ConnectionsDocument",
    "Document",
    "FamilyEntry",
    "InputProblem",
    "PipelineDocument",
    "Shape",
    "Step",
    "is_csv_option",
    "part_span",
    "sanitized",
    "scalars",
    "walk",
]
