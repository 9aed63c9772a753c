"""The connector core: resolve connections, fetch credentials, check, redact.

Importing it is cheap; each name brings its module when it is first used. `__init__.pyi` says the
same to type checkers.
"""

from importlib import import_module
from typing import Any, Final

_MODULES: Final = {
    "auth.config": (
        "AuthConfig",
        "AuthLocation",
        "AuthType",
        "create_api_key_auth",
        "create_basic_auth",
        "create_bearer_auth",
        "create_jwt_auth",
        "create_oauth2_auth",
    ),
    "auth.manager": ("AuthManager",),
    "clients.bigquery": ("BigQueryClient",),
    "clients.filesystem": ("atomic_write", "ensure_directory", "write_csv_deterministic"),
    "clients.graphql": ("GraphQLClient", "GraphQLError"),
    "clients.http.client": ("BaseAPIClient",),
    "clients.http.config": ("APIClientConfig",),
    "clients.http.connection": ("client_config",),
    "clients.http.metrics": ("ClientMetrics",),
    "clients.http.response": ("APIResponse",),
    "clients.mongodb": ("MongoConnection",),
    "clients.redis": ("RedisConnection",),
    "clients.rest": ("RestClient",),
    "clients.shopify": ("ShopifyClient",),
    "clients.snowflake": ("SnowflakeClient", "SnowflakeError"),
    "clients.supabase": ("SupabaseConnection", "batch_insert", "get_table_schema"),
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
    "conversion": ("connector_error_handler",),
    "display": ("build_dsn", "build_dsn_redacted", "mask_connection_config", "redacted_url"),
    "doctor": ("ConnectionDoctor",),
    "errors": (
        "APIError",
        "AuthenticationError",
        "CircuitBreakerOpenError",
        "ConfigurationError",
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
        "IntegrationError",
        "IntegrationTimeoutError",
        "InvalidReferenceError",
        "MissingDependencyError",
        "RateLimitExceededError",
        "RetryExhaustedError",
        "UnknownAliasError",
        "UnknownFamilyError",
        "get_retry_delay",
        "is_retryable_error",
    ),
    "families": ("connector",),
    "integrations.connector": ("IntegrationConnector", "ServiceError"),
    "integrations.docusign.connector": ("DocuSignConnector", "DocuSignError"),
    "integrations.docusign.credentials": ("DocuSignCredentials",),
    "integrations.hubspot.connector": ("HubSpotConnector", "HubSpotError"),
    "integrations.hubspot.credentials": ("HubSpotCredentials",),
    "integrations.pagerduty.connector": ("PagerDutyConnector", "PagerDutyError"),
    "integrations.pagerduty.credentials": ("PagerDutyCredentials",),
    "integrations.stripe.connector": ("StripeConnector", "StripeError"),
    "integrations.stripe.credentials": ("StripeCredentials",),
    "integrations.webhooks": ("WebhookSignatureError",),
    "logs": ("RedactingFilter",),
    "resilience.cache": ("Cache", "CacheStats"),
    "resilience.circuit_breaker": ("CircuitBreaker", "CircuitBreakerConfig", "CircuitState"),
    "resilience.rate_limit": ("RateLimitConfig", "RateLimiter"),
    "resilience.recovery": (
        "RecoveryChain",
        "RecoveryConfig",
        "RecoveryStrategy",
        "create_recovery_chain",
        "with_recovery",
    ),
    "resilience.retry": ("RetryConfig", "RetryHandler", "RetryStrategy", "create_retry_handler"),
    "result": ("DoctorResult",),
    "resolution": ("ConnectionResolver", "resolve", "resolve_env_vars"),
    "session": ("Session", "get_circuit_breaker"),
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
