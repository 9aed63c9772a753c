"""Signatures of webhooks: whether what arrives is from the service, and not an old one again."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any

from osiris_lsp.connectors.errors import ConnectorAuthError, ConnectorParseError
from osiris_lsp.secret import Secret

TOLERANCE = 300.0
"""Seconds that a signature may be old, or ahead of our clock."""


class WebhookSignatureError(ConnectorAuthError):
    """A webhook that is not to be trusted; `code` says why."""


def digest(secret: str | Secret, *parts: bytes) -> bytes:
    """Return the HMAC-SHA256 of parts that are put together."""
    key = secret.reveal() if isinstance(secret, Secret) else secret
    if not key:
        raise _refused("missing_secret", "no secret is given to check the signature with")
    made = hmac.new(key.encode(), digestmod=hashlib.sha256)
    for part in parts:
        made.update(part)
    return made.digest()


def check(expected: str, given: Iterable[str]) -> None:
    """Raise unless one of the signatures is the expected one; takes as long for each wrong one."""
    found = False
    for signature in given:
        found |= hmac.compare_digest(
            expected.encode(), signature.strip().encode("utf-8", "replace")
        )
    if not found:
        raise _refused("mismatch", "the signature is not that of this content and secret")


def check_age(sent: float | None, now: float, tolerance: float) -> None:
    """Raise for what was sent too long ago, and may be sent by somebody who saw it."""
    if sent is None:
        raise _refused("no_time", "the signature does not say when it was made")
    if abs(now - sent) > tolerance:
        raise _refused("too_old", f"it was made more than {tolerance:g} s from now")


def seconds(text: str) -> float | None:
    """Return a number of seconds; None for anything else."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def header(headers: Mapping[str, str], name: str) -> str:
    """Return a header, whatever the case of its name; raises where there is none."""
    for key, value in headers.items():
        if key.lower() == name.lower():
            return value
    raise _refused("missing_header", f"the header `{name}` is not there")


def content(payload: bytes) -> Any:
    """Return the JSON of a webhook that was checked."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise ConnectorParseError(
            "the webhook is signed, but no JSON", code="webhook.not_json", stage="query"
        ) from None


def _refused(code: str, why: str) -> WebhookSignatureError:
    return WebhookSignatureError(
        f"the webhook cannot be trusted: {why}",
        code=f"webhook.{code}",
        stage="auth",
        field="webhook_secret",
        remedy="answer it with 400; check `webhook_secret`, the raw body and the clock",
    )
