"""Servers that fail on the wire, each on a free port of 127.0.0.1 while its context is open."""

import asyncio
import itertools
import random
import select
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.certificates import Certificates, Kind

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SSH_BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
HTTP_REPLY = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# Protocol version 10 with TLS and `mysql_native_password`, behind length and sequence number.
MYSQL_GREETING = (b"K\0\0\0\x0a10.11.0\0\1\0\0\0saltsalt\0\xff\xff\x2d\2\0") + (
    b"\xff\x81\x15" + bytes(10) + b"saltsaltsalt\0mysql_native_password\0"
)


@dataclass(frozen=True)
class Opening:
    """What stands before TLS in a protocol: two times the server's bytes, and how many it reads."""

    greets: bytes = b""
    reads: int = 0
    answers: bytes = b""


DIRECT = Opening()
POSTGRES = Opening(reads=8, answers=b"S")
MYSQL = Opening(greets=MYSQL_GREETING, reads=36)


@dataclass
class Fault:
    """A server that fails: where it is and who came."""

    port: int
    host: str = "127.0.0.1"
    accepted: int = 0
    fillers: frozenset[int] = field(default=frozenset(), repr=False)

    @property
    def open_connections(self) -> int:
        """How many connections clients have open, or try to open, at this moment."""
        return len(clients(self.port) - self.fillers)


def clients(port: int) -> set[int]:
    """The ports of this machine's sockets that a client has not closed, by the kernel's list.

    A socket that was reset is in no list.
    """
    unclosed = ("01", "02", "08")  # ESTABLISHED, SYN_SENT, CLOSE_WAIT
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with suppress(FileNotFoundError):
            for line in table.read_text().splitlines()[1:]:
                _, local, remote, state = line.split()[:4]
                if state in unclosed and int(remote.rpartition(":")[2], 16) == port:
                    found.add(int(local.rpartition(":")[2], 16))
    return found


@contextmanager
def serve(
    behaviour: Behaviour, opening: Opening = DIRECT, context: ssl.SSLContext | None = None
) -> Iterator[Fault]:
    """A server that does the same with each connection; all are closed at the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    fault = Fault(listener.getsockname()[1])
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # clients are meant to break off

    async def attend(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            await begin(connection, opening)
            reader = asyncio.StreamReader()
            transport, protocol = await loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader), connection, ssl=context
            )
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            try:
                await behaviour(reader, writer)
            finally:
                transport.abort()

    async def listen() -> None:
        async with asyncio.TaskGroup() as attending:
            while True:
                connection, _ = await loop.sock_accept(listener)
                fault.accepted += 1
                attending.create_task(attend(connection))

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(listening)

    listening = loop.create_task(listen())
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield fault
    finally:
        loop.call_soon_threadsafe(listening.cancel)
        thread.join()
        loop.close()
        listener.close()


@contextmanager
def refused() -> Iterator[Fault]:
    """A port on which nobody listens, and which nobody else gets."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield Fault(reserved.getsockname()[1])


@contextmanager
def black_hole() -> Iterator[Fault]:
    """A port that never answers a SYN: the backlog of its listener is full."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fault = Fault(listener.getsockname()[1])
        answered = True
        while answered:
            filler = opened.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((fault.host, fault.port))
            answered = bool(select.select([], [filler], [], 0.1)[1])
        fault.fillers = frozenset(clients(fault.port))
        yield fault


def mute() -> AbstractContextManager[Fault]:
    """A server that accepts and neither reads nor says anything."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # typeshed: any transport
        await asyncio.Event().wait()

    return serve(behave)


def half_open(greeting: bytes = b"") -> AbstractContextManager[Fault]:
    """A server that may greet, then reads all and says nothing."""
    return serve(silence, Opening(greeting))


def text(payload: bytes, *, close: bool = False) -> AbstractContextManager[Fault]:
    """A server that says the same to everyone, then closes or waits until the client does."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await say(writer, payload)
        if close:
            writer.write_eof()  # and read on: what nobody read would make it a reset
        await swallow(reader)

    return serve(behave)


def garbage() -> AbstractContextManager[Fault]:
    """A server that says 4096 random bytes, the same each time."""
    return text(random.Random(0).randbytes(4096))


def closes() -> AbstractContextManager[Fault]:
    """A server that accepts and closes at once."""
    return text(b"", close=True)


def reset() -> AbstractContextManager[Fault]:
    """A server that accepts and resets the connection at once."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return serve(behave)


def drip(payload: bytes, interval: float = 0.05) -> AbstractContextManager[Fault]:
    """A server that says one byte each `interval` seconds, over and over for ever."""
    return serve(dripping(payload, interval))


def dripping(payload: bytes, interval: float = 0.05) -> Behaviour:
    """What `drip` does, for use behind `tls`."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in itertools.cycle(payload):
            await say(writer, bytes([byte]))
            await asyncio.sleep(interval)

    return behave


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read all and say nothing, for use behind `tls`."""
    await swallow(reader)


def tls(
    certificates: Certificates,
    kind: Kind = "good",
    then: Behaviour = silence,
    opening: Opening = DIRECT,
) -> AbstractContextManager[Fault]:
    """A TLS server with a certificate of that kind, and what it does after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.pair(kind))
    return serve(then, opening, context)


def tls_stall(opening: Opening = DIRECT) -> AbstractContextManager[Fault]:
    """A server that reads the ClientHello and says nothing."""
    return serve(silence, opening)


def tls_drip(interval: float = 0.05, opening: Opening = DIRECT) -> AbstractContextManager[Fault]:
    """A server that drips a handshake message which never ends."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await say(writer, b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")  # a ServerHello of 16 KiB
        await dripping(b"\x03", interval)(reader, writer)

    return serve(behave, opening)


async def begin(connection: socket.socket, opening: Opening) -> None:
    """Do what stands before TLS, and read no byte more."""
    loop = asyncio.get_running_loop()
    connection.setblocking(False)
    await loop.sock_sendall(connection, opening.greets)
    wanted = opening.reads
    while wanted and (got := await loop.sock_recv(connection, wanted)):
        wanted -= len(got)
    await loop.sock_sendall(connection, opening.answers)


async def say(writer: asyncio.StreamWriter, payload: bytes) -> None:
    """Send bytes."""
    writer.write(payload)
    await writer.drain()


async def swallow(reader: asyncio.StreamReader) -> None:
    """Read until the client closes."""
    while await reader.read(65536):
        pass
