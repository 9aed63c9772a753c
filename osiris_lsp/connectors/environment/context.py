"""The context of seed 000: who asks, with which credentials, over which TLS."""

import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from osiris_lsp.connectors.environment.certificates import setup_ssl
from osiris_lsp.connectors.environment.config import Environment, config
from osiris_lsp.connectors.environment.oauth_connector import Authentication, Authenticator
from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorError

KEYS: Final = ("execution_id", "auth_config", "ssl_config")


@dataclass(frozen=True)
class Context:
    """A context that was looked through."""

    execution_id: str
    auth: Authentication
    ssl_config: Mapping[str, Any]

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> "Context":
        """Read a context; raises ConnectorConfigError that names a key which is not there."""
        for name in KEYS:
            if context.get(name) is None:
                raise ConnectorConfigError(
                    f"the context has no `{name}`",
                    code="context.incomplete",
                    field=name,
                    remedy="make it with `create_context`",
                )
        identity, auth, tls = (context[name] for name in KEYS)
        try:
            uuid.UUID(str(identity))
        except ValueError:
            raise ConnectorConfigError(
                "`execution_id` is no UUID",
                code="context.invalid",
                field="execution_id",
                remedy="make one with `uuid.uuid4()`",
            ) from None
        for name, value in (("auth_config", auth), ("ssl_config", tls)):
            if not isinstance(value, Mapping):
                raise ConnectorConfigError(
                    f"`{name}` of the context is no mapping", code="context.invalid", field=name
                )
        return cls(str(identity), Authentication.of(auth), tls)


def create_context(
    environment: Environment = config, authenticator: Authenticator | None = None
) -> dict[str, Any]:
    """Return a new context with the keys `execution_id`, `auth_config` and `ssl_config`."""
    execution_id = str(uuid.uuid4())
    ssl_config = setup_ssl(environment)
    authenticator = authenticator or Authenticator(environment)
    auth_config = authenticator.setup_authentication(ssl_config, execution_id)
    return {"execution_id": execution_id, "auth_config": auth_config, "ssl_config": ssl_config}


@contextmanager
def marked(log: logging.Logger, operation: str, execution_id: str) -> Iterator[None]:
    """Give an error of ours the execution that it belongs to, and log it."""
    try:
        yield
    except ConnectorError as error:
        current: BaseException | None = error
        while isinstance(current, ConnectorError):
            current.execution_id = execution_id
            current = current.__cause__
        log.warning(
            "%s failed: %s (%s), execution %s",
            operation,
            error.message,
            error.code,
            execution_id or "unknown",
            extra={
                "execution_id": execution_id,
                "operation": operation,
                "error_code": error.code,
                "category": error.category,
            },
        )
        raise
