"""A driver that reads rows, as `mysql.extractor` or `postgres.extractor` would.

Run it with `python -m osiris_lsp.connectors.examples.sql_extractor @mysql.default "SELECT 1"` in a
folder with `osiris_connections.yaml`.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from osiris_lsp.connectors import ConnectionPool, cleanup_session, run_step
from osiris_lsp.connectors.runner import connection_of

if TYPE_CHECKING:
    from osiris_lsp.connectors import Database


class SQLExtractor:
    """A driver; its steps share one pool for each connection."""

    def __init__(self) -> None:
        self._pool = ConnectionPool()

    def run(
        self, *, step_id: str, config: dict[str, Any], inputs: Mapping[str, Any], ctx: Any
    ) -> dict[str, Any]:
        """Return the rows of the query in `config`."""
        database = self._get_or_create_connection(connection_of(config, step_id))
        return {"rows": database.execute_query(config["query"])}

    def _get_or_create_connection(self, conn_info: Mapping[str, Any]) -> "Database":
        return self._pool.database(conn_info)


def main(reference: str, query: str) -> None:
    """Run a step, and close everything at the end of the session."""
    step = {"id": "extract", "config": {"connection": reference, "query": query}}
    try:
        for row in run_step(step, SQLExtractor())["rows"]:
            print(*row.values(), sep="\t")
    finally:
        cleanup_session()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
