"""Errors of Python and of httpx2 become errors of ours, without their texts."""

import asyncio
import json
import socket
import ssl

import httpx2
import pytest

from osiris_lsp.connectors import (
    APIError,
    AuthenticationError,
    CircuitBreakerOpenError,
    ConfigurationError,
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorCircuitOpenError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorRateLimitError,
    ConnectorTimeoutError,
    IntegrationError,
    IntegrationTimeoutError,
    RateLimitExceededError,
    connector_error_handler,
)

CANARY = "s3cr3t-c4nary"


def untrusted() -> ssl.SSLCertVerificationError:
    """Return an error of OpenSSL as its handshake raises it."""
    error = ssl.SSLCertVerificationError(1, CANARY)
    error.verify_code = 20
    return error


@pytest.mark.inventory("S3-ERR-12", "S3-ERR-04", "S3-ERR-05", "S3-ERR-10", "R-34")
@pytest.mark.parametrize(
    ("error", "kind", "code", "stage"),
    [
        (TimeoutError(CANARY), ConnectorTimeoutError, "timeout.read", "query"),
        (httpx2.ReadTimeout(CANARY), ConnectorTimeoutError, "timeout.read", "query"),
        (httpx2.ConnectTimeout(CANARY), ConnectorTimeoutError, "timeout.connect", "tcp"),
        (httpx2.ConnectError(CANARY), ConnectorNetworkError, "http.broken", "tcp"),
        (httpx2.RemoteProtocolError(CANARY), ConnectorNetworkError, "http.broken", "query"),
        (ConnectionRefusedError(111, CANARY), ConnectorNetworkError, "tcp.refused", None),
        (
            socket.gaierror(socket.EAI_NONAME, CANARY),
            ConnectorNetworkError,
            "dns.nxdomain",
            "dns",
        ),
        (untrusted(), ConnectorNetworkError, "tls.untrusted", "tls"),
        (PermissionError(CANARY), ConnectorPermissionError, "permission", None),
        (json.JSONDecodeError(CANARY, "{", 1), ConnectorParseError, "parse.failed", None),
        (KeyError(CANARY), ConnectorError, "failed", None),
    ],
)
def test_what_errors_become(
    error: Exception, kind: type[Exception], code: str, stage: str | None
) -> None:
    """The original is the cause; its text shows nowhere."""

    async def main() -> None:
        async with connector_error_handler("fetch_customer", connector_name="stripe"):
            raise error

    with pytest.raises(ConnectorError) as caught:
        asyncio.run(main())
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.stage) == (code, stage)
    assert caught.value.__cause__ is error
    assert str(caught.value).startswith("`stripe.fetch_customer`")
    assert CANARY not in str(caught.value) + repr(caught.value)


@pytest.mark.inventory("S3-ERR-12")
@pytest.mark.parametrize(
    "error", [ConnectorAuthError("x"), asyncio.CancelledError(), KeyboardInterrupt(), SystemExit()]
)
def test_what_passes(error: BaseException) -> None:
    """Errors of ours, and what is no error; a block without one, too."""
    with pytest.raises(type(error)) as caught, connector_error_handler("fetch_customer"):
        raise error
    assert caught.value is error
    with connector_error_handler("fetch_customer"):
        pass


@pytest.mark.inventory("R-35")
def test_the_names_of_seed_004_are_the_same_classes() -> None:
    """Code that catches either name works."""
    assert IntegrationError is ConnectorError
    assert IntegrationTimeoutError is ConnectorTimeoutError
    assert APIError is ConnectorAPIError
    assert AuthenticationError is ConnectorAuthError
    assert CircuitBreakerOpenError is ConnectorCircuitOpenError
    assert ConfigurationError is ConnectorConfigError
    assert RateLimitExceededError is ConnectorRateLimitError
