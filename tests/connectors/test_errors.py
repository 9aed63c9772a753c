"""The tree of errors: what each is, whether trying again helps, and when."""

import pytest

from osiris_lsp.connectors import errors
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorCircuitOpenError,
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
    MissingDependencyError,
    UnknownAliasError,
    get_retry_delay,
    is_retryable_error,
)


@pytest.mark.inventory(
    "S3-ERR-01", "S3-ERR-02", "S3-ERR-03", "S3-ERR-04", "S3-ERR-05", "S3-ERR-06", "S3-ERR-07",
    "S3-ERR-08", "S3-ERR-09", "S3-ERR-10", "S3-ERR-11", "S3-ERR-13",
)  # fmt: skip
@pytest.mark.parametrize(
    ("error", "category", "retryable", "also"),
    [
        (ConnectorError("x"), "unknown", False, Exception),
        (ConnectorConfigError("x"), "unknown", False, ValueError),
        (UnknownAliasError("x"), "unknown", False, KeyError),
        (ConnectorAuthError("x"), "auth", False, ConnectorError),
        (ConnectorPermissionError("x"), "permission", False, PermissionError),
        (ConnectorTimeoutError("x"), "timeout", True, TimeoutError),
        (ConnectorNetworkError("x"), "network", True, ConnectionError),
        (ConnectorNetworkError("x", retryable=False), "network", False, ConnectionError),
        (ConnectorRateLimitError("x"), "unknown", True, ConnectorError),
        (ConnectorAPIError("x", status_code=503), "unknown", True, ConnectorError),
        (ConnectorAPIError("x", status_code=418), "unknown", False, ConnectorError),
        (ConnectorNotFoundError("x", status_code=404), "unknown", False, ConnectorAPIError),
        (ConnectorValidationError("x", status_code=422), "unknown", False, ConnectorAPIError),
        (ConnectorQuotaError("x", status_code=402), "unknown", False, ConnectorAPIError),
        (ConnectorParseError("x"), "unknown", False, ConnectorError),
        (ConnectorCircuitOpenError("x"), "unknown", True, ConnectorError),
        (MissingDependencyError("duckdb", "duckdb"), "unknown", False, ConnectorConfigError),
    ],
)
def test_each_error_says_what_it_is(
    error: ConnectorError, category: str, retryable: bool, also: type[Exception]
) -> None:
    """Its category, whether trying again may help, and which built-in error it is as well."""
    assert (error.category, is_retryable_error(error)) == (category, retryable)
    assert isinstance(error, also)


@pytest.mark.inventory("S3-ERR-13")
@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (PermissionError(), False),
        (ValueError(), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_errors_that_are_not_ours(error: BaseException, retryable: bool) -> None:
    """Only the network and time-outs may be better the next time."""
    assert is_retryable_error(error) is retryable


@pytest.mark.inventory("S3-ERR-03", "S3-ERR-11", "S3-ERR-14")
def test_when_to_try_again() -> None:
    """What the server said wins over the default, in seconds, and is never negative."""
    assert get_retry_delay(ConnectorRateLimitError("x", retry_after=7)) == 7
    assert get_retry_delay(ConnectorRateLimitError("x", retry_after=-3)) == 0
    assert get_retry_delay(ConnectorRateLimitError("x")) == 1.0
    assert get_retry_delay(TimeoutError(), default=2.5) == 2.5
    opened = ConnectorCircuitOpenError("x", cooldown_remaining=12.5)
    assert (opened.cooldown_remaining, get_retry_delay(opened)) == (12.5, 12.5)


def test_an_error_reads_as_what_is_wrong_and_what_to_do() -> None:
    """Also those that are a KeyError, whose text would be quoted."""
    error = UnknownAliasError("Unknown alias: x in mysql", remedy="aliases: a, b")
    assert str(error) == "Unknown alias: x in mysql; aliases: a, b"
    assert str(MissingDependencyError("duckdb", "duckdb")) == (
        "the Python package `duckdb` is not installed; "
        "install it with `pip install 'osiris-lsp[duckdb]'`"
    )
    assert errors.CATEGORIES == ("auth", "network", "permission", "timeout", "ok", "unknown")
