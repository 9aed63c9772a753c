import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from osiris_lsp.connectors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
    RedisConnection,
)
from tests.services import faults
from tests.services.certificates import Certificates
from tests.services.processes import ROOT_PASSWORD, Server


def config(server: Server, **fields: Any) -> dict[str, Any]:
    """A connection of the user who may do all, with a prefix of its own."""
    own = {"host": server.host, "port": server.port, "password": ROOT_PASSWORD}
    return {**own, "key_prefix": "test*[1]:", **fields}


@pytest.fixture
def cache(redis_server: Server) -> Iterator[RedisConnection]:
    """A connection whose keys are gone afterwards."""
    with RedisConnection(config(redis_server)) as connection:
        yield connection
        connection.delete(*connection.keys())


def test_texts_by_their_keys(cache: RedisConnection, redis_server: Server) -> None:
    """Texts are kept, listed and forgotten; what another prefix holds is not seen."""
    with RedisConnection(config(redis_server, key_prefix="test")) as other:
        other.set("b", "another's")
        cache.set("a", "ä")
        cache.set("n", 1.5)
        assert [cache.get(key) for key in ("a", "n", "b")] == ["ä", "1.5", None]
        assert sorted(cache.keys()) == ["a", "n"]
        assert list(cache.keys("n*")) == ["n"]
        assert (cache.delete("a", "b"), cache.delete()) == (1, 0)
        assert other.get("b") == "another's"
        other.delete("b")


def test_texts_that_end(cache: RedisConnection) -> None:
    """A text is gone after its time; a time that is none is refused."""
    cache.set("k", "v", expires=0.02)
    deadline = time.monotonic() + 5
    while cache.get("k") is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert cache.get("k") is None
    with pytest.raises(ConnectorConfigError):
        cache.set("k", "v", expires=0)


@pytest.mark.parametrize(
    ("fields", "kind", "code"),
    [
        ({"password": "c4n4ry"}, ConnectorAuthError, "db.login_refused"),
        ({"password": None}, ConnectorAuthError, "db.login_required"),
        ({"user": "reader", "password": "{reader}"}, ConnectorPermissionError, "db.no_privilege"),
        ({"port": 1}, ConnectorNetworkError, "tcp.refused"),
        (
            {"host": "localhost", "port": "{tls}", "ssl": True},
            ConnectorNetworkError,
            "tls.untrusted",
        ),
    ],
)
def test_what_goes_wrong(
    redis_server: Server, fields: dict[str, Any], kind: type[ConnectorError], code: str
) -> None:
    """The doctor's words for it, and no secret."""
    real = {"{reader}": redis_server.password, "{tls}": redis_server.tls_port}
    fields = {name: real.get(str(value), value) for name, value in fields.items()}
    with RedisConnection(config(redis_server, **fields)) as cache, pytest.raises(kind) as caught:
        cache.set("k", "v")
    assert caught.value.code == code
    assert "c4n4ry" not in f"{caught.value} {vars(caught.value)}"


def test_tls(redis_server: Server, certificates: Certificates) -> None:
    """A server is reached by TLS, with an authority of one's own."""
    fields = {"host": "localhost", "port": redis_server.tls_port, "ssl_ca": str(certificates.ca)}
    with RedisConnection(config(redis_server, **fields)) as cache:
        assert cache.get("nothing") is None


def test_a_url(redis_server: Server) -> None:
    """The fields may stand in one text."""
    url = f"redis://:{quote(ROOT_PASSWORD, safe='')}@127.0.0.1:{redis_server.port}/3"
    with RedisConnection({"url": url}) as cache:
        assert cache.get("nothing") is None


def test_a_server_that_is_mute() -> None:
    """A call ends with its time limit."""
    with faults.mute() as server:
        fields = {"host": "127.0.0.1", "port": server.port, "timeout": 0.3, "connect_timeout": 0.3}
        began = time.monotonic()
        with RedisConnection(fields) as cache, pytest.raises(ConnectorTimeoutError):
            cache.get("k")
        assert time.monotonic() - began < 2
