"""Credentials in AWS Secrets Manager."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final

from osiris_lsp.connectors.credentials.provider import CredentialProvider, driver, pick, split_name
from osiris_lsp.connectors.errors import CredentialError

# AWS answers most failures with HTTP 400, so only its codes tell them apart.
_DENIED: Final = frozenset(
    (
        "AccessDenied",
        "AccessDeniedException",
        "DecryptionFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    )
)
_BUSY: Final = frozenset(
    (
        "InternalFailure",
        "InternalServiceError",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    )
)


@dataclass(frozen=True, eq=False)
class AWSSecretsManagerProvider(CredentialProvider):
    """AWS Secrets Manager with boto3's own search for a login (S3-CRED-03, S3-CRED-04).

    With a `secret_name`, a name is a key of that JSON secret. Without one it is `secret#key`, or
    `secret` for the whole text; the secret may be an ARN, whose region then counts. `timeout` is in
    seconds, for connecting and for reading; nothing is tried twice.
    """

    secret_name: str | None = None
    region: str | None = None
    _: KW_ONLY
    endpoint_url: str | None = field(default=None, repr=False)
    timeout: float = 5.0
    profile: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _clients: dict[str | None, Any] = field(default_factory=dict, init=False, repr=False)

    def get(self, name: str) -> str | None:
        """Return a key of a secret, or the whole text of one."""
        secret, key = split_name(name) if self.secret_name is None else (self.secret_name, name)
        answer = self._read(secret)
        if answer is None:
            return None
        text = answer.get("SecretString")
        if not isinstance(text, str):
            raise _malformed(secret, "is binary", "store it as text")
        return text if key is None else _value(secret, text, key)

    def _read(self, secret: str) -> Mapping[str, object] | None:
        boto3 = driver("boto3", "boto3", "aws")
        boto = driver("botocore.exceptions", "boto3", "aws")
        try:
            client = self._client(boto3, secret)
            answer: Mapping[str, object] = client.get_secret_value(SecretId=secret)
            return answer
        except boto.ClientError as error:
            details = error.response.get("Error", {})
            if details.get("Code") == "ResourceNotFoundException":
                return None
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            failure = _refused(secret, str(details.get("Code")), status)
        except (boto.ConnectTimeoutError, boto.ReadTimeoutError):
            failure = CredentialError(
                f"AWS did not answer within {self.timeout:g} s when asked for `{secret}`",
                code="credential.timeout",
                remedy="check the region, the network and the proxy",
            )
        except (boto.ConnectionError, boto.HTTPClientError):
            failure = _unreachable(secret, "cannot be reached")
        except (boto.ParamValidationError, boto.InvalidRegionError):
            failure = _malformed(secret, "or its region is no name", "check both")
        except boto.BotoCoreError as error:  # all that is left comes before a request is sent
            failure = _no_login(secret, type(error).__name__)
        except ValueError:
            failure = _malformed(secret, "has no valid endpoint", "check the URL of the endpoint")
        raise failure

    def _client(self, boto3: Any, secret: str) -> Any:
        """Return the client for the region of a secret; making one is slow and not thread-safe."""
        arn = secret.split(":")
        region = arn[3] if arn[0] == "arn" and len(arn) > 3 else self.region
        with self._lock:
            if region not in self._clients:
                self._clients[region] = self._new_client(boto3, region)
            return self._clients[region]

    def _new_client(self, boto3: Any, region: str | None) -> Any:
        import logging

        config = driver("botocore.config", "boto3", "aws").Config(
            connect_timeout=self.timeout,
            read_timeout=self.timeout,
            retries={"total_max_attempts": 1},
        )
        # At DEBUG it logs whole answers, which are secrets here.
        logger = logging.getLogger("botocore")
        if logger.level < logging.INFO:
            logger.setLevel(logging.INFO)
        # boto3 itself does not know AWS_REGION, which AWS's other tools do.
        session = boto3.session.Session(
            profile_name=self.profile, region_name=region or os.environ.get("AWS_REGION")
        )
        return session.client("secretsmanager", endpoint_url=self.endpoint_url, config=config)


def _value(secret: str, text: str, key: str) -> str | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    # Behind the handler, for the error of the parser holds the text.
    if not isinstance(document, dict):
        raise _malformed(
            secret, f"is no JSON object, so it has no `{key}`", "name the secret without a key"
        )
    return pick(document, key)


def _refused(secret: str, code: str, status: int) -> CredentialError:
    if code in _DENIED or status in (401, 403):
        return CredentialError(
            f"AWS does not let this login read the secret `{secret}`",
            code="credential.denied",
            remedy="check the login, and allow it `secretsmanager:GetSecretValue` and the KMS key",
        )
    if code in _BUSY or status >= 500:
        return _unreachable(secret, "is not available at the moment")
    known = f" ({code})" if code.isalnum() else ""
    return _malformed(
        secret,
        f"is nothing that AWS gives out{known}",
        "check its name, and that it is not deleted",
    )


def _unreachable(secret: str, reason: str) -> CredentialError:
    return CredentialError(
        f"AWS Secrets Manager, asked for `{secret}`, {reason}",
        code="credential.unreachable",
        remedy="check the region, the network and the proxy, or try again later",
    )


def _no_login(secret: str, kind: str) -> CredentialError:
    if kind == "NoRegionError":
        reason, remedy = "no AWS region is set", "set `AWS_REGION`"
    elif kind == "ProfileNotFound":
        reason, remedy = "there is no such AWS profile", "check `AWS_PROFILE` and `~/.aws/config`"
    else:
        reason = f"there is no AWS login ({kind})"
        remedy = "run `aws sso login` or `aws configure`, or set `AWS_PROFILE`"
    return CredentialError(
        f"`{secret}` cannot be read: {reason}", code="credential.no_login", remedy=remedy
    )


def _malformed(secret: str, reason: str, remedy: str) -> CredentialError:
    return CredentialError(
        f"the AWS secret `{secret}` {reason}", code="credential.malformed", remedy=remedy
    )
