"""The web: one search, through the API of Brave Search."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.answers import Response
from osiris_lsp.connectors.errors import ConnectorAuthError, ConnectorError
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.inquiry import Inquiry, below


class WebConnector(Inquiry):
    """Brave Search, with a key; the smallest search there is, as it has nothing cheaper."""

    family: ClassVar[str] = "web"
    _path: ClassVar[str] = "/web/search"
    _params: ClassVar[Mapping[str, str]] = {"q": "osiris", "count": "1"}
    _key_field: ClassVar[str] = "api_key"

    def _headers(self, check: Check) -> Mapping[str, str]:
        """Return the key."""
        return {"X-Subscription-Token": check.connection.text("api_key")}

    def _refusal(self, response: Response) -> ConnectorError | None:
        """Tell a wrong key, which comes with status 422, from a wrong question."""
        if response.status != 422 or b"SUBSCRIPTION_TOKEN_INVALID" not in response.body:
            return None
        return ConnectorAuthError(
            "the server does not accept the key (HTTP 422)",
            code="web.key_invalid",
            stage="auth",
            field="api_key",
            remedy="check `api_key` on the page API keys of Brave Search",
        )

    def _facts(self, answer: Any) -> Mapping[str, Any] | None:
        """Tell nothing more than that it answers."""
        return {} if below(answer, "type") == "search" else None


CONNECTOR: Final = WebConnector()
