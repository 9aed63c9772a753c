"""Credentials in environment variables and in `.env` files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from osiris_lsp.connectors.credentials.provider import CredentialProvider
from osiris_lsp.connectors.errors import CredentialError


@dataclass(frozen=True, eq=False)
class EnvCredentialProvider(CredentialProvider):
    """Environment variables, `prefix` before each name (S3-CRED-02)."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    prefix: str = ""

    def get(self, name: str) -> str | None:
        """Return the value of a variable."""
        return self.environment.get(self.prefix + name)


@dataclass(frozen=True, eq=False)
class DotenvCredentialProvider(CredentialProvider):
    """A `.env` file, read anew each time; a missing file has no credentials."""

    path: str | os.PathLike[str] = ".env"

    def get(self, name: str) -> str | None:
        """Return the value of a variable as it is written; nothing is interpolated."""
        from dotenv import dotenv_values

        # A FIFO is no regular file, and python-dotenv would wait for its writer.
        if not os.path.isfile(self.path):
            return None
        try:
            return dotenv_values(self.path, interpolate=False, encoding="utf-8-sig").get(name)
        except OSError as error:
            reason = error.strerror
        except UnicodeDecodeError:
            reason = "it is not UTF-8"
        raise CredentialError(
            f"`{os.fspath(self.path)}` cannot be read: {reason}",
            code="credential.unreadable",
            remedy="save it as UTF-8, and let this user read it",
        )
