"""What a credential provider is, and what the providers of stores share.

A driver's error may hold a token, a secret or a header in its text or its attributes. So providers
raise their own error behind the `except` block: that way the driver's is not even its context.
"""

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from osiris_lsp.connectors.errors import CredentialError


@runtime_checkable
class CredentialProvider(Protocol):
    """A place that secrets come from; inherit from it and write `get` (S3-CRED-01, R-32)."""

    def get(self, name: str) -> str | None:
        """Return a secret, or None where there is none of that name; raises CredentialError."""

    async def aget(self, name: str) -> str | None:
        """Return what `get` returns, from a thread."""
        import asyncio

        return await asyncio.to_thread(self.get, name)


def driver(module: str, package: str, extra: str) -> Any:
    """Import a module of an optional package; raises CredentialError where it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise CredentialError(
            f"the Python package `{package}` is not installed",
            code="credential.missing_dependency",
            remedy=f"install it with `pip install 'osiris-lsp[{extra}]'`",
        ) from error


def split_name(name: str) -> tuple[str, str | None]:
    """Cut `name#field` at the first `#`; without one the field is None."""
    base, mark, field = name.partition("#")
    if not base or (mark and not field):
        raise CredentialError(
            f"`{name}` names no secret",
            code="credential.malformed",
            remedy="write `name` or `name#field`",
        )
    return base, field if mark else None


def pick(secret: Mapping[str, object], key: str) -> str | None:
    """Return a field of a secret; what is no text, such as a port, in the way JSON writes it."""
    value = secret.get(key)
    return value if value is None or isinstance(value, str) else json.dumps(value)
