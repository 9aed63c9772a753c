"""Sessions and OAuth servers, and a list of what checks came to, where one is asked for."""

import contextlib
import json
import os
import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.health import TIMEOUT
from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.connectors.session import Session

if TYPE_CHECKING:
    from tests.connectors.environment.provider import Provide, Provider

RESULTS = "OSIRIS_LSP_RESULTS"
"""Names the file to which results are added, a line of JSON each, for `tests.tools.failures`."""


@pytest.fixture(autouse=True)
def results(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Note each result of `Connector.examine` with the test that asked for it."""
    path = os.environ.get(RESULTS)
    if path is None:
        yield
        return
    original = Connector.examine

    def noted(
        self: Connector, connection: Mapping[str, Any], timeout: float = TIMEOUT
    ) -> DoctorResult:
        result = original(self, connection, timeout)
        row = {"test": request.node.name, "timeout": timeout, **result.as_json()}
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        return result

    monkeypatch.setattr(Connector, "examine", noted)
    yield


@pytest.fixture
def session() -> Iterator[Session]:
    """A session of our own, which closes what it holds."""
    session = Session()
    yield session
    session.close_all()


@pytest.fixture
def provide(session: Session) -> "Iterator[Provide]":
    """Start an OAuth server of authlib, with options of its own and maybe TLS."""
    from tests.connectors.environment.provider import Provider
    from tests.doubles.authorization import Authorization
    from tests.doubles.server import Server

    with contextlib.ExitStack() as stack:

        def start(*, tls: ssl.SSLContext | None = None, **options: Any) -> Provider:
            tokens = Authorization(**options)
            return Provider(tokens, stack.enter_context(Server(tokens, tls=tls)), session)

        yield start


@pytest.fixture
def provider(provide: "Provide") -> "Provider":
    """An OAuth server without TLS."""
    return provide()
