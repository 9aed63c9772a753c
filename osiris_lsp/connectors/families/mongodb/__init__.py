"""MongoDB, by pymongo, after a connection of ours that tells what keeps it from the server.

pymongo opens its sockets itself and tries again until its time is up. So the first word of its
monitors, which need no login, is taken for the answer.
"""

import os
import queue
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors import dsn
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    MissingDependencyError,
)
from osiris_lsp.connectors.families.mongodb.codes import (
    LOGIN_REQUIRED,
    MEANINGS,
    NO_MECHANISM,
    NO_PRIMARY,
    NO_RIGHT,
    UNSUPPORTED,
)
from osiris_lsp.connectors.families.mongodb.uri import Seed, read_uri, seeds_of, srv_failure
from osiris_lsp.connectors.health import Check, causes
from osiris_lsp.connectors.network import connect
from osiris_lsp.connectors.protocols import mismatch
from osiris_lsp.connectors.tls import Tls, tls_context, tls_of, wants_tls
from osiris_lsp.specs import nearest

if TYPE_CHECKING:
    from pymongo import MongoClient

_SERVER: Final = "a MongoDB server"


class MongoDBConnector(Connector):
    """Connections to MongoDB servers, replica sets and Atlas."""

    family = "mongodb"

    def expanded(self, connection: ResolvedConnection) -> ResolvedConnection:
        """Return a connection with the fields of its `uri`."""
        return dsn.expanded(connection, read_uri, field="uri")

    def probe(self, check: Check) -> None:
        """Log in and list the databases, which shows whether a server wants a login at all."""
        try:
            import pymongo
        except ImportError as error:
            raise MissingDependencyError("pymongo", "mongodb") from error

        connection = self.expanded(check.connection)
        check.within = "uri" if connection is not check.connection else ""
        check.facts["driver"] = f"pymongo {pymongo.version}"
        options = login(connection)
        seeds = seeds_of(check, connection, options)
        tls = tls_of(connection) if wants_tls(connection) else None
        reach(check, seeds, tls)
        check.at("auth", "host")
        news: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with secured(tls) as tls_options:
            client: MongoClient[Any] = pymongo.MongoClient(
                [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in seeds],
                appname="osiris-lsp",
                connectTimeoutMS=max(int(check.deadline.remaining() * 1000), 1),
                retryReads=False,
                event_listeners=[_reporter(news)],
                **options,
                **tls_options,
            )
        check.on_close(client.close)
        _await_member(check, news, seeds, tls, connection)
        _await_readable(check, client)
        _ask(check, client, connection.text("database"))

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        """Say what an error of pymongo means."""
        from bson.errors import BSONError
        from pymongo import errors

        connection = self.expanded(check.connection)
        mechanism = connection.text("auth_mechanism")
        if isinstance(error, errors.ProtocolError | BSONError):
            return mismatch(_SERVER, b"")
        if isinstance(error, errors.OperationFailure | errors.NotPrimaryError):
            details: Any = error.details or {}
            code = int(details.get("code") or 0)
            meaning = MEANINGS.get(code)
            if meaning is NO_RIGHT and not (mechanism or connection.text("user")):
                meaning = LOGIN_REQUIRED
            return meaning.as_error() if meaning else _unknown(code)
        if isinstance(error, ValueError | IndexError) and check.field == "password":
            return ConnectorConfigError(
                "`password` is empty, or has characters that no password may have (RFC 4013)",
                code="config.value",
                field="password",
                remedy="look for line breaks and the like in the variable",
            )
        if isinstance(error, errors.ConfigurationError):
            if check.stage == "dns":
                return srv_failure(error)
            return (NO_MECHANISM if mechanism else UNSUPPORTED).as_error()
        broken = any(isinstance(item, OSError) for item in causes(error))
        if isinstance(error, errors.AutoReconnect) and not broken:
            return ConnectorNetworkError(
                "the server closed the connection",
                code="tcp.closed",
                remedy="it may want a client certificate: set `ssl_cert` and `ssl_key`"
                if check.facts.get("tls")
                else "check the port; where the server wants TLS, set `ssl: true`",
            )
        return None


def login(connection: ResolvedConnection) -> dict[str, Any]:
    """Return who logs in and what is connected to, as options of pymongo."""
    for name in ("auth_mechanism", "read_preference"):
        _refuse_other(connection, name)
    user, password = connection.text("user"), connection.get("password")
    mechanism = connection.text("auth_mechanism")
    scram = mechanism in ("", "SCRAM-SHA-1", "SCRAM-SHA-256")
    if user and password is None and scram:
        raise ConnectorConfigError(
            "`user` cannot log in without a password",
            code="config.missing_field",
            field="password",
            remedy="add `password`",
        )
    options: dict[str, Any] = {
        "username": user,
        "authMechanism": mechanism,
        "authSource": str(connection.get("auth_source") or connection.get("login_database") or ""),
        "replicaSet": connection.text("replica_set"),
        "readPreference": connection.text("read_preference"),
        "directConnection": connection.get("direct"),
    }
    options = {name: value for name, value in options.items() if value}
    if user and password is not None:
        options["password"] = connection.text("password")
    return options


def _refuse_other(connection: ResolvedConnection, name: str) -> None:
    """Raise for a value that is none of those that the schema names."""
    allowed = connection.spec.fields[name].schema["enum"] if connection.spec else ()
    if connection.value(name) is not None and connection.text(name) not in allowed:
        raise ConnectorConfigError(
            f"`{name}` has a value that MongoDB does not know",
            code="config.value",
            field=name,
            remedy=f"use one of {', '.join(allowed)}",
        )


def reach(check: Check, seeds: Sequence[Seed], tls: Tls | None) -> None:
    """Connect to the one member and leave again; of several, any may be down."""
    context = tls_context(check, tls) if tls is not None else None
    if tls is None:
        check.facts["tls"] = False
    if len(seeds) > 1:
        check.at("tcp", "host")
        return
    host, port = seeds[0]
    with connect(check, host, port) as sock:
        if context is not None:
            context.wrap_socket(sock, server_hostname=host).close()


@contextmanager
def secured(tls: Tls | None) -> Iterator[dict[str, Any]]:
    """Give the TLS settings as options of pymongo, which reads the files at once."""
    if tls is None:
        yield {}
        return
    options: dict[str, Any] = {"tls": True}
    if tls.verify:
        options["tlsAllowInvalidHostnames"] = not tls.check_hostname
        options["tlsDisableOCSPEndpointCheck"] = True
    else:
        options["tlsAllowInvalidCertificates"] = True
        options["tlsAllowInvalidHostnames"] = True
    if tls.ca:
        options["tlsCAFile"] = tls.ca
    with tempfile.TemporaryDirectory(prefix="osiris-lsp-") as folder:
        if tls.cert:
            # pymongo takes no more than one file for both; nobody else may read the folder.
            path = options["tlsCertificateKeyFile"] = os.path.join(folder, "client.pem")
            with open(path, "wb") as both:
                for name in {tls.cert: None, tls.key: None}:
                    with open(name, "rb") as part:
                        both.write(part.read() + b"\n")
        yield options


def _reporter(news: "queue.SimpleQueue[Any]") -> Any:
    """Return a listener that passes on what the monitors of a client find."""
    from pymongo import monitoring

    class Reporter(monitoring.ServerHeartbeatListener):
        def started(self, event: monitoring.ServerHeartbeatStartedEvent) -> None:
            pass

        def succeeded(self, event: monitoring.ServerHeartbeatSucceededEvent) -> None:
            news.put(event)

        def failed(self, event: monitoring.ServerHeartbeatFailedEvent) -> None:
            news.put(event)

    return Reporter()


def _await_member(
    check: Check,
    news: "queue.SimpleQueue[Any]",
    seeds: Sequence[Seed],
    tls: Tls | None,
    connection: ResolvedConnection,
) -> None:
    """Wait until a member answers; raises the error of the last one when all have failed."""
    from pymongo.monitoring import ServerHeartbeatFailedEvent

    failed = set()
    while True:
        try:
            event = news.get(timeout=check.deadline.remaining())
        except queue.Empty:
            raise TimeoutError("no member answered in time") from None
        if not isinstance(event, ServerHeartbeatFailedEvent):
            return _note_member(check, event.reply, connection)
        failed.add(event.connection_id)
        if failed >= set(seeds):
            if len(seeds) > 1:
                host, port = event.connection_id
                reach(check, [(host, port or 0)], tls)  # to know why
            if getattr(event.reply, "timeout", False):
                raise TimeoutError("the member did not answer in time") from event.reply
            raise event.reply


def _note_member(check: Check, hello: Any, connection: ResolvedConnection) -> None:
    own, wanted = hello.replica_set_name, connection.text("replica_set")
    if wanted and own != wanted:
        raise ConnectorConfigError(
            f"the server belongs to the replica set `{own}`"
            if own
            else "the server belongs to no replica set",
            code="db.replica_set",
            field="replica_set",
            remedy=f"set `replica_set: {own}`" if own else "take `replica_set` out",
        )
    if own:
        check.facts["replica_set"] = own
    check.facts["read_only"] = not hello.is_writable


def _await_readable(check: Check, client: "MongoClient[Any]") -> None:
    """Wait until there is a member to read from; half of the time is left for using it."""
    patience = check.deadline.elapsed + check.deadline.remaining() / 2
    while not client.topology_description.has_readable_server(client.read_preference):
        if check.deadline.elapsed > patience:
            raise NO_PRIMARY.as_error()
        time.sleep(0.005)


def _ask(check: Check, client: "MongoClient[Any]", database: str) -> None:
    """Log in, list the databases and note facts."""
    import pymongo
    from pymongo.errors import PyMongoError

    try:
        with pymongo.timeout(check.deadline.remaining()):
            check.at("auth", "password")
            client.admin.command("ping", read_preference=client.read_preference)
            check.at("query", "user")
            names = client.list_database_names()
            check.facts["server_version"] = client.server_info()["version"]
    except PyMongoError as error:
        if error.timeout:
            raise TimeoutError("the server did not answer in time") from error
        raise
    if not database:
        return
    check.facts.update(database=database, database_exists=database in names)
    if database not in names:
        close = nearest(database, names)
        meant = f"; did you mean `{close}`?" if close else ""
        check.facts["databases"] = names
        check.facts["hint"] = f"the user sees no database `{database}` there yet{meant}"


def _unknown(number: int) -> ConnectorError:
    return ConnectorError(
        f"the server answers with error {number}",
        code=f"mongodb.{number}",
        remedy="look the number up in the list of error codes of MongoDB",
    )


CONNECTOR: Final = MongoDBConnector()
