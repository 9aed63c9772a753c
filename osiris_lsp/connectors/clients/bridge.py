"""The one bridge from code that is not async to clients that are (R-31)."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

Result = TypeVar("Result")

_STOP_WAIT: Final = 5.0
"""Seconds that `close` waits for the thread."""


class Bridge:
    """An event loop in a thread of its own; any number of threads may call through it.

    The thread starts with the first call. A caller may itself be inside of another loop.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end and return what it returns, or raise what it raises."""
        future = asyncio.run_coroutine_threadsafe(work, self._running())
        try:
            return future.result()
        except BaseException:
            future.cancel()  # of a caller that was interrupted: nobody waits any more
            raise

    def close(self) -> None:
        """Stop the thread; a later call would start another."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_STOP_WAIT)
        if not thread.is_alive():
            loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="osiris-bridge", daemon=True
                )
                self._thread.start()
            return self._loop
