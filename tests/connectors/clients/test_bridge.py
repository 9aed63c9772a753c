import asyncio
import threading

import pytest

from osiris_lsp.connectors.clients.bridge import Bridge


async def double(number: int) -> int:
    """Wait for the loop and return twice the number."""
    await asyncio.sleep(0)
    return 2 * number


@pytest.mark.inventory("R-31")
def test_values_and_errors_come_back() -> None:
    """What a coroutine returns or raises reaches the caller; after `close` it starts anew."""
    bridge = Bridge()

    async def fail() -> None:
        raise LookupError("x")

    for _ in range(2):
        assert bridge.run(double(2)) == 4
        with pytest.raises(LookupError, match="x"):
            bridge.run(fail())
        bridge.close()
        bridge.close()


@pytest.mark.inventory("R-31")
def test_many_threads_share_one_loop() -> None:
    """All calls run beside each other in one thread, which ends with the bridge."""
    bridge, seen = Bridge(), set[int]()
    everybody = threading.Barrier(8)

    async def note() -> None:
        seen.add(threading.get_ident())

    def call() -> None:
        everybody.wait(10)
        bridge.run(note())

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    bridge.close()
    assert len(seen) == 1
    assert seen.isdisjoint(thread.ident for thread in threading.enumerate())


@pytest.mark.inventory("R-31")
def test_a_caller_inside_of_a_loop() -> None:
    """Code that runs in a loop of its own may call, too."""
    bridge = Bridge()

    async def main() -> int:
        return bridge.run(double(21))

    assert asyncio.run(main()) == 42
    bridge.close()
