"""What the drivers of databases raise, as errors of ours."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.conversion import converted, timed_out
from osiris_lsp.connectors.errors import ConnectorError
from osiris_lsp.connectors.health import Check, causes

_UNREACHED: Final = (socket.gaierror, ConnectionRefusedError, ssl.SSLError)


@contextmanager
def explained(connector: Connector, check: Check, where: str) -> Iterator[None]:
    """Raise in place of a driver's error what the family makes of it, as the doctor does."""
    try:
        yield
    except ConnectorError:
        raise
    except Exception as error:
        chain = list(causes(error))
        late = any(isinstance(item, TimeoutError) for item in chain)
        if late or getattr(error, "timeout", False) is True:  # what pymongo calls it
            raise timed_out(where, "query", type(error).__name__) from None
        if any(isinstance(item, _UNREACHED) for item in chain):
            raise converted(error, where, "host") from None
        raise connector.explain(error, check) or converted(error, where, "host") from None
