"""Answers that come piece by piece."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from osiris_lsp.connectors.clients.llm.failures import meaning, truncated, unreadable
from osiris_lsp.connectors.clients.llm.results import Metrics
from osiris_lsp.connectors.environment.context import marked
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    ConnectorError,
    ConnectorParseError,
)
from osiris_lsp.connectors.session import Session

if TYPE_CHECKING:
    from openai import AsyncStream

WHERE = "`llm.stream`"

_log = logging.getLogger(__name__)


class Stream(Iterator[str]):
    """The pieces of an answer as they come; use it in `with`, or close it, to give up early.

    `metrics` is there when it has ended, however it did. What goes wrong is raised where the next
    piece is asked for; an answer without an end is an error (`llm.truncated`). `timeout` is for
    the time between two pieces. `RetryHandler.call(lambda: list(stream(…)))` repeats it as a whole.
    """

    def __init__(
        self,
        events: "AsyncStream[Any]",
        session: Session,
        timeout: float,
        execution_id: str,
        measure: Callable[[Any, Any], Metrics],
    ) -> None:
        self.metrics: Metrics | None = None
        self.finish_reason = ""
        self._events = events
        self._chunks: AsyncIterator[Any] = events.__aiter__()
        self._session = session
        self._timeout = timeout
        self._execution_id = execution_id
        self._measure = measure
        self._usage: Any = None
        self._model = ""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self.metrics is not None:
            raise StopIteration
        try:
            with marked(_log, "stream", self._execution_id):
                piece = self._session.bridge.run(self._advance())
        except BaseException:
            self.close()
            raise
        if piece is None:
            self.close()
            raise StopIteration
        return piece

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "metrics", self) is None:
            self._session.bridge.start(self._events.close)

    def close(self) -> None:
        """Give the connection back; closing twice does nothing."""
        if self.metrics is None:
            self.metrics = self._measure(self._usage, self._model)
            self.metrics.log(_log, "stream")
            self._session.bridge.run(self._close())

    async def _advance(self) -> str | None:
        """Return the next piece that is not empty; None at the end."""
        failure: ConnectorError | None = None
        try:
            async with asyncio.timeout(self._timeout):
                async for chunk in self._chunks:
                    piece = self._read(chunk)
                    if piece:
                        return piece
        except Exception as error:
            failure = meaning(error, WHERE)
            if isinstance(failure, ConnectorParseError | ConnectorConfigError):
                # Here it is a single broken piece: the server is one of models.
                failure = unreadable(WHERE, retryable=True)
        # Not inside of `except`: the error of the library may quote what a server said.
        if failure is not None:
            raise failure
        if not self.finish_reason:
            raise truncated(WHERE)
        return None

    def _read(self, chunk: Any) -> str:
        self._model = chunk.model or self._model
        self._usage = chunk.usage or self._usage
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.finish_reason = choice.finish_reason or self.finish_reason
        return (choice.delta.content or "") if choice.delta is not None else ""

    async def _close(self) -> None:
        with suppress(RuntimeError):  # whoever was interrupted left it in the middle
            await self._chunks.aclose()  # type: ignore[attr-defined]  # a generator
        await self._events.close()
