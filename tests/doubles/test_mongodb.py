"""The MongoDB double against pymongo."""

from pathlib import Path
from typing import Any

import pymongo
import pytest
import trustme
from pymongo.errors import OperationFailure

from tests.doubles import mongodb
from tests.doubles.clients import server_context
from tests.doubles.mongodb import Mongodb


def mongo_client(server: Mongodb, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
    """A client that gives up soon."""
    options = {"username": mongodb.USERNAME, "password": mongodb.PASSWORD, **options}
    return pymongo.MongoClient(server.host, server.port, timeoutMS=5000, **options)


@pytest.mark.parametrize("mechanism", [None, *mongodb.MECHANISMS])
def test_mongodb_logs_in(mechanism: str | None) -> None:
    """A real client logs in by any mechanism, and trusts what the server proves."""
    options = {"authMechanism": mechanism} if mechanism else {}
    with Mongodb() as server, mongo_client(server, **options) as client:
        assert client.admin.command("ping") == {"ok": 1.0}
        assert client.list_database_names() == [mongodb.DATABASE]
        status = client.admin.command("connectionStatus")["authInfo"]
        assert status["authenticatedUsers"] == [{"user": mongodb.USERNAME, "db": "admin"}]
        with pytest.raises(OperationFailure) as refused:
            client["other"].list_collection_names()
        assert refused.value.code == 13
    assert {"saslStart", "saslContinue", "ping", "listDatabases"} <= set(server.commands)


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "wrong"},
        {"password": "wrong", "authMechanism": "SCRAM-SHA-1"},
        {"username": "nobody"},
        {"authSource": "shop"},
    ],
)
def test_mongodb_refuses(wrong: dict[str, str]) -> None:
    """A wrong user, password or database is error 18."""
    with Mongodb() as server, mongo_client(server, **wrong) as client:
        with pytest.raises(OperationFailure) as refused:
            client.admin.command("ping")
        assert refused.value.code == 18


def test_mongodb_without_credentials() -> None:
    """Anyone may ping; to list needs a login, which is error 13."""
    with Mongodb() as server, mongo_client(server, username=None, password=None) as client:
        client.admin.command("ping")
        with pytest.raises(OperationFailure) as refused:
            client.list_database_names()
        assert refused.value.code == 13


def test_mongodb_replica_set_with_tls(authority: trustme.CA, tmp_path: Path) -> None:
    """A client that names the set finds its primary, over TLS."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    with Mongodb(replica_set="rs0", tls=server_context(authority)) as server:
        options = {"replicaSet": "rs0", "tls": True, "tlsCAFile": str(path)}
        with mongo_client(server, **options) as client:
            client.admin.command("ping")
            assert client.primary == (server.host, server.port)
