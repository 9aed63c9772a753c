"""The errors of the connector core: one tree, with what a program or a person does next as data.

- ConnectorError: unknown
  - ConnectorConfigError: unknown, stage config; also a ValueError
    - InvalidReferenceError, CredentialError, MissingDependencyError
    - UnknownFamilyError, UnknownAliasError: also a KeyError
  - ConnectorAuthError: auth
  - ConnectorPermissionError: permission; also a PermissionError
  - ConnectorTimeoutError: timeout; also a TimeoutError; retryable
  - ConnectorNetworkError: network; also a ConnectionError; retryable
  - ConnectorRateLimitError: unknown; retryable
  - ConnectorAPIError: unknown; retryable from status 500 on
    - ConnectorNotFoundError, ConnectorValidationError, ConnectorQuotaError
  - ConnectorParseError: unknown
  - ConnectorCircuitOpenError: unknown; retryable
  - RetryExhaustedError: what the last error was, but not retryable

Other documents call some of them by other names, which are aliases at the end.
"""

from typing import Final, Literal

Category = Literal["auth", "network", "permission", "timeout", "ok", "unknown"]
"""What a check comes to (CONN-010)."""

Stage = Literal["config", "dns", "tcp", "tls", "auth", "query"]
"""How far a check or a call came."""

CATEGORIES: Final = ("auth", "network", "permission", "timeout", "ok", "unknown")
STAGES: Final = ("config", "dns", "tcp", "tls", "auth", "query")


class ConnectorError(Exception):
    """What is wrong with a connection or a call.

    `code` is stable (`tls.expired`), `stage` says how far it came, `field` names the YAML field
    that causes it, `remedy` what to do; `retry_after` is in seconds. The message holds no secret.
    `kind` stands in the messages of CONN-010: the type of the error behind this one.
    `execution_id` is that of the context in which it happened, where there is one.
    """

    category: Category = "unknown"
    retryable: bool = False
    execution_id: str = ""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        stage: Stage | None = None,
        field: str = "",
        remedy: str = "",
        retryable: bool | None = None,
        retry_after: float | None = None,
        kind: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.stage = stage
        self.field = field
        self.remedy = remedy
        self.retry_after = retry_after
        self.kind = kind
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class ConnectorConfigError(ConnectorError, ValueError):
    """The connection cannot be used as it is written."""

    def __init__(
        self, message: str, *, code: str = "config.invalid", field: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, code=code, stage="config", field=field, remedy=remedy)


class FieldTypeError(ConnectorConfigError, TypeError):
    """A field of a connection that has another type than it must (CONN-008)."""


class InvalidReferenceError(ConnectorConfigError):
    """A text that is no reference to a connection (CONN-004)."""


class UnknownFamilyError(ConnectorConfigError, KeyError):
    """A family that the connections file does not have."""


class UnknownAliasError(ConnectorConfigError, KeyError):
    """An alias that its family does not have."""


class CredentialError(ConnectorConfigError):
    """A credential that its provider could not give."""


class MissingDependencyError(ConnectorConfigError):
    """A driver that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"the Python package `{package}` is not installed",
            code="dep.missing",
            remedy=f"install it with `pip install 'osiris-lsp[{extra}]'`",
        )


class ConnectorAuthError(ConnectorError):
    """Credentials were refused (401)."""

    category = "auth"


class ConnectorPermissionError(ConnectorError, PermissionError):
    """Known, but not allowed (403)."""

    category = "permission"


class ConnectorTimeoutError(ConnectorError, TimeoutError):
    """No answer in time."""

    category = "timeout"
    retryable = True


class ConnectorNetworkError(ConnectorError, ConnectionError):
    """The other side could not be reached, or the connection broke."""

    category = "network"
    retryable = True


class ConnectorRateLimitError(ConnectorError):
    """Too many requests (429)."""

    retryable = True


class ConnectorAPIError(ConnectorError):
    """An answer that means failure; `status_code` is the HTTP one."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        code: str = "",
        stage: Stage | None = None,
        field: str = "",
        remedy: str = "",
        retryable: bool | None = None,
        retry_after: float | None = None,
        kind: str = "",
    ) -> None:
        if retryable is None:
            retryable = status_code is not None and status_code >= 500
        super().__init__(
            message,
            code=code,
            stage=stage,
            field=field,
            remedy=remedy,
            retryable=retryable,
            retry_after=retry_after,
            kind=kind,
        )
        self.status_code = status_code


class ConnectorNotFoundError(ConnectorAPIError):
    """What was asked for is not there (404)."""


class ConnectorValidationError(ConnectorAPIError):
    """The request was refused as wrong (400, 422)."""


class ConnectorQuotaError(ConnectorAPIError):
    """The quota is used up, or payment is due (402)."""


class ConnectorParseError(ConnectorError):
    """An answer that cannot be read."""


class ConnectorCircuitOpenError(ConnectorError):
    """Not tried, because recent calls failed; `cooldown_remaining` is in seconds."""

    retryable = True

    def __init__(self, message: str, *, cooldown_remaining: float = 0.0) -> None:
        super().__init__(
            message,
            code="circuit.open",
            remedy="repair the service, or raise `failure_threshold` or lower `recovery_timeout`",
            retry_after=cooldown_remaining,
        )
        self.cooldown_remaining = cooldown_remaining


class RetryExhaustedError(ConnectorError):
    """The last of several attempts failed, too; `last_error` says how (S4-RET-13)."""

    def __init__(self, attempts: int, last_error: BaseException) -> None:
        ours = last_error if isinstance(last_error, ConnectorError) else None
        said = type(last_error).__name__ if ours is None else ours.message
        super().__init__(
            f"still failing after {attempts} attempts: {said}",
            code=ours.code if ours else "",
            stage=ours.stage if ours else None,
            field=ours.field if ours else "",
            remedy=ours.remedy if ours else "",
            retry_after=ours.retry_after if ours else None,
            kind=ours.kind if ours else type(last_error).__name__,
        )
        self.attempts = attempts
        self.last_error = last_error
        if ours is not None:
            self.category = ours.category


IntegrationError = ConnectorError
IntegrationTimeoutError = ConnectorTimeoutError
APIError = ConnectorAPIError
AuthenticationError = ConnectorAuthError
CircuitBreakerOpenError = ConnectorCircuitOpenError
ConfigurationError = ConnectorConfigError
RateLimitExceededError = ConnectorRateLimitError


def is_retryable_error(error: BaseException) -> bool:
    """Tell whether trying again may help; never for auth, permission or wrong input."""
    if isinstance(error, ConnectorError):
        return error.retryable
    return isinstance(error, TimeoutError | ConnectionError)


def get_retry_delay(error: BaseException, default: float = 1.0) -> float:
    """Return the seconds to wait before trying again: what the server said, else `default`."""
    after = error.retry_after if isinstance(error, ConnectorError) else None
    return default if after is None else max(after, 0.0)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an error stands for; None where no answer came."""
    if isinstance(error, ConnectorAPIError):
        return error.status_code
    return 429 if isinstance(error, ConnectorRateLimitError) else None
