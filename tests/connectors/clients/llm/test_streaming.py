"""Streams: whole ones, those that are left early, and those that break."""

import gc
import logging
import socket
import threading
import time
from collections.abc import Callable

import pytest

from osiris_lsp.connectors import (
    ConnectorAPIError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorParseError,
    ConnectorTimeoutError,
)
from tests.connectors.clients.llm.conftest import MESSAGES, Caller, Double
from tests.connectors.clients.llm.talk import DONE, USAGE, piece, streamed, whole
from tests.doubles import faults
from tests.doubles.messages import CANARY, Answer

Send = Callable[[bytes], None]


@pytest.mark.inventory("S0-LLM-08", "S0-LLM-14", "S0-LLM-17")
def test_a_stream(caller: Caller) -> None:
    """Its pieces are the answer, and usage is asked for and counted."""
    stream = caller.connector().stream(MESSAGES, caller.context(), {"model_tier": "low"})
    assert stream.metrics is None
    pieces = list(stream)
    whole_answer = caller.connector().complete(MESSAGES, caller.context(), None, "low")
    assert len(pieces) > 1
    assert "".join(pieces) == whole_answer.content
    assert stream.finish_reason == "stop"
    metrics = stream.metrics
    assert metrics is not None
    assert metrics.completion_tokens == whole_answer.metrics.completion_tokens
    assert (metrics.model, metrics.cost) == ("gpt-4o-mini", whole_answer.metrics.cost)
    assert list(stream) == []


@pytest.mark.inventory("S0-LLM-08", "S0-LLM-18", "S0-CTX-02")
def test_what_is_asked_and_logged(double: Double, caplog: pytest.LogCaptureFixture) -> None:
    """One record at the end, without the text; the connection is used again."""
    caplog.set_level(logging.INFO, "osiris_lsp")
    double.server.always(
        whole(piece("the "), piece("c0ntent"), piece(finish="stop"), piece(usage=USAGE), DONE)
    )
    context = double.context()
    for _ in range(2):
        assert "".join(double.connector().stream(MESSAGES, context)) == "the c0ntent"
    request = double.server.requests[0].json()
    assert (request["stream"], request["stream_options"]) == (True, {"include_usage": True})
    record = caplog.records[0]
    assert vars(record)["operation"] == "stream"
    assert vars(record)["tokens"] == {
        "prompt": 1000,
        "completion": 100,
        "cached": 0,
        "total": 1100,
    }
    assert vars(record)["execution_id"] == context["execution_id"]
    assert "c0ntent" not in caplog.text
    assert len(caplog.records) == 2


@pytest.mark.inventory("S0-PERF-03")
def test_the_first_piece_comes_before_the_end(double: Double) -> None:
    """The server goes on only when the first piece was seen."""
    seen = threading.Event()

    def talk(send: Send, connection: socket.socket) -> None:
        send(piece("first"))
        assert seen.wait(20)
        send(piece(" second") + piece(finish="stop") + DONE)
        connection.sendall(b"0\r\n\r\n")

    double.server.always(streamed(talk))
    stream = double.connector().stream(MESSAGES, double.context())
    assert next(stream) == "first"
    seen.set()
    assert list(stream) == [" second"]


@pytest.mark.inventory("S0-LLM-14")
@pytest.mark.parametrize("way", ["close", "with", "forget"])
def test_leaving_early_releases_the_socket(double: Double, way: str) -> None:
    """The server sees the end of the connection, however the stream is left."""
    ended = threading.Event()

    def talk(send: Send, connection: socket.socket) -> None:
        send(piece("first"))
        assert connection.recv(1) == b""
        ended.set()

    double.server.always(streamed(talk))
    stream = double.connector().stream(MESSAGES, double.context())
    assert next(stream) == "first"
    if way == "with":
        with stream:
            pass
    if way == "forget":
        del stream
        gc.collect()
    else:
        stream.close()
        assert list(stream) == []
        assert stream.metrics is not None
        assert stream.metrics.total_tokens is stream.metrics.cost is None
    assert ended.wait(10)


def hang(send: Send, connection: socket.socket) -> None:
    """Send a piece and nothing more."""
    send(piece("first"))
    connection.recv(1)


def drop(send: Send, connection: socket.socket) -> None:
    """Send a piece and break the connection off."""
    send(piece("first"))


def drip(send: Send, connection: socket.socket) -> None:
    """Send a piece, and then signs that never make another."""
    send(piece("first"))
    while True:
        send(b":")
        time.sleep(0.05)


@pytest.mark.inventory("S0-LLM-08", "S0-ERR-02", "S0-ERR-04", "S0-CTX-05")
@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (whole(piece("first")), ConnectorNetworkError, "llm.truncated"),
        (whole(piece("first"), DONE), ConnectorNetworkError, "llm.truncated"),
        (whole(piece("first"), b'data: {"choices": [\n\n'), ConnectorParseError, "llm.bad_answer"),
        (
            whole(piece("first"), b'data: {"error": {"message": "sk-c4n4ry is wrong"}}\n\n'),
            ConnectorAPIError,
            "llm.failed",
        ),
        (streamed(hang), ConnectorTimeoutError, "timeout.read"),
        (streamed(drip), ConnectorTimeoutError, "timeout.read"),
        (streamed(drop), ConnectorNetworkError, "http.broken"),
    ],
    ids=["truncated", "no-reason", "malformed", "error", "stall", "drip", "disconnect"],
)
def test_a_stream_that_breaks(
    double: Double,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    kind: type[ConnectorError],
    code: str,
) -> None:
    """What came is kept, the error is one to try again after, and shows nothing of the server."""
    double.server.always(answer)
    context = double.context()
    stream = double.connector(OPENAI_TIMEOUT="0.4").stream(MESSAGES, context)
    assert next(stream) == "first"
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        next(stream)
    assert time.monotonic() - began < 5
    error = caught.value
    assert (error.code, error.retryable, error.execution_id) == (
        code,
        True,
        context["execution_id"],
    )
    assert (error.__cause__, error.__context__) == (None, None)
    assert list(stream) == []
    assert CANARY not in str(error) + caplog.text
    assert len(double.server.requests) == 1


@pytest.mark.inventory("S0-ERR-01")
def test_a_stream_that_cannot_begin_is_tried_again(double: Double) -> None:
    """Before its first piece nothing is lost by that."""
    double.server.next(faults.status(503), faults.status(429, 3))
    double.server.always(whole(piece("fine"), piece(finish="stop"), DONE))
    assert list(double.connector().stream(MESSAGES, double.context())) == ["fine"]
    assert double.pauses == [1.0, 3.0]
