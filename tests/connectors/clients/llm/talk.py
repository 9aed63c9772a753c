"""What a server of models says: whole answers, and pieces of streams."""

import json
import socket
from collections.abc import Callable
from typing import Any

from tests.doubles.messages import Answer, as_json

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
"""At the prices of `gpt-4o-mini` 0.00015 and 0.00006 USD."""


def answer(
    content: str | None = "fine", usage: dict[str, Any] | None = USAGE, **message: Any
) -> Answer:
    """A completion."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1721172741,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls" if message else "stop",
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
    }
    return as_json(200, body | ({"usage": usage} if usage is not None else {}))


def piece(content: str | None = None, finish: str | None = None, usage: Any = None) -> bytes:
    """An event of a stream."""
    choice = {"index": 0, "delta": {"content": content} if content else {}, "finish_reason": finish}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1721172741,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [] if usage else [choice],
        "usage": usage,
    }
    return b"data: %s\n\n" % json.dumps(body).encode()


DONE = b"data: [DONE]\n\n"


def streamed(talk: Callable[[Callable[[bytes], None], socket.socket], None]) -> Answer:
    """A stream whose chunks a function sends."""

    def take(connection: socket.socket) -> None:
        talk(lambda data: connection.sendall(b"%x\r\n%s\r\n" % (len(data), data)), connection)

    return Answer(200, headers={"Content-Type": "text/event-stream"}, chunked=True, takeover=take)


def whole(*events: bytes, end: bool = True) -> Answer:
    """A stream that is sent at once."""

    def talk(send: Callable[[bytes], None], connection: socket.socket) -> None:
        for event in events:
            send(event)
        if end:
            connection.sendall(b"0\r\n\r\n")

    return streamed(talk)
