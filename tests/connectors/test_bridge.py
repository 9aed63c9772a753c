"""The loop that sync code runs coroutines on."""

import asyncio
import os
import threading
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
