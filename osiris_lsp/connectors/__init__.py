"""The connector core: resolve connections, fetch credentials, check, redact.

Importing it is cheap; each name brings its module when it is first used. `__init__.pyi` says the
same to type checkers.
"""

from importlib import import_module
from typing import Any, Final

_MODULES: Final = {
    "connection": ("Origin", "ResolvedConnection"),
    "connector": ("Connector",),
    "credentials": (
        "AWSSecretsManagerProvider",
        "CachedCredentialProvider",
        "ChainedCredentialProvider",
        "CredentialProvider",
        "DotenvCredentialProvider",
        "EnvCredentialProvider",
        "FileCredentialProvider",
        "KeyringCredentialProvider",
        "VaultProvider",
        "get_credential_provider",
    ),
    "display": ("build_dsn", "build_dsn_redacted", "mask_connection_config", "redacted_url"),
    "doctor": ("ConnectionDoctor",),
    "errors": (
        "ConnectorAPIError",
        "ConnectorAuthError",
        "ConnectorCircuitOpenError",
        "ConnectorConfigError",
        "ConnectorError",
        "ConnectorNetworkError",
        "ConnectorNotFoundError",
        "ConnectorParseError",
        "ConnectorPermissionError",
        "ConnectorQuotaError",
        "ConnectorRateLimitError",
        "ConnectorTimeoutError",
        "ConnectorValidationError",
        "CredentialError",
        "InvalidReferenceError",
        "MissingDependencyError",
        "UnknownAliasError",
        "UnknownFamilyError",
        "get_retry_delay",
        "is_retryable_error",
    ),
    "families": ("connector",),
    "logs": ("RedactingFilter",),
    "result": ("DoctorResult",),
    "resolution": ("ConnectionResolver", "resolve", "resolve_env_vars"),
    "trust": ("Consent", "TrustStore", "consent_of"),
}
_HOME: Final = {name: module for module, names in _MODULES.items() for name in names}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted((*globals(), *_HOME))
