"""llmock breaks what it can, and judges what our client made of it."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from osiris_lsp.connectors import ConnectorError, RetryConfig, RetryHandler
from osiris_lsp.connectors.clients.llm.llm_connector import RETRY
from tests.connectors.clients.llm.conftest import WEATHER, Caller, Llmock

QUICK = RetryConfig(
    max_retries=2,
    initial_delay=0.1,
    backoff_multiplier=4.0,
    retry_status_codes=RETRY.retry_status_codes,
    retry_on_timeout=False,
)

KINDS = ("complete", "stream", "tools", "embedding")

FAULTS: list[tuple[dict[str, Any], Sequence[str]]] = [
    *(({"type": "fail", "status": status}, KINDS[:2]) for status in (400, 401, 403, 404, 422)),
    *(
        ({"type": "fail", "status": status}, KINDS[at % 4 :][:1])
        for at, status in enumerate((408, 409, 500, 502, 503, 504, 529))
    ),
    ({"type": "fail", "status": 429, "retry_after": 0.4}, KINDS),
    ({"type": "fail", "status": 503, "retry_after": 0.4}, KINDS[:1]),
    ({"type": "fail", "status": 500, "times": 3}, KINDS[:1]),
    *(
        ({"type": "stream_fault", "kind": kind}, ["stream"])
        for kind in ("disconnect", "truncate", "malformed")
    ),
    ({"type": "stream_fault", "kind": "stall", "stall_seconds": 3.0}, ["stream"]),
    ({"type": "tool_fault", "kind": "malformed_arguments"}, ["tools"]),
    ({"type": "delay", "seconds": 0.2}, ["complete"]),
]


def asked(caller: Caller, number: int, kind: str) -> None:
    """Make a call; a stream as a whole is repeated as programs are told to do it."""
    connector = caller.connector(QUICK, OPENAI_TIMEOUT="1")
    # It must still have something to write when a client that has seen a broken piece hangs up.
    words = f"question {number} {kind} " * (100 if kind == "stream" else 1)
    messages = [{"role": "user", "content": words}]
    context = caller.context()
    with suppress(ConnectorError):
        if kind == "stream":
            once = caller.connector(RetryConfig(max_retries=0), OPENAI_TIMEOUT="1")
            again = RetryHandler(replace(QUICK, retry_on_timeout=True))
            asyncio.run(again.call(lambda: list(once.stream(messages, context))))
        elif kind == "tools":
            connector.complete_with_tools(messages, [WEATHER], context)
        elif kind == "embedding":
            connector.create_embedding(f"text {number}", context)
        else:
            connector.complete(messages, context)


@pytest.mark.inventory("S0-LLM-01", "S0-LLM-08", "S0-LLM-09", "S0-LLM-10", "S0-LLM-13")
@pytest.mark.inventory("S3-RETRY-03")
def test_llmock_finds_no_fault(caller: Caller, mock: Llmock) -> None:
    """Every fault that it has, in every kind of call; `--strict` fails on warnings too."""
    caller.pauses = asyncio.sleep  # type: ignore[assignment]  # it looks at the clock
    number = 0
    for fault, kinds in FAULTS:
        for kind in kinds:
            number += 1
            mock.script(fault)
            asked(caller, number, kind)
    report = mock.report()
    verdict = json.loads(report.stdout)
    assert verdict["findings"] == []
    assert (verdict["passed"], report.returncode) == (True, 0)
    assert min(verdict["calls"], verdict["faults_injected"]) >= number
    assert verdict["attempts"] > number
