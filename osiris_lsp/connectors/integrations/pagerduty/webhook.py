"""Webhooks (v3) of PagerDuty: https://developer.pagerduty.com/docs/verifying-signatures."""

import time
from collections.abc import Callable

from osiris_lsp.connectors.integrations import webhooks
from osiris_lsp.connectors.integrations.pagerduty.models import Event
from osiris_lsp.connectors.integrations.values import mapping
from osiris_lsp.secret import Secret


def webhook_event(
    payload: bytes,
    signature: str,
    secret: str | Secret,
    *,
    tolerance: float | None = None,
    clock: Callable[[], float] = time.time,
) -> Event:
    """Return the event of a webhook that is from PagerDuty; raises WebhookSignatureError.

    `payload` is the body as it came, `signature` the header `X-PagerDuty-Signature`. The signature
    has no time. With a `tolerance` in seconds the event must not have occurred earlier; PagerDuty
    sends one again for hours where it is not taken, so that `id` is the better guard against an
    event that comes twice.
    """
    pairs = [part.strip().partition("=") for part in signature.split(",")]
    expected = webhooks.digest(secret, payload).hex()
    webhooks.check(expected, (value for version, _, value in pairs if version == "v1"))
    event = Event.from_api(mapping(mapping(webhooks.content(payload)).get("event")))
    if tolerance is not None:
        moment = event.occurred_at
        webhooks.check_age(None if moment is None else moment.timestamp(), clock(), tolerance)
    return event
