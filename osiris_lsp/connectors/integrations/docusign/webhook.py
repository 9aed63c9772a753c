"""Webhooks of DocuSign (Connect): https://developers.docusign.com/platform/webhooks/connect/hmac/."""

import base64
import time
from collections.abc import Callable, Mapping
from typing import Final

from osiris_lsp.connectors.integrations import webhooks
from osiris_lsp.connectors.integrations.docusign.models import Event
from osiris_lsp.connectors.integrations.values import mapping
from osiris_lsp.secret import Secret

_HEADER: Final = "x-docusign-signature-"
"""Its number follows: there is a header for each key of the account."""


def webhook_event(
    payload: bytes,
    headers: Mapping[str, str],
    secret: str | Secret,
    *,
    tolerance: float | None = None,
    clock: Callable[[], float] = time.time,
) -> Event:
    """Return the event of a webhook that is from DocuSign; raises WebhookSignatureError.

    `payload` is the body as it came, `secret` one of the HMAC keys. The signature has no time. With
    a `tolerance` in seconds the event must not have been made earlier; DocuSign sends one again for
    days where it is not taken.
    """
    expected = base64.b64encode(webhooks.digest(secret, payload)).decode()
    given = [value for name, value in headers.items() if name.lower().startswith(_HEADER)]
    webhooks.check(expected, given)
    event = Event.from_api(mapping(webhooks.content(payload)))
    if tolerance is not None:
        moment = event.generated_at
        webhooks.check_age(None if moment is None else moment.timestamp(), clock(), tolerance)
    return event
