"""What a check came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from osiris_lsp.connectors.errors import Category


@dataclass(frozen=True)
class DoctorResult:
    """What a check came to.

    `latency_ms` is None on failure. `details` holds `elapsed_ms` and facts about the server; on
    failure also `code`, `stage`, `field`, `cause`, `remedy`, `retryable` and maybe `retry_after`.
    """

    family: str
    alias: str
    ok: bool
    latency_ms: float | None
    category: Category
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def ref(self) -> str:
        """The reference `@family.alias`."""
        return f"@{self.family}.{self.alias}"

    @property
    def shown_category(self) -> str:
        """The category for people: `config` where no network step was reached (R-13)."""
        early = self.category == "unknown" and self.details.get("stage") == "config"
        return "config" if early else self.category

    def as_tuple(self) -> tuple[bool, dict[str, Any]]:
        """Return `(ok, details)` as CONN-009 has it."""
        head = {"latency_ms": self.latency_ms, "category": self.category, "message": self.message}
        return self.ok, {**head, **self.details}

    def as_json(self) -> dict[str, Any]:
        """Return the object with the seven keys of CONN-020."""
        return {
            "family": self.family,
            "alias": self.alias,
            "ok": self.ok,
            "latency_ms": self.latency_ms,
            "category": self.shown_category,
            "message": self.message,
            "details": dict(self.details),
        }

    def as_status(self) -> dict[str, Any]:
        """Return `{status: connected | failed | error | unknown, …}` as seed 002 has it (R-12).

        `error` is what went wrong here and not at the service: the configuration, or our own code.
        """
        if self.ok:
            version = self.details.get("server_version")
            return {
                "status": "connected",
                **({"version": version} if version else {}),
                **({"database": self.details["database"]} if "database" in self.details else {}),
            }
        if self.details.get("code") == "config.unknown_family":
            return {"status": "unknown", "family": self.family}
        ours = self.shown_category == "config" or self.details.get("code") == "unknown"
        return {
            "status": "error" if ours else "failed",
            "error": f"{self.message}: {self.details.get('cause', '')}",
        }
