"""The public names of the connector core, for type checkers."""

from osiris_lsp.connectors.auth.config import (
    AuthConfig as AuthConfig,
)
from osiris_lsp.connectors.auth.config import (
    AuthLocation as AuthLocation,
)
from osiris_lsp.connectors.auth.config import (
    AuthType as AuthType,
)
from osiris_lsp.connectors.auth.config import (
    create_api_key_auth as create_api_key_auth,
)
from osiris_lsp.connectors.auth.config import (
    create_basic_auth as create_basic_auth,
)
from osiris_lsp.connectors.auth.config import (
    create_bearer_auth as create_bearer_auth,
)
from osiris_lsp.connectors.auth.config import (
    create_jwt_auth as create_jwt_auth,
)
from osiris_lsp.connectors.auth.config import (
    create_oauth2_auth as create_oauth2_auth,
)
from osiris_lsp.connectors.auth.manager import (
    AuthManager as AuthManager,
)
from osiris_lsp.connectors.clients.filesystem import (
    atomic_write as atomic_write,
)
from osiris_lsp.connectors.clients.filesystem import (
    ensure_directory as ensure_directory,
)
from osiris_lsp.connectors.clients.filesystem import (
    write_csv_deterministic as write_csv_deterministic,
)
from osiris_lsp.connectors.clients.http.client import (
    BaseAPIClient as BaseAPIClient,
)
from osiris_lsp.connectors.clients.http.config import (
    APIClientConfig as APIClientConfig,
)
from osiris_lsp.connectors.clients.http.connection import (
    client_config as client_config,
)
from osiris_lsp.connectors.clients.http.metrics import (
    ClientMetrics as ClientMetrics,
)
from osiris_lsp.connectors.clients.http.response import (
    APIResponse as APIResponse,
)
from osiris_lsp.connectors.clients.supabase import (
    SupabaseConnection as SupabaseConnection,
)
from osiris_lsp.connectors.clients.supabase import (
    batch_insert as batch_insert,
)
from osiris_lsp.connectors.clients.supabase import (
    get_table_schema as get_table_schema,
)
from osiris_lsp.connectors.connection import (
    Origin as Origin,
)
from osiris_lsp.connectors.connection import (
    ResolvedConnection as ResolvedConnection,
)
from osiris_lsp.connectors.connector import (
    Connector as Connector,
)
from osiris_lsp.connectors.conversion import (
    connector_error_handler as connector_error_handler,
)
from osiris_lsp.connectors.credentials import (
    AWSSecretsManagerProvider as AWSSecretsManagerProvider,
)
from osiris_lsp.connectors.credentials import (
    CachedCredentialProvider as CachedCredentialProvider,
)
from osiris_lsp.connectors.credentials import (
    ChainedCredentialProvider as ChainedCredentialProvider,
)
from osiris_lsp.connectors.credentials import (
    CredentialProvider as CredentialProvider,
)
from osiris_lsp.connectors.credentials import (
    DotenvCredentialProvider as DotenvCredentialProvider,
)
from osiris_lsp.connectors.credentials import (
    EnvCredentialProvider as EnvCredentialProvider,
)
from osiris_lsp.connectors.credentials import (
    FileCredentialProvider as FileCredentialProvider,
)
from osiris_lsp.connectors.credentials import (
    KeyringCredentialProvider as KeyringCredentialProvider,
)
from osiris_lsp.connectors.credentials import (
    VaultProvider as VaultProvider,
)
from osiris_lsp.connectors.credentials import (
    get_credential_provider as get_credential_provider,
)
from osiris_lsp.connectors.display import (
    build_dsn as build_dsn,
)
from osiris_lsp.connectors.display import (
    build_dsn_redacted as build_dsn_redacted,
)
from osiris_lsp.connectors.display import (
    mask_connection_config as mask_connection_config,
)
from osiris_lsp.connectors.display import (
    redacted_url as redacted_url,
)
from osiris_lsp.connectors.doctor import (
    ConnectionDoctor as ConnectionDoctor,
)
from osiris_lsp.connectors.errors import (
    APIError as APIError,
)
from osiris_lsp.connectors.errors import (
    AuthenticationError as AuthenticationError,
)
from osiris_lsp.connectors.errors import (
    CircuitBreakerOpenError as CircuitBreakerOpenError,
)
from osiris_lsp.connectors.errors import (
    ConfigurationError as ConfigurationError,
)
from osiris_lsp.connectors.errors import (
    ConnectorAPIError as ConnectorAPIError,
)
from osiris_lsp.connectors.errors import (
    ConnectorAuthError as ConnectorAuthError,
)
from osiris_lsp.connectors.errors import (
    ConnectorCircuitOpenError as ConnectorCircuitOpenError,
)
from osiris_lsp.connectors.errors import (
    ConnectorConfigError as ConnectorConfigError,
)
from osiris_lsp.connectors.errors import (
    ConnectorError as ConnectorError,
)
from osiris_lsp.connectors.errors import (
    ConnectorNetworkError as ConnectorNetworkError,
)
from osiris_lsp.connectors.errors import (
    ConnectorNotFoundError as ConnectorNotFoundError,
)
from osiris_lsp.connectors.errors import (
    ConnectorParseError as ConnectorParseError,
)
from osiris_lsp.connectors.errors import (
    ConnectorPermissionError as ConnectorPermissionError,
)
from osiris_lsp.connectors.errors import (
    ConnectorQuotaError as ConnectorQuotaError,
)
from osiris_lsp.connectors.errors import (
    ConnectorRateLimitError as ConnectorRateLimitError,
)
from osiris_lsp.connectors.errors import (
    ConnectorTimeoutError as ConnectorTimeoutError,
)
from osiris_lsp.connectors.errors import (
    ConnectorValidationError as ConnectorValidationError,
)
from osiris_lsp.connectors.errors import (
    CredentialError as CredentialError,
)
from osiris_lsp.connectors.errors import (
    IntegrationError as IntegrationError,
)
from osiris_lsp.connectors.errors import (
    IntegrationTimeoutError as IntegrationTimeoutError,
)
from osiris_lsp.connectors.errors import (
    InvalidReferenceError as InvalidReferenceError,
)
from osiris_lsp.connectors.errors import (
    MissingDependencyError as MissingDependencyError,
)
from osiris_lsp.connectors.errors import (
    RateLimitExceededError as RateLimitExceededError,
)
from osiris_lsp.connectors.errors import (
    RetryExhaustedError as RetryExhaustedError,
)
from osiris_lsp.connectors.errors import (
    UnknownAliasError as UnknownAliasError,
)
from osiris_lsp.connectors.errors import (
    UnknownFamilyError as UnknownFamilyError,
)
from osiris_lsp.connectors.errors import (
    get_retry_delay as get_retry_delay,
)
from osiris_lsp.connectors.errors import (
    is_retryable_error as is_retryable_error,
)
from osiris_lsp.connectors.families import (
    connector as connector,
)
from osiris_lsp.connectors.logs import (
    RedactingFilter as RedactingFilter,
)
from osiris_lsp.connectors.resilience.cache import (
    Cache as Cache,
)
from osiris_lsp.connectors.resilience.cache import (
    CacheStats as CacheStats,
)
from osiris_lsp.connectors.resilience.circuit_breaker import (
    CircuitBreaker as CircuitBreaker,
)
from osiris_lsp.connectors.resilience.circuit_breaker import (
    CircuitBreakerConfig as CircuitBreakerConfig,
)
from osiris_lsp.connectors.resilience.circuit_breaker import (
    CircuitState as CircuitState,
)
from osiris_lsp.connectors.resilience.rate_limit import (
    RateLimitConfig as RateLimitConfig,
)
from osiris_lsp.connectors.resilience.rate_limit import (
    RateLimiter as RateLimiter,
)
from osiris_lsp.connectors.resilience.recovery import (
    RecoveryChain as RecoveryChain,
)
from osiris_lsp.connectors.resilience.recovery import (
    RecoveryConfig as RecoveryConfig,
)
from osiris_lsp.connectors.resilience.recovery import (
    RecoveryStrategy as RecoveryStrategy,
)
from osiris_lsp.connectors.resilience.recovery import (
    create_recovery_chain as create_recovery_chain,
)
from osiris_lsp.connectors.resilience.recovery import (
    with_recovery as with_recovery,
)
from osiris_lsp.connectors.resilience.retry import (
    RetryConfig as RetryConfig,
)
from osiris_lsp.connectors.resilience.retry import (
    RetryHandler as RetryHandler,
)
from osiris_lsp.connectors.resilience.retry import (
    RetryStrategy as RetryStrategy,
)
from osiris_lsp.connectors.resilience.retry import (
    create_retry_handler as create_retry_handler,
)
from osiris_lsp.connectors.resolution import (
    ConnectionResolver as ConnectionResolver,
)
from osiris_lsp.connectors.resolution import (
    resolve as resolve,
)
from osiris_lsp.connectors.resolution import (
    resolve_env_vars as resolve_env_vars,
)
from osiris_lsp.connectors.result import (
    DoctorResult as DoctorResult,
)
from osiris_lsp.connectors.session import (
    Session as Session,
)
from osiris_lsp.connectors.session import (
    get_circuit_breaker as get_circuit_breaker,
)
from osiris_lsp.connectors.trust import (
    Consent as Consent,
)
from osiris_lsp.connectors.trust import (
    TrustStore as TrustStore,
)
from osiris_lsp.connectors.trust import (
    consent_of as consent_of,
)

__all__: list[str]
from osiris_lsp.connectors.clients.bigquery import (
    BigQueryClient as BigQueryClient,
)
from osiris_lsp.connectors.clients.graphql import (
    GraphQLClient as GraphQLClient,
)
from osiris_lsp.connectors.clients.graphql import (
    GraphQLError as GraphQLError,
)
from osiris_lsp.connectors.clients.mongodb import (
    MongoConnection as MongoConnection,
)
from osiris_lsp.connectors.clients.redis import (
    RedisConnection as RedisConnection,
)
from osiris_lsp.connectors.clients.rest import (
    RestClient as RestClient,
)
from osiris_lsp.connectors.clients.shopify import (
    ShopifyClient as ShopifyClient,
)
from osiris_lsp.connectors.clients.snowflake import (
    SnowflakeClient as SnowflakeClient,
)
from osiris_lsp.connectors.clients.snowflake import (
    SnowflakeError as SnowflakeError,
)
from osiris_lsp.connectors.integrations.connector import (
    IntegrationConnector as IntegrationConnector,
)
from osiris_lsp.connectors.integrations.connector import (
    ServiceError as ServiceError,
)
from osiris_lsp.connectors.integrations.docusign.connector import (
    DocuSignConnector as DocuSignConnector,
)
from osiris_lsp.connectors.integrations.docusign.connector import (
    DocuSignError as DocuSignError,
)
from osiris_lsp.connectors.integrations.docusign.credentials import (
    DocuSignCredentials as DocuSignCredentials,
)
from osiris_lsp.connectors.integrations.hubspot.connector import (
    HubSpotConnector as HubSpotConnector,
)
from osiris_lsp.connectors.integrations.hubspot.connector import (
    HubSpotError as HubSpotError,
)
from osiris_lsp.connectors.integrations.hubspot.credentials import (
    HubSpotCredentials as HubSpotCredentials,
)
from osiris_lsp.connectors.integrations.pagerduty.connector import (
    PagerDutyConnector as PagerDutyConnector,
)
from osiris_lsp.connectors.integrations.pagerduty.connector import (
    PagerDutyError as PagerDutyError,
)
from osiris_lsp.connectors.integrations.pagerduty.credentials import (
    PagerDutyCredentials as PagerDutyCredentials,
)
from osiris_lsp.connectors.integrations.stripe.connector import (
    StripeConnector as StripeConnector,
)
from osiris_lsp.connectors.integrations.stripe.connector import (
    StripeError as StripeError,
)
from osiris_lsp.connectors.integrations.stripe.credentials import (
    StripeCredentials as StripeCredentials,
)
from osiris_lsp.connectors.integrations.webhooks import (
    WebhookSignatureError as WebhookSignatureError,
)
