"""A client of the `openai` library: the only place that makes one."""

from typing import TYPE_CHECKING

from osiris_lsp.connectors import wire
from osiris_lsp.connectors.session import Session
from osiris_lsp.connectors.tls import Tls, plain_context

if TYPE_CHECKING:
    pass

CONNECT_TIMEOUT = 10.0
"""Seconds to connect (R-39)."""


class Client:
    """Connections to one server; every request brings its own credentials."""

    def __init__(self, base_url: str, timeout: float, tls: Tls, session: Session) -> None:
        import openai

        self.timeout = timeout
        self._session = session
        http = wire.open_client(
            timeout=timeout,
            # A little earlier than the whole, so that it can still be told.
            connect_timeout=min(CONNECT_TIMEOUT, 0.9 * timeout),
            tls=plain_context(tls),
        )
        # What is not given here the library would take from variables of its own.
        self.openai = openai.AsyncOpenAI(
            api_key="in each request",
            organization="",
            project="",
            base_url=base_url,
            timeout=http.timeout,
            max_retries=0,
            http_client=http,
        )
        self.openai.organization = self.openai.project = None

    def close(self) -> None:
        """Close the connections."""
        self._session.bridge.run(self.openai.close())
