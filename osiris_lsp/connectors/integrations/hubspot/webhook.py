"""Webhooks of HubSpot, signed the third way.

https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
"""

import base64
import time
from collections.abc import Callable, Mapping
from typing import Final

from osiris_lsp.connectors.errors import ConnectorParseError
from osiris_lsp.connectors.integrations import webhooks
from osiris_lsp.connectors.integrations.hubspot.models import Event
from osiris_lsp.connectors.integrations.values import mapping
from osiris_lsp.secret import Secret

_PLAIN: Final = ":/?@!$'()*,;"
"""Characters that stand in the signed address as they are, not as `%3A` and the like."""


def webhook_events(
    payload: bytes,
    headers: Mapping[str, str],
    secret: str | Secret,
    *,
    uri: str,
    method: str = "POST",
    tolerance: float = webhooks.TOLERANCE,
    clock: Callable[[], float] = time.time,
) -> list[Event]:
    """Return the events of a webhook that is from HubSpot; raises WebhookSignatureError.

    `payload` is the body as it came, `uri` the whole address that HubSpot called, `secret` the
    client secret of the app, `tolerance` in seconds.
    """
    stamp = webhooks.header(headers, "X-HubSpot-Request-Timestamp")
    given = webhooks.header(headers, "X-HubSpot-Signature-v3")
    parts = (method.upper().encode(), _decoded(uri).encode(), payload, stamp.encode())
    expected = base64.b64encode(webhooks.digest(secret, *parts)).decode()
    webhooks.check(expected, [given])
    sent = webhooks.seconds(stamp)
    webhooks.check_age(None if sent is None else sent / 1000, clock(), tolerance)
    found = webhooks.content(payload)
    if not isinstance(found, list):
        raise ConnectorParseError(
            "the webhook is signed, but no list of events", code="webhook.not_json", stage="query"
        )
    return [Event.from_api(mapping(entry)) for entry in found]


def _decoded(uri: str) -> str:
    for character in _PLAIN:
        code = f"%{ord(character):02X}"
        uri = uri.replace(code, character).replace(code.lower(), character)
    return uri
