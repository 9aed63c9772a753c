"""Errors of Python and of httpx2 as errors of ours."""

import sys
from types import TracebackType
from typing import Self

from osiris_lsp.connectors.errors import (
    ConnectorError,
    ConnectorNetworkError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
    Stage,
)

_TIMEOUT_REMEDY = "check the network and the service, or raise `timeout`"


class connector_error_handler:
    """Turn what a block raises into a `ConnectorError` with the original as its cause.

    Errors of ours pass, and so does what is no `Exception`: cancellation and interrupts. For both
    `with` and `async with`.
    """

    def __init__(self, operation: str, *, connector_name: str = "") -> None:
        self._where = f"`{connector_name}.{operation}`" if connector_name else f"`{operation}`"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, ConnectorError):
            raise converted(error, self._where) from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)


def converted(error: Exception, where: str, field: str = "base_url") -> ConnectorError:
    """Say what an error means; its own text may hold secrets and is not used.

    `field` is the YAML field of the address.
    """
    from osiris_lsp.connectors.failures import network_failure

    kind = type(error).__name__
    stage, late = _http(error)
    if isinstance(error, TimeoutError) or late:
        return timed_out(where, stage, kind)
    for cause in _causes(error):
        found = network_failure(cause, stage or "query", field)
        if found is not None:
            found.stage = found.stage or stage
            found.args = (f"{where}: {found.message}",)
            found.message = f"{where}: {found.message}"
            return found
    if isinstance(error, PermissionError):
        return ConnectorPermissionError(f"{where} is not permitted", code="permission", kind=kind)
    if stage is not None:
        return ConnectorNetworkError(
            f"{where}: the connection broke", code="http.broken", stage=stage, kind=kind
        )
    if isinstance(error, ValueError) and kind in ("JSONDecodeError", "UnicodeDecodeError"):
        return ConnectorParseError(
            f"{where} gave an answer that cannot be read", code="parse.failed", kind=kind
        )
    return ConnectorError(f"{where} failed with {kind}", code="failed", kind=kind)


def timed_out(where: str, stage: Stage | None, kind: str) -> ConnectorTimeoutError:
    """Return the error of a call that took too long."""
    return ConnectorTimeoutError(
        f"{where} took too long",
        code="timeout.connect" if stage == "tcp" else "timeout.read",
        stage=stage or "query",
        remedy=_TIMEOUT_REMEDY,
        kind=kind,
    )


def _http(error: Exception) -> tuple[Stage | None, bool]:
    """Return the stage of an error of httpx2, and whether it is a timeout."""
    httpx2 = sys.modules.get("httpx2")
    if httpx2 is None or not isinstance(error, httpx2.TransportError):
        return None, False
    late = isinstance(error, httpx2.TimeoutException)
    # A pool without a free connection has sent nothing either.
    early = httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ProxyError
    return ("tcp" if isinstance(error, early) else "query"), late


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and those behind it, the deepest first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain[::-1]
