"""Objects of MyService."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from osiris_lsp.connectors.integrations.values import Data, moment, required


@dataclass(frozen=True)
class MyResource:
    """What MyService keeps."""

    id: str
    name: str
    created_at: datetime | None = None

    @classmethod
    def from_api(cls, data: Data) -> Self:
        """Return the resource of an answer; moments have a time zone."""
        return cls(
            id=required(data, "id"),
            name=required(data, "name"),
            created_at=moment(data.get("created_at")),
        )
