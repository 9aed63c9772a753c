"""The loop that sync code runs coroutines on."""

import asyncio
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from osiris_lsp.connectors.bridge import Bridge


@pytest.fixture
def bridge() -> Bridge:
    """A bridge of our own."""
    return Bridge()


@pytest.mark.inventory("R-31")
def test_all_threads_share_a_loop(bridge: Bridge) -> None:
    """Also from within another loop, and what a coroutine raises arrives."""

    async def loop() -> int:
        return id(asyncio.get_running_loop())

    async def fail() -> None:
        raise LookupError("gone")

    async def inside() -> int:
        return bridge.run(loop())

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: bridge.run(loop()), range(16)))
    assert found == {asyncio.run(inside())}
    with pytest.raises(LookupError, match="gone"):
        bridge.run(fail())


def test_waiting_for_itself_is_refused(bridge: Bridge) -> None:
    """It would never end."""

    async def inner() -> None:
        """Never run."""

    async def outer() -> None:
        bridge.run(inner())

    with pytest.raises(RuntimeError, match="cannot wait for the bridge"):
        bridge.run(outer())


def test_a_caller_that_is_interrupted_cancels(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is left to use what it would return."""
    begun, cancelled = threading.Event(), threading.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def interrupted(future: object) -> None:
        assert begun.wait(5)
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bridge.run(work())
    assert cancelled.wait(5)


def test_another_process_gets_a_loop_of_its_own(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread of the first does not exist in a forked one."""

    async def thread() -> str:
        return str(threading.get_ident())

    first = bridge.run(thread())
    process = os.getpid() + 1
    monkeypatch.setattr("os.getpid", lambda: process)
    assert bridge.run(thread()) != first


def test_closing_ends_what_runs_and_the_next_call_starts_anew(bridge: Bridge) -> None:
    """And leaves no thread behind."""
    begun, cancelled = threading.Event(), threading.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def thread() -> threading.Thread:
        return threading.current_thread()

    first = bridge.run(thread())
    bridge.start(work)
    assert begun.wait(5)
    bridge.close()
    bridge.close()
    assert cancelled.is_set()
    assert not first.is_alive()
    assert bridge.run(thread()) is not first
    bridge.close()


def test_names_are_looked_up(bridge: Bridge) -> None:
    """As any loop does it, failures included."""

    async def lookup(host: str) -> object:
        loop = asyncio.get_running_loop()
        return await loop.getaddrinfo(host, 80, type=socket.SOCK_STREAM)

    for host in ("127.0.0.1", "localhost"):
        assert bridge.run(lookup(host)) == socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    for host, kind in (("a..b", UnicodeError), ("name with spaces", socket.gaierror)):
        with pytest.raises(kind):
            bridge.run(lookup(host))


SILENT = """
import time
from osiris_lsp.connectors import Authenticator, Environment, RetryConfig
variables = {
    "AUTH_METHOD": "oauth", "OAUTH_ENDPOINT": "https://id.example.com/token",
    "OAUTH_CLIENT_ID": "i", "OAUTH_CLIENT_SECRET": "s",
}
import osiris_lsp.connectors.environment.oauth_connector as oauth
oauth.TIMEOUT = 0.5
authenticator = Authenticator(Environment(variables), retry=RetryConfig(max_retries=0))
began = time.monotonic()
found = authenticator.setup_authentication()
print(found.failure.code, time.monotonic() - began < 3, time.time())
"""


@pytest.mark.inventory("S0-ERR-02")
def test_a_name_server_that_is_silent(
    run_with_names: Callable[[str, str], "subprocess.CompletedProcess[str]"],
) -> None:
    """Neither the call nor the end of the process waits for it."""
    done = run_with_names(SILENT, "silence")
    code, in_time, ended = done.stdout.splitlines()[-1].split()
    assert (code.partition(".")[0], in_time) == ("timeout", "True")
    assert time.time() - float(ended) < 5
