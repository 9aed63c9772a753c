"""X, once Twitter: how much of the plan is used, which uses none of it."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.inquiry import Inquiry, below


class TwitterConnector(Inquiry):
    """X, with the bearer token of an app."""

    family: ClassVar[str] = "twitter"
    _path: ClassVar[str] = "/usage/tweets"
    _key_field: ClassVar[str] = "bearer_token"

    def _headers(self, check: Check) -> Mapping[str, str]:
        """Return the token."""
        return {"Authorization": f"Bearer {check.connection.text('bearer_token')}"}

    def _facts(self, answer: Any) -> Mapping[str, Any] | None:
        """Tell how many posts the plan has, and how many are used."""
        used, cap = below(answer, "data", "project_usage"), below(answer, "data", "project_cap")
        return None if cap is None else {"posts_used": used, "posts_in_plan": cap}


CONNECTOR: Final = TwitterConnector()
