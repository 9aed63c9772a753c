"""Credentials in the keyring of the operating system."""

from dataclasses import dataclass

from osiris_lsp.connectors.credentials.provider import CredentialProvider, driver
from osiris_lsp.connectors.errors import CredentialError


@dataclass(frozen=True, eq=False)
class KeyringCredentialProvider(CredentialProvider):
    """The keyring of the operating system by `service/user`; the last `/` divides."""

    def get(self, name: str) -> str | None:
        """Return the password of a user for a service."""
        service, _, user = name.rpartition("/")
        if not service or not user:
            raise CredentialError(
                f"`{name}` names no password of a keyring",
                code="credential.malformed",
                remedy="write `service/user`",
            )
        keyring = driver("keyring", "keyring", "keyring")
        errors = driver("keyring.errors", "keyring", "keyring")
        try:
            password: str | None = keyring.get_password(service, user)
            return password
        except errors.KeyringLocked:
            failure = CredentialError(
                f"the keyring is locked, so `{name}` cannot be read",
                code="credential.denied",
                remedy="unlock it",
            )
        except errors.NoKeyringError:
            failure = CredentialError(
                f"there is no keyring to look up `{name}` in",
                code="credential.unreachable",
                remedy="see `keyring --list-backends`, or give the secret in another way",
            )
        except Exception as error:  # backends are plug-ins and raise what they like
            failure = CredentialError(
                f"the keyring failed at `{name}` with {type(error).__name__}",
                code="credential.unreachable",
                remedy="try `keyring get` with the same service and user",
            )
        raise failure
