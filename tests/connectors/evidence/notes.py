"""An evidence connector with nothing behind it, and how to run one without waiting."""

from typing import Any

from osiris_lsp.connectors.evidence.base import BaseConnector
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from tests.connectors.clients.plain import Pauses

NOW = 1_790_000_000.0
"""The time of all tests, in seconds since 1970: September 2026."""


def quiet(**options: Any) -> dict[str, Any]:
    """Options for a connector that never sleeps, has no chance in it, and knows what time it is."""
    return {"sleep": Pauses(), "chance": lambda: 0.5, "wall": lambda: NOW, **options}


class Notes(BaseConnector):
    """Finds as many notes as it is asked for."""

    name = "Notes"
    source_type = SourceType.WEB_SEARCH

    def __init__(self, *, api_key: str = "", **options: Any) -> None:
        super().__init__(**options)
        self._api_key = api_key

    @property
    def is_configured(self) -> bool:
        """Whether there is a key."""
        return bool(self._api_key)

    async def search(self, query: str, limit: int = 10, **options: Any) -> list[Evidence]:
        """Make notes up."""
        return [self.note(f"{query}-{number}") for number in range(limit)]

    async def fetch(self, evidence_id: str) -> Evidence | None:
        """Make a note up, once."""
        kept = self._cache_get(evidence_id)
        if kept is None:
            kept = self.note(evidence_id)
            self._cache_put(evidence_id, kept)
        return kept

    def note(self, name: str) -> Evidence:
        """Return a note."""
        return Evidence(name, self.source_type, f"notes/{name}", f"about {name}", title=name)


class Time:
    """A clock that only moves when somebody sleeps; `pauses` is how long each did."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.pauses.append(round(seconds, 6))


def in_time(time: Time, **options: Any) -> dict[str, Any]:
    """Options for a connector that lives in a time of its own."""
    return quiet(clock=time, sleep=time.sleep, **options)
