"""Providers by name: for programs from the environment, for `${provider:...}` by its scheme."""

import os
from collections.abc import Mapping
from typing import Any, Final

from osiris_lsp.connectors.credentials.aws import AWSSecretsManagerProvider
from osiris_lsp.connectors.credentials.cache import CachedCredentialProvider
from osiris_lsp.connectors.credentials.chain import ChainedCredentialProvider
from osiris_lsp.connectors.credentials.environment import (
    DotenvCredentialProvider,
    EnvCredentialProvider,
)
from osiris_lsp.connectors.credentials.file import FileCredentialProvider
from osiris_lsp.connectors.credentials.keyring import KeyringCredentialProvider
from osiris_lsp.connectors.credentials.provider import CredentialProvider
from osiris_lsp.connectors.credentials.vault import VaultProvider
from osiris_lsp.connectors.errors import ConnectorConfigError

VARIABLE: Final = "OSIRIS_CREDENTIAL_PROVIDER"
"""The variable that chooses the provider."""

KINDS: Final = ("env", "dotenv", "file", "keyring", "aws-sm", "vault", "chained")


def get_credential_provider(
    kind: str | None = None, environment: Mapping[str, str] = os.environ, **options: Any
) -> CredentialProvider:
    """Return a provider of a kind, else of `OSIRIS_CREDENTIAL_PROVIDER`, else `env` (S3-CRED-07).

    `options` go to the provider's class. `chained` without `providers` asks the environment, then
    `.env`, then `/run/secrets`. An unknown kind is a ConnectorConfigError, which is a ValueError.
    """
    match kind or environment.get(VARIABLE) or "env":
        case "env":
            return EnvCredentialProvider(environment, **options)
        case "dotenv":
            return DotenvCredentialProvider(**options)
        case "file":
            return FileCredentialProvider(**options)
        case "keyring":
            return KeyringCredentialProvider(**options)
        case "aws-sm":
            return AWSSecretsManagerProvider(**options)
        case "vault":
            return VaultProvider(environment=environment, **options)
        case "chained":
            plain = (
                EnvCredentialProvider(environment),
                DotenvCredentialProvider(),
                FileCredentialProvider("/run/secrets"),
            )
            return ChainedCredentialProvider(**{"providers": plain, **options})
        case unknown:
            raise _unknown(unknown, "" if kind else f" (`{VARIABLE}`)")


def _unknown(kind: str, source: str) -> ConnectorConfigError:
    from osiris_lsp.specs import nearest

    close = nearest(kind, KINDS)
    return ConnectorConfigError(
        f"`{kind}` is no credential provider{source}",
        code="config.unknown_provider",
        remedy=f"did you mean `{close}`?" if close else f"choose one of {', '.join(KINDS)}",
    )


def default_providers(
    environment: Mapping[str, str] = os.environ, base: str | os.PathLike[str] | None = None
) -> Mapping[str, CredentialProvider]:
    """Return the providers of `${vault:…}`, `${aws-sm:…}`, `${keyring:…}` and `${file:…}`.

    Nothing is imported or contacted before `get`. `base` is where relative file names start.
    `environment` is the user's, never a project's `.env`: that could send the user's Vault token
    to a `VAULT_ADDR` of its own. Files are not cached, for they are as near as a cache.
    """
    return {
        "vault": CachedCredentialProvider(VaultProvider(environment=environment)),
        "aws-sm": CachedCredentialProvider(AWSSecretsManagerProvider()),
        "keyring": CachedCredentialProvider(KeyringCredentialProvider()),
        "file": FileCredentialProvider(base),
    }
