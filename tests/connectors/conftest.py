"""A list of what checks came to in the tests, where one is asked for."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.health import TIMEOUT
from osiris_lsp.connectors.result import DoctorResult

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
