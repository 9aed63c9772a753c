"""Credentials kept for a while."""

import threading
import time
from collections.abc import Callable

from osiris_lsp.connectors.credentials.provider import CredentialProvider
from osiris_lsp.secret import Secret


class CachedCredentialProvider(CredentialProvider):
    """Another provider's credentials, kept for `ttl` seconds each; 0 keeps none (S3-CRED-06).

    Only what was found is kept: neither None nor an error. Threads that ask for one name at the
    same time share one look-up.
    """

    def __init__(
        self,
        provider: CredentialProvider,
        ttl: float = 300,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.provider = provider
        self.ttl = ttl
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    def __repr__(self) -> str:
        return f"CachedCredentialProvider({self.provider!r}, ttl={self.ttl!r})"

    def get(self, name: str) -> str | None:
        """Return the credential that is kept, else the provider's."""
        if self.ttl <= 0:
            return self.provider.get(name)
        entry = self._entries.setdefault(name, _Entry())
        with entry.lock:
            if entry.secret is not None and self._clock() < entry.expires:
                return entry.secret.reveal()
            value = self.provider.get(name)
            entry.secret = None if value is None else Secret(value)
            entry.expires = self._clock() + self.ttl
            return value

    def clear(self) -> None:
        """Forget all credentials, those being looked up at this moment included."""
        self._entries.clear()


class _Entry:
    __slots__ = ("expires", "lock", "secret")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.secret: Secret | None = None
        self.expires = 0.0
