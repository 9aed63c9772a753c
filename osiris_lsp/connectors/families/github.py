"""GitHub: how much of its limits is left, which costs none of them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.answers import Response
from osiris_lsp.connectors.errors import ConnectorNotFoundError
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.inquiry import Inquiry, below


class GithubConnector(Inquiry):
    """GitHub, or a GitHub Enterprise server; a wrong token is refused for public data, too."""

    family: ClassVar[str] = "github"
    _path: ClassVar[str] = "/rate_limit"
    _key_field: ClassVar[str] = "token"
    _needed: ClassVar[bool] = False

    def _ask(self, check: Check, path: str) -> Response:
        """Ask for the limits; a server of one's own may have none, and then tells its version."""
        try:
            return super()._ask(check, path)
        except ConnectorNotFoundError:
            return super()._ask(check, "/meta")

    def _headers(self, check: Check) -> Mapping[str, str]:
        """Return the token, if there is one."""
        token = check.connection.text("token")
        sent = {"Accept": "application/vnd.github+json"}
        return {**sent, "Authorization": f"Bearer {token}"} if token else sent

    def _facts(self, answer: Any) -> Mapping[str, Any] | None:
        """Tell the searches that are left, or the version of the server."""
        left, version = (
            below(answer, "resources", "search", "remaining"),
            below(answer, "installed_version"),
        )
        if left is None and version is None:
            return None
        return {"server_version": version} if left is None else {"searches_left": left}


CONNECTOR: Final = GithubConnector()
