"""From sync code into async code: an event loop in a thread of its own (R-31)."""

import asyncio
import atexit
import os
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

Result = TypeVar("Result")

_GRACE: Final = 1.0
"""Seconds for the loop to end."""


class _Loop(asyncio.SelectorEventLoop):
    """Looks names up in daemon threads: one that hangs neither holds up others nor the end."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        found = self.create_future()

        def finish(result: Any, error: Exception | None) -> None:
            if found.done():  # whoever asked has given up
                return
            if error is not None:
                found.set_exception(error)
            else:
                found.set_result(result)

        def look_up() -> None:
            result, failure = None, None
            try:
                result = socket.getaddrinfo(host, port, **options)
            except Exception as error:  # a name that cannot be encoded is a UnicodeError
                failure = error
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self.call_soon_threadsafe(finish, result, failure)

        threading.Thread(target=look_up, daemon=True).start()
        return await found


class Bridge:
    """Runs coroutines for threads that have no event loop; the loop starts with the first.

    What belongs to a loop, such as connections and locks, works with the next call as well, for
    all calls run on the same one. A forked process gets a loop of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return what a coroutine returns; a caller that is interrupted cancels it."""
        loop = self._running()
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a coroutine of the bridge cannot wait for the bridge")
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def start(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run a coroutine without waiting for it; nothing happens where no loop runs any more."""
        with self._lock:
            if self._loop is not None and self._process == os.getpid():
                asyncio.run_coroutine_threadsafe(work(), self._loop)

    def close(self) -> None:
        """End the loop and what still runs on it; a later call starts another."""
        with self._lock:
            loop, thread, self._loop = self._loop, self._thread, None
        atexit.unregister(self.close)
        if loop is None or thread is None or self._process != os.getpid():
            return
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_finish(), loop).result(_GRACE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_GRACE)
        if not thread.is_alive():  # what does not end in time must not hold up the process
            loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._loop = _Loop()
                self._process = os.getpid()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="osiris-lsp bridge", daemon=True
                )
                self._thread.start()
                atexit.register(self.close)
            return self._loop


async def _finish() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
