"""llmock as a process, a server of our own for what it cannot do, and connectors for both."""

import contextlib
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from osiris_lsp.connectors import Environment, LLMConnector, RetryConfig, Session
from osiris_lsp.connectors.clients.llm.llm_connector import RETRY
from tests.connectors.clients.plain import Pauses
from tests.doubles.openai import API_KEY, Openai
from tests.doubles.server import Server
from tests.services.processes import answers, free_port

MESSAGES = [{"role": "user", "content": "Where is the pr0mpt?"}]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


class Llmock:
    """A running llmock, which can be told what to do with the next requests."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx2.Client(base_url=f"{self.url}/_llmock/")

    def script(self, *behaviors: dict[str, Any]) -> None:
        """Let the next requests meet these behaviors."""
        self._post("scenario", {"behaviors": list(behaviors)})

    def reset(self) -> None:
        """Forget all behaviors and requests."""
        self._post("reset", {})

    def requests(self) -> list[dict[str, Any]]:
        """What was asked, oldest first."""
        found: list[dict[str, Any]] = self.http.get("requests").json()["requests"]
        return found

    def report(self) -> "subprocess.CompletedProcess[str]":
        """Run `llmock report`, for which a warning is a failure as well."""
        return subprocess.run(
            [*LLMOCK, "report", "--url", self.url, "--json", "--strict"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def _post(self, name: str, content: object) -> None:
        self.http.post(name, json=content).raise_for_status()


LLMOCK = [sys.executable, "-c", "from llmock.cli import app; app()"]


@pytest.fixture(scope="package")
def llmock_server() -> Iterator[Llmock]:
    """A llmock that several tests use, one after the other."""
    port = free_port()
    command = [*LLMOCK, "serve", "-h", "127.0.0.1", "-p", str(port), "--log-level", "error"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while not answers(port, b"GET /health HTTP/1.0\r\n\r\n"):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
            mock = Llmock(port)
            with mock.http:
                yield mock
        finally:
            process.terminate()


@pytest.fixture
def mock(llmock_server: Llmock) -> Llmock:
    """A llmock that remembers nothing."""
    llmock_server.reset()
    return llmock_server


@dataclass
class Caller:
    """A connector for one server, with the context that its calls need."""

    url: str
    session: Session
    token: str = API_KEY
    clock: Callable[[], float] = time.monotonic
    pauses: Pauses = field(default_factory=Pauses)
    ssl_config: dict[str, Any] = field(default_factory=lambda: {"verify": True, "cert_path": None})

    def connector(self, retry: RetryConfig = RETRY, **variables: str) -> LLMConnector:
        """What calls the server; it has no chance in it and never sleeps."""
        return LLMConnector(
            Environment({"OPENAI_BASE_URL": f"{self.url}/v1", **variables}),
            session=self.session,
            retry=retry,
            sleep=self.pauses,
            chance=lambda: 0.5,
            clock=self.clock,
        )

    def context(self, **changes: Any) -> dict[str, Any]:
        """A context with the key of the server."""
        return {
            "execution_id": str(uuid.uuid4()),
            "auth_config": {"method": "api_key", "token": self.token},
            "ssl_config": self.ssl_config,
            **changes,
        }


@pytest.fixture
def caller(mock: Llmock, session: Session) -> Caller:
    """A connector for llmock."""
    return Caller(mock.url, session)


@dataclass
class Double(Caller):
    """A connector for a server that says what a test wants."""

    server: Server = field(kw_only=True)


MakeDouble = Callable[..., Double]


@pytest.fixture
def make_double(session: Session) -> Iterator[MakeDouble]:
    """Start a double, maybe with TLS."""
    with contextlib.ExitStack() as stack:

        def make(tls: Any = None) -> Double:
            server = stack.enter_context(Server(Openai(), tls=tls))
            url = server.url.replace("127.0.0.1", "localhost")
            return Double(url, session, server=server)

        yield make
        # Before the server ends: it waits for connections that are open.
        session.close_all()


@pytest.fixture
def double(make_double: MakeDouble) -> Double:
    """A double without TLS."""
    return make_double()
