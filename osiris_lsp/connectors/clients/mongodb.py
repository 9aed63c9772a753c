"""Documents of MongoDB, by pymongo (extra `mongodb`)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from osiris_lsp.connectors.clients.drivers import explained
from osiris_lsp.connectors.clients.http.connection import connection_of, seconds
from osiris_lsp.connectors.errors import ConnectorConfigError, MissingDependencyError
from osiris_lsp.connectors.families.mongodb import CONNECTOR, login, reach, secured
from osiris_lsp.connectors.families.mongodb.uri import seeds_of
from osiris_lsp.connectors.health import Check, Deadline
from osiris_lsp.connectors.tls import tls_of, wants_tls

if TYPE_CHECKING:
    from pymongo import MongoClient

Document = dict[str, Any]


class MongoConnection:
    """Documents of one database; close it, or use it as a context manager.

    `config` is a resolved connection or a mapping with its fields. Making one reaches for the
    server, so that an address that is wrong is told at once. `timeout` is for one call as a whole.
    Any number of threads may use it.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        try:
            import pymongo
        except ImportError as error:
            raise MissingDependencyError("pymongo", "mongodb") from error

        connection = CONNECTOR.expanded(connection_of("mongodb", config))
        self.database = connection.text("database")
        if not self.database:
            raise ConnectorConfigError(
                "the connection lacks `database`", code="config.missing_field", field="database"
            )
        patience = seconds(connection, "connect_timeout", 10.0)
        self._check = Check(connection, Deadline(patience))
        tls = tls_of(connection) if wants_tls(connection) else None
        with self._explained("connect"):
            options = login(connection)
            seeds = seeds_of(self._check, connection, options)
            try:
                reach(self._check, seeds, tls)
            finally:
                self._check.close()
            with secured(tls) as tls_options:
                self._client: MongoClient[Document] = pymongo.MongoClient(
                    [
                        f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                        for host, port in seeds
                    ],
                    appname="osiris-lsp",
                    connectTimeoutMS=int(patience * 1000),
                    serverSelectionTimeoutMS=int(patience * 1000),
                    timeoutMS=int(seconds(connection, "timeout", 30.0) * 1000),
                    maxPoolSize=int(seconds(connection, "pool_size", 10)),
                    **options,
                    **tls_options,
                )
        self._check.at("query", "user")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; again is no error."""
        self._client.close()

    def find(
        self,
        collection: str,
        filter: Mapping[str, Any] | None = None,
        *,
        fields: Sequence[str] | None = None,
        limit: int = 0,
    ) -> Iterator[Document]:
        """Yield the documents that fit; 0 is no limit."""
        with self._explained("find"):
            projection = list(fields) if fields is not None else None
            yield from self._of(collection).find(filter or {}, projection, limit=limit)

    def insert(self, collection: str, documents: Sequence[Mapping[str, Any]]) -> int:
        """Add documents and return how many."""
        if not documents:
            return 0
        with self._explained("insert"):
            found = self._of(collection).insert_many([dict(item) for item in documents])
            return len(found.inserted_ids)

    def update(self, collection: str, filter: Mapping[str, Any], changes: Mapping[str, Any]) -> int:
        """Set fields of all documents that fit, and return how many those are."""
        _refuse_all(filter, "update")
        with self._explained("update"):
            found = self._of(collection).update_many(filter, {"$set": dict(changes)})
            return int(found.matched_count)

    def delete(self, collection: str, filter: Mapping[str, Any]) -> int:
        """Delete all documents that fit, and return how many those were."""
        _refuse_all(filter, "delete")
        with self._explained("delete"):
            return int(self._of(collection).delete_many(filter).deleted_count)

    def _of(self, collection: str) -> Any:
        return self._client[self.database][collection]

    def _explained(self, name: str) -> Any:
        return explained(CONNECTOR, self._check, f"`mongodb`: {name}")


def _address(host: str, port: int | None) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _refuse_all(filter: Mapping[str, Any], what: str) -> None:
    """Raise for a filter that every document fits."""
    if not filter:
        raise ConnectorConfigError(
            f"an empty filter would {what} every document",
            field="filter",
            remedy="name what is meant; `{'_id': {'$exists': True}}` means all",
        )
