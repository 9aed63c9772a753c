"""URIs of MongoDB, and the look-up of those that name a cluster."""

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import dns.message
import dns.resolver
import dns.rrset
import pytest

from osiris_lsp.connectors.families.mongodb import CONNECTOR
from osiris_lsp.connectors.families.mongodb.uri import read_uri
from tests.doubles.mongodb import PASSWORD, USERNAME, Mongodb


@pytest.mark.parametrize(
    ("uri", "fields"),
    [
        ("mongodb://h", {"host": "h"}),
        ("mongodb://h:1/?tls=true", {"host": "h", "port": 1, "ssl": True}),
        ("mongodb://[::1]:1", {"host": "::1", "port": 1}),
        (
            "mongodb://u:p%40%3A@h/shop",
            {"user": "u", "password": "p@:", "host": "h", "database": "shop",
             "login_database": "shop"},
        ),
        ("mongodb://a:1,[::1],c", {"port": 1, "seeds": [("a", 1), ("::1", None), ("c", None)]}),
        ("mongodb+srv://c.example.com", {"srv": "c.example.com", "ssl": True}),
        ("mongodb+srv://c.example.com/?ssl=false", {"srv": "c.example.com", "ssl": False}),
        (
            "mongodb://h?TLSInsecure=true&tls=1&replicaSet=rs0",
            {"host": "h", "ssl": True, "ssl_verify": False, "replica_set": "rs0"},
        ),
        (
            "mongodb://h/?tls=true&tlsCertificateKeyFile=a&tlsAllowInvalidHostnames=true",
            {"host": "h", "ssl": {"check_hostname": False}, "ssl_cert": "a", "ssl_key": "a"},
        ),
    ],
)  # fmt: skip
def test_uris(uri: str, fields: dict[str, Any]) -> None:
    """Each part of a URI becomes a field."""
    assert read_uri(uri, "uri") == fields


LOOK_UP = """
import time
from osiris_lsp.connectors.families.mongodb import CONNECTOR
began = time.monotonic()
result = CONNECTOR.examine({"uri": "mongodb+srv://u:pw@cluster.example.com/shop"}, 0.5)
print(result.details["code"], result.details["stage"], result.details["field"])
print(time.monotonic() - began <= 1.0)
"""


@pytest.mark.inventory("S1-CONN009-05")
@pytest.mark.parametrize(
    ("answer", "code"),
    [("silence", "dns.timeout"), ("nxdomain", "dns.nxdomain"), ("servfail", "dns.failed")],
)
def test_names_of_clusters(
    run_with_names: Callable[..., subprocess.CompletedProcess[str]], answer: str, code: str
) -> None:
    """The look-up of `mongodb+srv://` tells a name that is not there from servers that fail."""
    done = run_with_names(LOOK_UP, answer)
    assert (done.stdout.split(), done.stderr) == ([code, "dns", "uri", "True"], "")


@contextmanager
def name_server(records: dict[str, str]) -> Iterator[int]:
    """Answer questions such as `SRV name.` by the records; gives the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                data, client = server.recvfrom(4096)
                if data == b"end":
                    return
                question = dns.message.from_wire(data)
                asked = question.question[0]
                kind = dns.rdatatype.to_text(asked.rdtype)
                answer = dns.message.make_response(question)
                text = records.get(f"{kind} {asked.name}")
                if text is not None:
                    answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, text))
                server.sendto(answer.to_wire(), client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.sendto(b"end", server.getsockname())
            thread.join()


def test_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """The DNS gives the members and where the user is; a member of another domain is refused."""
    look_up = socket.getaddrinfo

    def local(host: Any, *args: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host == "m1.c.example.com" else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    resolver = dns.resolver.Resolver(configure=False)
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    resolver.nameservers = ["127.0.0.1"]
    login = f"{USERNAME}:{quote(PASSWORD, safe='')}"
    with Mongodb(replica_set=None) as server:
        member = f"0 0 {server.port} m1.c.example.com."
        records = {
            "SRV _mongodb._tcp.c.example.com.": member,
            "TXT c.example.com.": '"authSource=admin"',
            "SRV _mongodb._tcp.d.example.org.": member,
        }
        with name_server(records) as resolver.port:
            uri = f"mongodb+srv://{login}@c.example.com/shop?tls=false&directConnection=true"
            result = CONNECTOR.examine({"uri": uri}, 5.0)
            assert (result.category, result.details["database"]) == ("ok", "shop")
            uri = uri.replace("c.example.com", "d.example.org")
            result = CONNECTOR.examine({"uri": uri}, 5.0)
            assert (result.details["code"], result.details["field"]) == ("config.dsn", "uri")
