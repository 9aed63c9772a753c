"""Where secrets come from: one interface over the environment, files, keyrings, AWS and Vault."""

from osiris_lsp.connectors.credentials.aws import AWSSecretsManagerProvider
from osiris_lsp.connectors.credentials.cache import CachedCredentialProvider
from osiris_lsp.connectors.credentials.chain import ChainedCredentialProvider
from osiris_lsp.connectors.credentials.environment import (
    DotenvCredentialProvider,
    EnvCredentialProvider,
)
from osiris_lsp.connectors.credentials.factory import default_providers, get_credential_provider
from osiris_lsp.connectors.credentials.file import FileCredentialProvider
from osiris_lsp.connectors.credentials.keyring import KeyringCredentialProvider
from osiris_lsp.connectors.credentials.provider import CredentialProvider
from osiris_lsp.connectors.credentials.vault import VaultProvider
from osiris_lsp.connectors.credentials.vendors import HubSpotCredentials, StripeCredentials

__all__ = [
    "AWSSecretsManagerProvider",
    "CachedCredentialProvider",
    "ChainedCredentialProvider",
    "CredentialProvider",
    "DotenvCredentialProvider",
    "EnvCredentialProvider",
    "FileCredentialProvider",
    "HubSpotCredentials",
    "KeyringCredentialProvider",
    "StripeCredentials",
    "VaultProvider",
    "default_providers",
    "get_credential_provider",
]
