"""Webhooks of Stripe: https://docs.stripe.com/webhooks#verify-manually."""

import time
from collections.abc import Callable

from osiris_lsp.connectors.integrations import webhooks
from osiris_lsp.connectors.integrations.stripe.models import Event
from osiris_lsp.connectors.integrations.values import mapping
from osiris_lsp.secret import Secret


def webhook_event(
    payload: bytes,
    signature: str,
    secret: str | Secret,
    *,
    tolerance: float = webhooks.TOLERANCE,
    clock: Callable[[], float] = time.time,
) -> Event:
    """Return the event of a webhook that is from Stripe; raises WebhookSignatureError.

    `payload` is the body as it came, `signature` the header `Stripe-Signature`, `secret` that of
    the endpoint (`whsec_…`), `tolerance` in seconds.
    """
    pairs = [part.strip().partition("=") for part in signature.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    stamp = stamps[0] if len(stamps) == 1 else ""
    expected = webhooks.digest(secret, stamp.encode(), b".", payload).hex()
    webhooks.check(expected, (value for name, _, value in pairs if name == "v1"))
    webhooks.check_age(webhooks.seconds(stamp), clock(), tolerance)
    return Event.from_api(mapping(webhooks.content(payload)))
