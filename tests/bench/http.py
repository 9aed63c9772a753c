"""What the client framework costs beside bare httpx2, against a server on this machine."""

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from osiris_lsp.connectors import (
    APIClientConfig,
    BaseAPIClient,
    CircuitBreakerConfig,
    RateLimitConfig,
    RetryConfig,
    create_bearer_auth,
)

ANSWER = b'{"id": 17, "state": "done", "items": [1, 2, 3]}'
REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    + f"Content-Length: {len(ANSWER)}\r\n\r\n".encode()
    + ANSWER
)
PATH = "/orders/17"
CONNECTIONS = 100

Call = Callable[[], Awaitable[Any]]


class Client(BaseAPIClient):
    """A client with every part at work."""

    async def _build_base_url(self) -> str:
        return self.config.base_url


def full(url: str) -> Client:
    """The full stack: credentials, limiter, breaker, retry; logs go nowhere, as by default."""
    config = APIClientConfig(
        name="bench",
        base_url=url,
        auth=create_bearer_auth("t0ken"),
        rate_limit=RateLimitConfig(max_requests=10_000_000, window_seconds=1.0),
        circuit_breaker=CircuitBreakerConfig(),
        retry=RetryConfig(),
        max_connections=CONNECTIONS,
        max_keepalive_connections=CONNECTIONS,
    )
    return Client(config)


class _Serving(asyncio.Protocol):
    """Says the same to each request; requests here have no bodies."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(REPLY * data.count(b"\r\n\r\n"))


async def _serve(port: Any) -> None:
    server = await asyncio.get_running_loop().create_server(_Serving, "127.0.0.1", 0)
    port.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _run(port: Any) -> None:
    asyncio.run(_serve(port))


@contextmanager
def server() -> Iterator[str]:
    """A server in a process of its own: its work must not count."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=[theirs], daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


@dataclass(frozen=True)
class Cost:
    """Wall and CPU time of one request in seconds; CPU is that of this thread, all of it ours."""

    wall: float
    cpu: float


async def _timed(call: Call) -> Cost:
    wall, cpu = time.perf_counter(), time.thread_time()
    await call()
    return Cost(time.perf_counter() - wall, time.thread_time() - cpu)


async def _pairs(bare: Call, ours: Call, count: int) -> list[tuple[Cost, Cost]]:
    """Time both in turns, each first as often as the other."""
    for call in (bare, ours) * 50:
        await call()
    found = []
    for number in range(count):
        if number % 2:
            first = await _timed(bare)
            found.append((first, await _timed(ours)))
        else:
            second = await _timed(ours)
            found.append((await _timed(bare), second))
    return found


def _row(name: str, pairs: Sequence[tuple[float, float]]) -> None:
    """Print the medians of both sides, and of the differences within the pairs."""
    bare, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    more = statistics.median(second - first for first, second in pairs)
    cells = [f"{bare * 1000:.3f} ms", f"{ours * 1000:.3f} ms", f"{more * 1000:+.3f} ms"]
    print(f"| {name} | {' | '.join(cells)} | {ours / bare:.2f} |", flush=True)


async def _throughput(call: Call, count: int) -> float:
    """Requests in a second by as many workers as there are connections."""
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            await call()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - start)


async def _measure(url: str, pairs: int, runs: int) -> None:
    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    headers = {"Authorization": "Bearer t0ken"}
    async with (
        full(url).session() as client,
        httpx2.AsyncClient(base_url=url, limits=limits, headers=headers) as http,
    ):

        async def bare() -> Any:
            return (await http.get(PATH)).raise_for_status().json()

        async def ours() -> Any:
            return (await client.get(PATH)).body

        assert await bare() == await ours()
        found = await _pairs(bare, ours, pairs)
        print(f"\n## HTTP client: {pairs} pairs of requests, {runs} runs with all connections\n")
        print("| median | bare httpx2 | full stack | difference | ratio |")
        print("|---|--:|--:|--:|--:|")
        _row("a request", [(one.wall, other.wall) for one, other in found])
        _row("its CPU time", [(one.cpu, other.cpu) for one, other in found])
        rates = [
            (await _throughput(bare, pairs), await _throughput(ours, pairs)) for _ in range(runs)
        ]
        alone, stacked = (statistics.median(side) for side in zip(*rates, strict=True))
        print(
            f"| requests over {CONNECTIONS} connections | {alone:.0f}/s | {stacked:.0f}/s "
            f"| {(1 / stacked - 1 / alone) * 1000:+.3f} ms each | {stacked / alone:.2f} |"
        )


def report(pairs: int, runs: int) -> None:
    """Measure and print."""
    with server() as url:
        asyncio.run(_measure(url, pairs, runs))
