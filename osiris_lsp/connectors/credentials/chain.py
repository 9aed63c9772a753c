"""Several providers as one."""

from collections.abc import Sequence
from dataclasses import dataclass

from osiris_lsp.connectors.credentials.provider import CredentialProvider


@dataclass(frozen=True, eq=False)
class ChainedCredentialProvider(CredentialProvider):
    """Providers tried in order (S3-CRED-05).

    One that has no such credential, or fails, passes on to the next. If none has it and some
    failed, the first error is raised: the credential may well be where it came from.
    """

    providers: Sequence[CredentialProvider]

    def get(self, name: str) -> str | None:
        """Return the credential from the first provider that has it."""
        errors = []
        for provider in self.providers:
            try:
                value = provider.get(name)
            except Exception as error:
                errors.append(error)
                continue
            if value is not None:
                return value
        if errors:
            raise errors[0]
        return None
