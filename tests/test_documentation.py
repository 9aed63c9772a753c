"""What the documentation promises, and that its examples and commands work."""

import asyncio
import logging
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from osiris_lsp.connectors import BaseAPIClient
from osiris_lsp.connectors.resilience.retry import RetryStrategy

ROOT = Path(__file__).parent.parent
CLIENTS = "docs/clients.md"

SAYS = [
    ("S1-DEF-01", "ARCHITECTURE.md", "A module of `families/` probes"),
    ("S1-DEF-01", "ARCHITECTURE.md", "It has no timing, no masking and no handling of network"),
    ("S4-BP-01", CLIENTS, "Always use the context manager `session()`"),
    ("S4-BP-04", CLIENTS, "Give `rate_limit` for every API that is not yours"),
    ("S4-BP-05", CLIENTS, "Give `circuit_breaker` for services that fail now and then"),
    ("S4-BP-06", CLIENTS, "Monitor the metrics: log `get_metrics()` from time to time"),
    ("S4-META-01", "CONTRIBUTING.md", "## Style"),
    ("S4-META-01", "CONTRIBUTING.md", "## Tests"),
    ("S4-META-01", "CONTRIBUTING.md", "## Documentation"),
    ("S4-META-01", "CONTRIBUTING.md", "Its help has examples"),
    ("S4-META-02", "CHANGELOG.md", "`BaseAPIClient`, an async HTTP client framework"),
    ("S4-META-02", "CHANGELOG.md", "API keys, Basic, Bearer and OAuth 2.0 client credentials"),
    ("S4-META-02", "CHANGELOG.md", "retry, circuit breaker, token bucket"),
]


@pytest.mark.parametrize(
    ("page", "text"),
    [pytest.param(*row[1:], marks=pytest.mark.inventory(row[0])) for row in SAYS],
)
def test_a_page_says_what_it_must(page: str, text: str) -> None:
    """The advice of the seeds is where people look for it."""
    assert text in " ".join((ROOT / page).read_text(encoding="utf-8").split())


def blocks(page: str, language: str) -> list[str]:
    """The blocks of code of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.inventory("S4-OVR-01", "S4-OVR-02", "S4-CFG-08", "S4-BP-01", "R-48")
def test_the_complete_example(
    httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It runs as it stands, with all of its parts at work."""
    caplog.set_level(logging.INFO, "osiris_lsp")
    httpserver.expect_oneshot_request("/token", "POST").respond_with_json(
        {"access_token": "t", "expires_in": 3600}
    )
    httpserver.expect_oneshot_request(
        "/orders", "POST", headers={"Authorization": "Bearer t", "User-Agent": "orders/1.0"}
    ).respond_with_json({"id": "order-17"}, 201)
    for name, value in {
        "API_URL": httpserver.url_for(""),
        "API_TOKEN_URL": httpserver.url_for("/token"),
        "API_CLIENT_ID": "i",
        "API_CLIENT_SECRET": "s3cr3t-c4nary",
    }.items():
        monkeypatch.setenv(name, value)
    (code,) = blocks(CLIENTS, "python")
    example: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, CLIENTS, "exec"), example)
    asyncio.run(example["process_orders"]())
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["Order created: order-17", "Requests: 1, 100% succeeded"]
    assert re.fullmatch(r"Avg response time: \d+\.\d\dms", lines[2])
    said = [r.getMessage() for r in caplog.records if r.name.startswith("osiris_lsp")]
    assert [line.partition(": 201 in ")[0] for line in said] == [
        "production_api: POST localhost/orders"
    ] * 2
    client: BaseAPIClient = example["ProductionAPIClient"](example["config"])
    assert client.auth_manager is not None
    assert client.rate_limiter is not None
    assert client.rate_limiter.available == 1100
    assert client.circuit_breaker is not None
    assert client.circuit_breaker.config.success_threshold == 3
    assert client.retry_handler is not None
    assert client.retry_handler.config.strategy is RetryStrategy.EXPONENTIAL
    assert client.retry_handler.config.jitter
    assert (client.config.connect_timeout, client.config.max_connections) == (10.0, 100)


@pytest.mark.inventory("S4-EX-02")
@pytest.mark.parametrize("command", blocks(CLIENTS, "sh")[0].splitlines())
def test_the_commands_for_tests(command: str, tmp_path: Path) -> None:
    """Each of them finds its tests; the one for a single class, and the one with coverage, run."""
    program, *arguments = shlex.split(command)
    assert program == "pytest"
    if "tests/connectors/resilience" in arguments:
        arguments.append("--collect-only")  # all of these run beside this one anyway
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments],
        cwd=ROOT,
        env={**os.environ, "COVERAGE_FILE": str(tmp_path / "coverage")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ("TOTAL" in done.stdout) is ("--cov" in command)
