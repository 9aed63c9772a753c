"""Servers of models that fail, refuse, or cannot be trusted."""

import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.connectors import (
    Authenticator,
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorNotFoundError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorQuotaError,
    ConnectorRateLimitError,
    ConnectorTimeoutError,
    ConnectorValidationError,
    LLMConnector,
    RetryConfig,
    RetryExhaustedError,
    Session,
    create_context,
)
from osiris_lsp.connectors.environment.config import Environment
from tests.connectors.clients.llm.conftest import (
    MESSAGES,
    WEATHER,
    Caller,
    Double,
    MakeDouble,
)
from tests.connectors.clients.llm.talk import answer
from tests.connectors.clients.plain import Pauses
from tests.connectors.environment.provider import Provider
from tests.doubles import faults as answers
from tests.doubles import openai
from tests.doubles.messages import CANARY, Answer, Request, as_json
from tests.doubles.server import Server
from tests.services import faults
from tests.services.certificates import Certificates, Kind

NEVER = RetryConfig(max_retries=0)

SECRETS = ("API_KEY", "OAUTH_CLIENT_SECRET", "OAUTH_REFRESH_TOKEN", "POSTGRES_PASSWORD")

TOO_LONG = openai.problem(400, "invalid_request_error", "context_length_exceeded", "Too long.")


@pytest.mark.inventory("S0-ERR-04", "S0-ERR-03", "S0-CTX-05")
@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        (
            openai.WRONG_KEY,
            ConnectorAuthError,
            "`llm.complete` was answered with 401; "
            "check `API_KEY`, or the client that `OAUTH_CLIENT_ID` names",
        ),
        (
            openai.UNSUPPORTED_COUNTRY,
            ConnectorPermissionError,
            "`llm.complete` was answered with 403; check what these credentials may do",
        ),
        (
            openai.NO_MODEL_ACCESS,
            ConnectorPermissionError,
            "`llm.complete` was answered with 403; use a model that the server lists and the key "
            "may use, or set `LLM_MODEL_LOW`, `_MEDIUM` and `_HIGH`",
        ),
        (
            openai.problem(404, "invalid_request_error", "model_not_found", "No such model."),
            ConnectorNotFoundError,
            "`llm.complete` was answered with 404; use a model that the server lists and the key "
            "may use, or set `LLM_MODEL_LOW`, `_MEDIUM` and `_HIGH`",
        ),
        (
            answers.status(404),
            ConnectorNotFoundError,
            "`llm.complete` was answered with 404; "
            "check the model and the path of `OPENAI_BASE_URL`; it often ends in `/v1`",
        ),
        (
            TOO_LONG,
            ConnectorValidationError,
            "`llm.complete` was answered with 400; "
            "shorten the conversation, or use a model with a longer context",
        ),
        (
            answers.status(422),
            ConnectorValidationError,
            "`llm.complete` was answered with 422; check `messages`, `tools` and `llm_params`",
        ),
        (
            openai.QUOTA,
            ConnectorQuotaError,
            "`llm.complete` was answered with 429; "
            "buy credit or raise the limit on the billing page; waiting does not help",
        ),
        (
            answers.LOGIN_PAGE,
            ConnectorParseError,
            "`llm.complete` was answered with something that cannot be read; "
            "check that `OPENAI_BASE_URL` leads to a server with the interface of OpenAI",
        ),
        (
            answers.INVALID_JSON,
            ConnectorParseError,
            "`llm.complete` was answered with something that cannot be read; "
            "check that `OPENAI_BASE_URL` leads to a server with the interface of OpenAI",
        ),
    ],
)
def test_what_is_final(
    double: Double,
    caplog: pytest.LogCaptureFixture,
    said: Answer,
    kind: type[ConnectorError],
    message: str,
) -> None:
    """One request; class, message and remedy; the execution in error and log."""
    double.server.always(said)
    context = double.context()
    with pytest.raises(kind) as caught:
        double.connector().complete(MESSAGES, context)
    error = caught.value
    assert (type(error), str(error)) == (kind, message)
    assert (error.__cause__, error.__context__) == (None, None)
    assert len(double.server.requests) == 1
    record = next(record for record in caplog.records if record.name.startswith("osiris_lsp"))
    fields = vars(record)
    assert (fields["operation"], fields["category"]) == ("complete", error.category)
    assert fields["execution_id"] == error.execution_id == context["execution_id"]


@pytest.mark.inventory("S0-ERR-02", "S0-ERR-04")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": []},
        {"choices": "none"},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"tool_calls": [{"type": "custom", "id": "1"}]}}]},
        {"data": [{"index": 0, "embedding": [0.5]}]},
        {"data": [{"index": 0, "embedding": [0.5]}, {"index": 0, "embedding": [1.5]}]},
        {"data": [{"index": None, "embedding": None}] * 2},
        [],
    ],
)
def test_answers_that_lack_something(double: Double, body: object) -> None:
    """Each is an answer that cannot be read, whatever was asked."""
    double.server.always(as_json(200, body))
    connector, context = double.connector(), double.context()
    for call in (
        lambda: connector.complete(MESSAGES, context),
        lambda: connector.complete_with_tools(MESSAGES, [WEATHER], context),
        lambda: connector.create_embedding(["a", "b"], context),
    ):
        with pytest.raises(ConnectorParseError) as caught:
            call()
        assert caught.value.code == "llm.bad_answer"
        assert caught.value.__context__ is None


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "many"}, {"prompt_tokens": -1}])
def test_usage_that_means_nothing(double: Double, usage: Any) -> None:
    """The answer counts; what it cost is not known, or nothing."""
    double.server.always(answer(usage=usage))
    found = double.connector().complete(MESSAGES, double.context())
    assert (found.content, found.metrics.cost or 0.0) == ("fine", 0.0)


def test_prices_that_cannot_be_used_show_before_the_call(double: Double) -> None:
    """What was paid for is not lost."""
    with pytest.raises(ConnectorConfigError) as caught:
        double.connector(LLM_PRICES_FILE="/no/such/file").complete(MESSAGES, double.context())
    assert caught.value.field == "LLM_PRICES_FILE"
    assert double.server.requests == []


@pytest.mark.inventory("S0-ERR-01", "S0-ERR-04", "S0-CTX-05")
@pytest.mark.parametrize(
    ("said", "pauses", "kind"),
    [
        (openai.SERVER_ERROR, [1.0, 2.0], ConnectorAPIError),
        (openai.RATE_LIMITED, [20.0, 20.0], ConnectorRateLimitError),
        (answers.status(503, 5), [5.0, 5.0], ConnectorAPIError),
        (answers.status(409), [1.0, 2.0], ConnectorAPIError),
        (answers.HANG_UP, [1.0, 2.0], ConnectorNetworkError),
        (answers.TRUNCATED, [1.0, 2.0], ConnectorNetworkError),
        (answers.status(503, 3600), [], ConnectorAPIError),
    ],
)
def test_what_may_pass(
    double: Double, said: Answer, pauses: list[float], kind: type[ConnectorError]
) -> None:
    """Two further attempts, after the pause that the server asks for, and success if one works."""
    connector, context = double.connector(), double.context()
    double.server.always(said)
    with pytest.raises(ConnectorError) as caught:
        connector.complete(MESSAGES, context)
    error = caught.value
    last = error.last_error if isinstance(error, RetryExhaustedError) else error
    assert isinstance(last, kind)
    assert error.execution_id == last.execution_id == context["execution_id"]
    assert (double.pauses, len(double.server.requests)) == (pauses, len(pauses) + 1)
    double.server.next(said)
    double.server.always(answer())
    if pauses:
        assert connector.complete(MESSAGES, context).content == "fine"


@pytest.mark.inventory("S0-ERR-01")
def test_a_server_that_is_not_up_yet(session: Session) -> None:
    """Refused, and up after the first pause."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))

        class Starting(Pauses):
            """A pause in which the server comes up."""

            async def __call__(self, seconds: float) -> None:
                """Let it listen."""
                await super().__call__(seconds)
                listener.listen()
                threading.Thread(target=serve_one, args=(listener,)).start()

        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        caller = Caller(url, session, pauses=Starting())
        assert caller.connector().complete(MESSAGES, caller.context()).content == "fine"
        assert caller.pauses == [1.0]


def serve_one(listener: socket.socket) -> None:
    """Answer one request."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(20)
        while b"\r\n\r\n" not in connection.recv(65536):
            pass
        body = answer().body
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)


@pytest.mark.inventory("S0-ERR-02", "S0-CFG-04", "R-39")
@pytest.mark.parametrize(
    ("server", "code"),
    [
        (faults.half_open, "timeout.read"),
        (lambda: faults.drip(b"HTTP/1.1 200 OK\r\nX: "), "timeout.read"),
        (faults.black_hole, "timeout.connect"),
    ],
)
def test_a_server_that_hangs(
    session: Session, server: Callable[[], AbstractContextManager[faults.Fault]], code: str
) -> None:
    """The time for a request is over, and the call with it: another would take as long."""
    with server() as fault:
        caller = Caller(f"http://127.0.0.1:{fault.port}", session)
        connector = caller.connector(OPENAI_TIMEOUT="0.4")
        connector.client(caller.context())  # its import is not what is measured
        began = time.monotonic()
        with pytest.raises(ConnectorTimeoutError) as caught:
            connector.complete(MESSAGES, caller.context())
        assert time.monotonic() - began < 3
        assert (caught.value.code, caller.pauses) == (code, [])


@pytest.mark.inventory("S0-SEC-02", "S0-CTX-04", "S0-TEST-05", "S0-OAUTH-12")
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("good", ""),
        ("untrusted", "tls.untrusted"),
        ("expired", "tls.expired"),
        ("wrong_host", "tls.hostname"),
    ],
)
def test_certificates(
    make_double: MakeDouble, certificates: Certificates, kind: Kind, code: str
) -> None:
    """The TLS settings of the context count; without them, a private authority is refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.pair(kind))
    double = make_double(context)
    double.server.always(answer())

    def outcome(**ssl_config: Any) -> str:
        double.ssl_config = ssl_config
        try:
            double.connector(NEVER).complete(MESSAGES, double.context())
        except ConnectorError as error:
            return error.code
        return ""

    assert outcome(verify=True, cert_path=str(certificates.ca)) == code
    assert outcome(verify=True, cert_path=None) != ""
    assert outcome(verify=False) == ""
    refused = {"success": False, "verify": True, "error": "no such file"}
    assert outcome(**refused) == "tls.unusable_file"


@pytest.mark.inventory("S0-LLM-12", "S0-LLM-06", "S0-ERR-02", "R-39")
@pytest.mark.parametrize(
    ("said", "category", "code"),
    [
        (None, "ok", ""),
        (openai.WRONG_KEY, "auth", "http.401"),
        (openai.RATE_LIMITED, "unknown", "http.429"),
        (openai.OVERLOADED, "unknown", "http.503"),
    ],
)
def test_check_connection(
    double: Double,
    caplog: pytest.LogCaptureFixture,
    said: Answer | None,
    category: str,
    code: str,
) -> None:
    """The doctor of the family answers; a tier whose model the server lacks is a warning."""
    caplog.set_level(logging.INFO, "osiris_lsp")
    double.server.always(said)
    context = double.context()
    result = double.connector().check_connection(context)
    assert (result.ok, result.category) == (category == "ok", category)
    assert result.details.get("code", "") == code
    if result.ok:
        assert result.details["missing_models"] == [
            "gpt-4o-2025-01-09",
            "gpt-4o-mini-2024-07-18",
        ]
    assert vars(caplog.records[-1])["execution_id"] == context["execution_id"]
    assert CANARY not in caplog.text + repr(result)


@pytest.mark.inventory("S0-LLM-12", "S0-ERR-02")
@pytest.mark.parametrize(
    ("server", "category", "code"),
    [
        (faults.refused, "network", "tcp.refused"),
        (faults.half_open, "timeout", "auth.timeout"),
    ],
)
def test_check_connection_without_a_server(
    session: Session,
    server: Callable[[], AbstractContextManager[faults.Fault]],
    category: str,
    code: str,
) -> None:
    """It ends within its 2 s."""
    with server() as fault:
        caller = Caller(f"http://127.0.0.1:{fault.port}", session)
        began = time.monotonic()
        result = caller.connector().check_connection(caller.context())
        assert time.monotonic() - began < 2.5
        assert (result.category, result.details["code"]) == (category, code)


@pytest.mark.inventory("S0-LLM-12", "S0-OAUTH-11", "R-37")
def test_check_connection_without_credentials(double: Double) -> None:
    """What `setup_authentication` could not do is the result, and nothing is sent."""
    environment = Environment({"AUTH_METHOD": "api_key"})
    context = create_context(environment)
    result = double.connector().check_connection(context)
    assert result.shown_category == "config"
    assert "`API_KEY` is not set" in result.details["cause"]
    assert double.server.requests == []


@pytest.mark.inventory("S0-SEC-05", "S0-SEC-01", "S0-CTX-03", "S0-OAUTH-10", "S0-TEST-02")
def test_a_token_that_ends_early(provider: Provider, session: Session) -> None:
    """Refused once, another is fetched and used by the same client; refused twice is an error."""

    def serve(request: Request) -> Answer:
        return answer() if request.bearer in provider.tokens.valid else openai.WRONG_KEY

    context = create_context(Environment(provider.variables()), provider.authenticator())
    with Server(serve) as server:
        connector = Caller(server.url, session).connector()
        client = connector.client(context)
        connector.complete(MESSAGES, context)
        provider.tokens.valid.clear()
        assert connector.complete(MESSAGES, context).content == "fine"
        first, second = provider.tokens.issued
        assert [request.bearer for request in server.requests] == [first, first, second]
        assert connector.client(context) is client
        server.always(openai.WRONG_KEY)
        with pytest.raises(ConnectorAuthError):
            connector.complete(MESSAGES, context)
        assert [request.bearer for request in server.requests[3:]] == provider.tokens.issued[1:]
        assert len(provider.tokens.issued) == 3
        session.close_all("llm")


@pytest.mark.inventory("S0-SEC-05", "S0-OAUTH-04")
def test_a_token_that_ends_in_time(provider: Provider, session: Session) -> None:
    """A context that is older than its token still works, without a refusal in between."""
    context = create_context(Environment(provider.variables()), provider.authenticator())
    with Server(lambda request: answer()) as server:
        connector = Caller(server.url, session).connector()
        for now in (0.0, 3300.0):
            provider.clock.now = now
            connector.complete(MESSAGES, context)
        tokens = [request.bearer for request in server.requests]
        session.close_all("llm")
    assert tokens == provider.tokens.issued
    assert len(set(tokens)) == 2


@pytest.mark.inventory("S0-SEC-03", "S0-LLM-18", "S0-CFG-09")
@pytest.mark.parametrize("said", [answer(), openai.WRONG_KEY, answers.HANG_UP, answers.LOGIN_PAGE])
@pytest.mark.parametrize("method", ["api_key", "oauth"])
def test_no_secret_shows(
    provider: Provider,
    double: Double,
    caplog: pytest.LogCaptureFixture,
    said: Answer,
    method: str,
) -> None:
    """Whatever is called and whatever happens: no key, no token, no text of a conversation."""
    caplog.set_level(logging.DEBUG)
    secret = f"sk-{CANARY}-in-every-field"
    environment = Environment(
        provider.variables(
            AUTH_METHOD=method,
            API_KEY=secret,
            POSTGRES_PASSWORD=secret,
            OAUTH_REFRESH_TOKEN=secret,
        )
    )
    context = create_context(environment, Authenticator(environment, session=provider.session))
    assert context["auth_config"].success
    connector = double.connector(NEVER)
    double.server.always(said)
    shown = [repr(context), repr(environment), repr(connector)]
    for call in (
        lambda: connector.check_connection(context),
        lambda: connector.complete(MESSAGES, context),
        lambda: list(connector.stream(MESSAGES, context)),
        lambda: connector.complete_with_tools(MESSAGES, [WEATHER], context),
        lambda: connector.create_embedding(MESSAGES[0]["content"], context),
    ):
        try:
            shown.append(repr(call()))
        except ConnectorError as error:
            shown.append("".join(traceback.format_exception(error)))
    for record in caplog.records:
        if not record.name.startswith("authlib"):  # that is the server
            shown.append(f"{record.getMessage()} {vars(record)}")
    everything = "\n".join(shown)
    assert "llm" in everything
    for text in (CANARY, "pr0mpt"):
        assert text not in everything


@pytest.mark.inventory("S0-SEC-03", "S0-CFG-09")
@given(
    secret=st.text(min_size=8).filter(lambda text: not text.isspace()),
    name=st.sampled_from(SECRETS),
)
def test_no_secret_shows_whatever_it_is(secret: str, name: str) -> None:
    """In any variable that holds one: not in what is set up, nor in what fails."""
    unique = f"{CANARY}{secret}"
    variables = {
        "AUTH_METHOD": "oauth" if name.startswith("OAUTH") else "api_key",
        "API_KEY": "k",
        "OAUTH_ENDPOINT": "http://127.0.0.1:1/token",
        "OAUTH_CLIENT_ID": "i",
        "OAUTH_CLIENT_SECRET": "s",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "SSL_VERIFY": "false",  # to read the certificates of the system takes its time
        name: unique,
    }
    session, environment = Session(), Environment(variables)
    authenticator = Authenticator(environment, session=session, retry=NEVER)
    connector = LLMConnector(environment, session=session, retry=NEVER)
    context = create_context(environment, authenticator)
    shown = [repr(context), repr(environment), str(context["auth_config"]["header"])]
    with pytest.raises(ConnectorError) as caught:
        connector.complete(MESSAGES, context)
    session.close_all()
    shown.append("".join(traceback.format_exception(caught.value)))
    assert CANARY not in "".join(shown)
