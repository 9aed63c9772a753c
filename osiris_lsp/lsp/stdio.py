"""Standard input as a stream: pygls goes to a thread and back for each line of a message."""

import asyncio
import io
import threading
from typing import Final

_CHUNK: Final = 1 << 16


def stream(file: io.BufferedReader) -> asyncio.StreamReader:
    """Return what a thread of its own reads from a file, until that ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()

    def pump() -> None:
        try:
            while data := file.read1(_CHUNK):
                loop.call_soon_threadsafe(reader.feed_data, data)
            loop.call_soon_threadsafe(reader.feed_eof)
        except RuntimeError:  # the loop has ended before its input
            pass

    threading.Thread(target=pump, name="osiris-stdin", daemon=True).start()
    return reader
