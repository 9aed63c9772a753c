"""Reddit: a token, and one subreddit with it."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.families.oauth import fetch_token
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.inquiry import Inquiry, below


class RedditConnector(Inquiry):
    """Reddit, with an app of one's own."""

    family: ClassVar[str] = "reddit"
    _path: ClassVar[str] = "/subreddits/default"
    _params: ClassVar[Mapping[str, str]] = {"limit": "1", "raw_json": "1"}
    _key_field: ClassVar[str] = "client_secret"

    def _headers(self, check: Check) -> Mapping[str, str]:
        """Return a fresh token."""
        connection = check.connection
        names = ("client_id", "client_secret")
        values = {name: connection.text(name) for name in names}
        token = fetch_token(
            check,
            {
                **values,
                "grant_type": "client_credentials",
                "token_url": connection.text("token_url"),
                "headers": self._agent(connection),
            },
        )
        return {"Authorization": f"Bearer {token.access_token.reveal()}"}

    def _facts(self, answer: Any) -> Mapping[str, Any] | None:
        """Tell nothing more than that it answers."""
        return {} if isinstance(below(answer, "data", "children"), list) else None


CONNECTOR: Final = RedditConnector()
