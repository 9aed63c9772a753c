"""The examples run as their pages say, against a local server."""

import os
import subprocess
import sys

import pytest
from pytest_httpserver import HTTPServer

from tests.connectors.clients.llm.talk import DONE, answer, piece, whole
from tests.connectors.environment.provider import Provider
from tests.doubles import openai
from tests.doubles.messages import Answer, Request
from tests.doubles.server import Server


def run(name: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run an example as a module."""
    return subprocess.run(
        [sys.executable, "-m", f"osiris_lsp.connectors.examples.{name}", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.inventory("S4-EX-01", "S4-OVR-02", "S4-MET-05")
def test_simple_rest(httpserver: HTTPServer) -> None:
    """A key from the environment, two calls, and what was counted."""
    key = {"X-API-Key": "k"}
    httpserver.expect_request("/users", "GET", headers=key).respond_with_json([{"name": "Bo"}])
    httpserver.expect_request(
        "/users", "POST", headers=key, json={"name": "Ada"}
    ).respond_with_json({"name": "Ada"}, 201)
    done = run("simple_rest", httpserver.url_for(""), API_KEY="k")
    assert done.stderr == ""
    assert done.stdout == "users: 1\nadded: Ada\nrequests: 2, succeeded: 100%\n"
    without = run("simple_rest", httpserver.url_for(""), API_KEY="")
    assert "`token` is missing" in without.stderr


@pytest.mark.inventory("S4-EX-01", "S4-AUTH-05")
def test_oauth_flow(httpserver: HTTPServer) -> None:
    """One token serves both calls."""
    httpserver.expect_oneshot_request("/token", "POST").respond_with_json(
        {"access_token": "t", "expires_in": 3600}
    )
    httpserver.expect_request("/orders", headers={"Authorization": "Bearer t"}).respond_with_json(
        [1]
    )
    done = run(
        "oauth_flow",
        httpserver.url_for(""),
        httpserver.url_for("/token"),
        API_CLIENT_ID="i",
        API_CLIENT_SECRET="s3cr3t-c4nary",
    )
    assert (done.stdout, done.stderr) == ("orders: [1]\norders: [1]\n", "")


@pytest.mark.inventory("S4-EX-01", "S4-RL-07")
def test_rate_limited(httpserver: HTTPServer) -> None:
    """All calls are answered in the end."""
    httpserver.expect_request("/status").respond_with_data("fine")
    done = run("rate_limited", httpserver.url_for(""))
    assert done.stdout == "answers: 200 200 200 200 200 200\nhealthy: True\n"
    assert done.stderr == ""


@pytest.mark.inventory("S0-LLM-13", "S0-LLM-14", "S0-OAUTH-10", "S0-TEST-02")
@pytest.mark.parametrize("method", ["oauth", "api_key"])
def test_llm_chat(provider: Provider, method: str) -> None:
    """A check, an answer with its cost, and a stream, with one token or a key."""

    def serve(request: Request) -> Answer:
        if request.bearer not in (*provider.tokens.valid, openai.API_KEY):
            return openai.WRONG_KEY
        if request.method == "GET":
            return openai.Openai(key=None)(request)
        if request.json().get("stream"):
            return whole(piece("as "), piece("before"), piece(finish="stop"), DONE)
        return answer("Rayleigh")

    with Server(serve) as server:
        variables = provider.variables(
            AUTH_METHOD=method,
            API_KEY=openai.API_KEY,
            OPENAI_BASE_URL=f"{server.url}/v1",
        )
        done = run("llm_chat", "Why is the sky blue?", **variables)
        assert (done.stdout, done.stderr) == (
            "connection: Connection successful\nanswer: Rayleigh\ncost: 0.00021 USD\n"
            "again:|as |before\n",
            "",
        )
        assert len(provider.tokens.issued) == (method == "oauth")
        without = run("llm_chat", "?", **{**variables, "AUTH_METHOD": "api_key", "API_KEY": ""})
        assert "`API_KEY` is not set" in without.stdout
