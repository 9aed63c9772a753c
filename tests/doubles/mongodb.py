"""A MongoDB server that knows one user and answers what a connection check asks.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
https://www.mongodb.com/docs/manual/reference/error-codes/
https://github.com/mongodb/specifications/blob/master/source/auth/auth.md
"""

import hashlib
import socket
import ssl
import struct
from typing import Any

import bson

from tests.doubles import scram
from tests.doubles.listener import Listener
from tests.doubles.messages import CANARY

USERNAME = "reporting"
PASSWORD = f"p@ss:{CANARY}/mongo"
AUTH_SOURCE = "admin"
DATABASE = "shop"
MECHANISMS = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}

_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
# mongod answers these to anyone.
_OPEN = {"buildinfo", "connectionstatus", "endsessions", "hello", "ismaster", "ping"}

Document = dict[str, Any]


class Mongodb(Listener):
    """`commands` holds the names of what was asked, oldest first; `mechanisms` what it offers.

    With `collections` the database can be read and written, else not even the user may.
    """

    def __init__(
        self,
        *,
        mechanisms: tuple[str, ...] = tuple(MECHANISMS),
        replica_set: str | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        collections: dict[str, list[Document]] | None = None,
    ) -> None:
        super().__init__(tls=tls, host=host)
        self.collections = collections
        self.commands: list[str] = []
        self.mechanisms = mechanisms
        self.replica_set = replica_set

    def converse(self, connection: socket.socket) -> None:
        """Answer commands until the client leaves."""
        session = _Session(self)
        while header := _read(connection, 16):
            length, number, _, code = struct.unpack("<iiii", header)
            body = _read(connection, length - 16)
            command, database = _parse(code, body)
            self.commands.append(next(iter(command)))
            connection.sendall(_message(code, number, session.answer(command, database)))


class _Session:
    """What the server knows about one connection."""

    def __init__(self, server: Mongodb) -> None:
        self._server = server
        self._exchange: scram.Scram | None = None
        self._user: str | None = None

    def answer(self, command: Document, database: str) -> Document:
        name = next(iter(command))
        lower = name.lower()
        if lower == "saslstart":
            return self._start(command, database)
        if lower == "saslcontinue":
            return self._continue(command)
        if lower not in _OPEN and self._user is None:
            return _error(13, "Unauthorized", f"Command {name} requires authentication")
        if lower in ("hello", "ismaster"):
            return self._hello(command)
        if lower == "connectionstatus":
            users = [{"user": self._user, "db": AUTH_SOURCE}] if self._user else []
            return _ok(authInfo={"authenticatedUsers": users, "authenticatedUserRoles": []})
        if lower == "buildinfo":
            return _ok(version="7.0.14", versionArray=[7, 0, 14, 0], maxBsonObjectSize=16777216)
        if lower == "listdatabases":
            return _ok(databases=[{"name": DATABASE, "sizeOnDisk": 8192, "empty": False}])
        if lower in ("ping", "endsessions"):
            return _ok()
        if lower == "listcollections" and database == DATABASE:
            return _ok(cursor={"id": 0, "ns": f"{DATABASE}.$cmd.listCollections", "firstBatch": []})
        if self._server.collections is not None and database == DATABASE:
            answer = _work(self._server.collections, lower, command)
            if answer is not None:
                return answer
        if lower in ("listcollections", "find"):
            text = f"not authorized on {database} to execute command {{ {name}: 1 }}"
            return _error(13, "Unauthorized", text)
        return _error(59, "CommandNotFound", f"no such command: '{name}'")

    def _hello(self, command: Document) -> Document:
        answer = _ok(
            helloOk=True,
            isWritablePrimary=True,
            ismaster=True,
            maxBsonObjectSize=16777216,
            maxMessageSizeBytes=48000000,
            maxWriteBatchSize=100000,
            minWireVersion=0,
            maxWireVersion=21,
            logicalSessionTimeoutMinutes=30,
            readOnly=False,
        )
        if self._server.replica_set is not None:
            here = self._server.authority
            answer |= {"setName": self._server.replica_set, "hosts": [here], "me": here}
            answer |= {"primary": here, "secondary": False, "setVersion": 1}
        if command.get("saslSupportedMechs") == f"{AUTH_SOURCE}.{USERNAME}":
            answer["saslSupportedMechs"] = list(self._server.mechanisms)
        return answer

    def _start(self, command: Document, database: str) -> Document:
        mechanism = command["mechanism"]
        if mechanism not in self._server.mechanisms:
            text = f"Received authentication for mechanism {mechanism} which is not enabled"
            return _error(334, "MechanismUnavailable", text)
        if (scram.user(command["payload"]), database) != (USERNAME, AUTH_SOURCE):
            return _DENIED
        password = PASSWORD
        if mechanism == "SCRAM-SHA-1":  # the older digest of user and password
            password = hashlib.md5(f"{USERNAME}:mongo:{PASSWORD}".encode()).hexdigest()
        self._exchange = scram.Scram(MECHANISMS[mechanism], password)
        payload = self._exchange.first(command["payload"])
        return _ok(conversationId=1, done=False, payload=payload)

    def _continue(self, command: Document) -> Document:
        exchange, self._exchange = self._exchange, None
        payload = exchange.final(command["payload"]) if exchange else None
        if payload is None:
            return _DENIED
        self._user = USERNAME
        return _ok(conversationId=1, done=True, payload=payload)


def _work(collections: dict[str, list[Document]], name: str, command: Document) -> Document | None:
    """Read or write documents; filters compare fields, changes are `$set`."""
    rows = collections.setdefault(next(iter(command.values())), []) if name in _WORK else []
    if name == "find":
        found = [row for row in rows if _fits(row, command.get("filter"))]
        found = found[: abs(command.get("limit") or len(found))]
        return _ok(cursor={"id": 0, "ns": f"{DATABASE}.x", "firstBatch": found})
    if name == "insert":
        ids = {row["_id"] for row in rows}
        if ids & {row["_id"] for row in command["documents"]}:
            error = {"index": 0, "code": 11000, "errmsg": "E11000 duplicate key error"}
            return _ok(n=0, writeErrors=[error])
        rows.extend(command["documents"])
        return _ok(n=len(command["documents"]))
    if name == "update":
        wanted = command["updates"][0]
        found = [row for row in rows if _fits(row, wanted["q"])]
        for row in found:
            row.update(wanted["u"]["$set"])
        return _ok(n=len(found), nModified=len(found))
    if name == "delete":
        kept = [row for row in rows if not _fits(row, command["deletes"][0]["q"])]
        gone, rows[:] = len(rows) - len(kept), kept
        return _ok(n=gone)
    return None


_WORK = ("find", "insert", "update", "delete")


def _fits(row: Document, wanted: Document | None) -> bool:
    return all(row.get(name) == value for name, value in (wanted or {}).items())


def _ok(**fields: Any) -> Document:
    return {**fields, "ok": 1.0}


def _error(code: int, name: str, message: str) -> Document:
    return {"ok": 0.0, "errmsg": message, "code": code, "codeName": name}


_DENIED = _error(18, "AuthenticationFailed", "Authentication failed.")


def _read(connection: socket.socket, length: int) -> bytes:
    """That many bytes, or fewer at the end of the connection."""
    data = b""
    while len(data) < length and (part := connection.recv(length - len(data))):
        data += part
    return data


def _parse(code: int, body: bytes) -> tuple[Document, str]:
    """The command of a message and the database that it is for."""
    if code == _OP_MSG:  # flags, then the section of kind 0
        (length,) = struct.unpack_from("<i", body, 5)
        command = bson.decode(body[5 : 5 + length])
        return {**command, **_sequences(body, 5 + length)}, command["$db"]
    if code == _OP_QUERY:  # flags, `DATABASE.$cmd`, skip and limit
        end = body.index(b"\0", 4)
        (length,) = struct.unpack_from("<i", body, end + 9)
        command = bson.decode(body[end + 9 : end + 9 + length])
        return command, body[4:end].decode().partition(".")[0]
    raise ConnectionAbortedError(f"unknown opcode {code}")


def _sequences(body: bytes, at: int) -> Document:
    """The sections of kind 1: documents, under a name."""
    found: Document = {}
    while at < len(body):
        (length,) = struct.unpack_from("<i", body, at + 1)
        end = body.index(b"\0", at + 5)
        found[body[at + 5 : end].decode()] = bson.decode_all(body[end + 1 : at + 1 + length])
        at += 1 + length
    return found


def _message(code: int, number: int, answer: Document) -> bytes:
    if code == _OP_QUERY:
        code, prefix = _OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1)
    else:
        prefix = b"\0\0\0\0\0"
    body = prefix + bson.encode(answer)
    return struct.pack("<iiii", 16 + len(body), 0, number, code) + body
