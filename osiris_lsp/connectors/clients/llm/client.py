"""A client of the `openai` library: the only place that makes one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from osiris_lsp.connectors import wire
from osiris_lsp.connectors.auth.manager import header_text
from osiris_lsp.connectors.clients.llm.failures import meaning
from osiris_lsp.connectors.environment.oauth_connector import Authentication
from osiris_lsp.connectors.errors import ConnectorAuthError
from osiris_lsp.connectors.resilience.retry import RetryHandler
from osiris_lsp.connectors.session import Session
from osiris_lsp.connectors.tls import Tls, plain_context
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    import openai

CONNECT_TIMEOUT: Final = 10.0
"""Seconds to connect (R-39)."""

Answer = TypeVar("Answer")
Call = Callable[["openai.AsyncOpenAI", Mapping[str, str]], Awaitable[Answer]]
"""Sends a request with headers and returns its answer."""


class Client:
    """Connections to one server; every request brings its own credentials."""

    def __init__(self, base_url: str, timeout: float, tls: Tls, session: Session) -> None:
        import openai

        self._timeout = timeout
        self._session = session
        http = wire.open_client(
            timeout=timeout,
            # A little earlier than the whole, so that it can still be told.
            connect_timeout=min(CONNECT_TIMEOUT, 0.9 * timeout),
            tls=plain_context(tls),
        )
        # What is not given here the library would take from variables of its own.
        self._openai = openai.AsyncOpenAI(
            api_key="in each request",
            organization="",
            project="",
            base_url=base_url,
            timeout=http.timeout,
            max_retries=0,
            http_client=http,
        )
        self._openai.organization = self._openai.project = None

    def close(self) -> None:
        """Close the connections."""
        self._session.bridge.run(self._openai.close())

    async def ask(
        self, auth: Authentication, where: str, call: Call[Answer], retry: RetryHandler
    ) -> Answer:
        """Make a call until it succeeds; raises ConnectorError."""
        renewed = False

        async def attempt() -> Answer:
            nonlocal renewed
            token = await auth.current()
            try:
                return await self._once(token, where, call)
            except ConnectorAuthError:
                # A token may end before its time: one other is fetched, and never a third.
                if renewed or not auth.renew(token):
                    raise
                renewed = True
            return await self._once(await auth.current(), where, call)

        answer: Answer = await retry.attempt(attempt)
        return answer

    async def _once(self, token: Secret, where: str, call: Call[Answer]) -> Answer:
        headers = {"Authorization": f"Bearer {header_text('token', token)}"}
        try:
            async with asyncio.timeout(self._timeout):
                return await call(self._openai, headers)
        except Exception as error:
            failure = meaning(error, where)
        # Not inside of `except`: the error of the library may quote what a server said.
        raise failure
