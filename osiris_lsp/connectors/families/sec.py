"""SEC EDGAR: one search, by somebody whom the SEC can ask."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.answers import Response
from osiris_lsp.connectors.errors import ConnectorError, ConnectorPermissionError
from osiris_lsp.connectors.inquiry import Inquiry, below


class SecConnector(Inquiry):
    """The full text search of EDGAR, which needs no key."""

    family: ClassVar[str] = "sec"
    _path: ClassVar[str] = "/search-index"
    _params: ClassVar[Mapping[str, str]] = {"q": "annual report", "forms": "10-K"}
    _key_field: ClassVar[str] = "user_agent"

    def _refusal(self, response: Response) -> ConnectorError | None:
        """Say what the SEC means by 403."""
        if response.status != 403:
            return None
        return ConnectorPermissionError(
            "the SEC does not answer: it asks for a contact, or got too many requests (HTTP 403)",
            code="http.403",
            stage="auth",
            field="user_agent",
            remedy="name a person and an e-mail address in `user_agent`, and wait ten minutes",
        )

    def _facts(self, answer: Any) -> Mapping[str, Any] | None:
        """Tell nothing more than that it answers."""
        return {} if isinstance(below(answer, "hits", "hits"), list) else None


CONNECTOR: Final = SecConnector()
