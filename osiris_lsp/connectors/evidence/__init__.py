"""Sources of evidence: searched, fetched from, and recorded (seed 003)."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError

if TYPE_CHECKING:
    from osiris_lsp.connectors.evidence.base import BaseConnector

_CLASSES: Final[Mapping[str, str]] = {
    "arxiv": "ArXivConnector",
    "github": "GitHubConnector",
    "hackernews": "HackerNewsConnector",
    "local_docs": "LocalDocsConnector",
    "newsapi": "NewsAPIConnector",
    "reddit": "RedditConnector",
    "sec": "SECConnector",
    "sql": "SQLConnector",
    "twitter": "TwitterConnector",
    "web": "WebConnector",
    "whisper": "WhisperConnector",
    "wikipedia": "WikipediaConnector",
}


def evidence_connector(connection: ResolvedConnection, **options: Any) -> "BaseConnector":
    """Return the evidence connector of a resolved connection; `options` are of its constructor.

    Raises ConnectorConfigError for a family that is no source of evidence.
    """
    family = connection.spec.name if connection.spec is not None else connection.family
    if family not in _CLASSES:
        raise ConnectorConfigError(
            f"`{family}` is no source of evidence",
            code="config.unknown_family",
            remedy=f"there is {', '.join(f'`{name}`' for name in _CLASSES)}",
        )
    module = import_module(f"{__name__}.{family}")
    made: BaseConnector = getattr(module, _CLASSES[family]).from_connection(connection, **options)
    return made
