"""Signatures of webhooks: made here by the vendors' documentation, with nothing of our own."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from osiris_lsp.connectors import ConnectorParseError
from osiris_lsp.connectors.integrations import docusign, hubspot, pagerduty, stripe, webhooks
from osiris_lsp.connectors.integrations.webhooks import WebhookSignatureError
from osiris_lsp.secret import Secret

NOW = 1767323045.0
SECRET = "whsec_c4n4ryWebhook"
URI = "https://app.example.com/hook?a=%2Fb%20c&x=1"


def mac(key: str, content: bytes) -> "hmac.HMAC":
    """HMAC-SHA256."""
    return hmac.new(key.encode(), content, hashlib.sha256)


def base64_mac(key: str, content: bytes) -> str:
    """The same in base64."""
    return base64.b64encode(mac(key, content).digest()).decode()


def stripe_headers(payload: bytes, key: str, now: float) -> dict[str, str]:
    """`t` and `v1`; https://docs.stripe.com/webhooks#verify-manually."""
    stamp = str(int(now))
    made = mac(key, stamp.encode() + b"." + payload).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={'0' * 64},v1={made},v0=ignored"}


def hubspot_headers(payload: bytes, key: str, now: float) -> dict[str, str]:
    """Method, address with its `%2F` decoded, body and milliseconds."""
    stamp = str(int(now * 1000))
    address = b"https://app.example.com/hook?a=/b%20c&x=1"
    made = base64_mac(key, b"POST" + address + payload + stamp.encode())
    return {"X-HubSpot-Signature-v3": made, "X-HubSpot-Request-Timestamp": stamp}


def docusign_headers(payload: bytes, key: str, now: float) -> dict[str, str]:
    """One header for each key of the account."""
    first = base64_mac("another key", payload)
    return {"X-DocuSign-Signature-1": first, "X-DocuSign-Signature-2": base64_mac(key, payload)}


def pagerduty_headers(payload: bytes, key: str, now: float) -> dict[str, str]:
    """A list for the time in which secrets change."""
    return {"X-PagerDuty-Signature": f"v1={'f' * 64},v1={mac(key, payload).hexdigest()}"}


@dataclass(frozen=True)
class Hook:
    """How a vendor signs, and how we check."""

    name: str
    body: Any
    sign: Callable[[bytes, str, float], dict[str, str]]
    check: Callable[..., Any]
    timed: bool


def _by_header(name: str, check: Callable[..., Any]) -> Callable[..., Any]:
    return lambda payload, headers, secret, **more: check(payload, headers[name], secret, **more)


HOOKS = (
    Hook(
        "stripe",
        {"id": "evt_1", "type": "invoice.paid", "created": int(NOW), "data": {"object": {"id": 1}}},
        stripe_headers,
        _by_header("Stripe-Signature", stripe.webhook_event),
        True,
    ),
    Hook(
        "hubspot",
        [{"eventId": 1, "subscriptionType": "contact.creation", "objectId": 7, "portalId": 62515}],
        hubspot_headers,
        lambda payload, headers, secret, **more: hubspot.webhook_events(
            payload, headers, secret, uri=URI, **more
        ),
        True,
    ),
    Hook(
        "docusign",
        {
            "event": "envelope-completed",
            "generatedDateTime": "2026-01-02T03:04:05.0000000Z",
            "data": {"envelopeId": "e1", "accountId": "a1"},
        },
        docusign_headers,
        docusign.webhook_event,
        False,
    ),
    Hook(
        "pagerduty",
        {
            "event": {
                "id": "01X",
                "event_type": "incident.triggered",
                "occurred_at": "2026-01-02T03:04:05Z",
                "data": {"id": "P1"},
            }
        },
        pagerduty_headers,
        _by_header("X-PagerDuty-Signature", pagerduty.webhook_event),
        False,
    ),
)
every = pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)


def body(hook: Hook) -> bytes:
    """What the vendor sends, with letters beyond ASCII."""
    return json.dumps(hook.body, ensure_ascii=False).encode() + b" " * 2


@every
@pytest.mark.inventory("S3-TYPE-03", "S3-TYPE-05")
def test_what_is_signed(hook: Hook) -> None:
    """The right secret gives the event, as text or `Secret`; one of several signatures will do."""
    payload = body(hook)
    headers = hook.sign(payload, SECRET, NOW)
    for secret in (SECRET, Secret(SECRET)):
        event = hook.check(payload, headers, secret, clock=lambda: NOW + 299)
        event = event[0] if isinstance(event, list) else event
        assert "." in event.type or event.type == "envelope-completed"
    lower = {name.lower(): value for name, value in headers.items()}
    if hook.name in ("hubspot", "docusign"):  # those that take all headers
        assert hook.check(payload, lower, SECRET, clock=lambda: NOW)


@every
@pytest.mark.inventory("S3-TYPE-03")
def test_what_is_not(hook: Hook) -> None:
    """Another secret, another body, no signature, half of one: all are refused, and none shows."""
    payload = body(hook)
    headers = hook.sign(payload, SECRET, NOW)
    name = list(headers)[-1 if hook.name == "docusign" else 0]
    cut = {**headers, name: headers[name][:-1]}
    strange = {**headers, name: "ü" + headers[name].replace("v1=", "v2=")}
    tries: list[tuple[bytes, dict[str, str], str]] = [
        (payload, headers, SECRET + "x"),
        (payload + b" ", headers, SECRET),
        (b"", headers, SECRET),
        (payload, cut, SECRET) if hook.name != "stripe" else (payload[:-1], headers, SECRET),
        (payload, strange, SECRET),
        (payload, {**headers, name: ""}, SECRET),
        (payload, headers, ""),
    ]
    for tried in tries:
        with pytest.raises(WebhookSignatureError) as caught:
            hook.check(*tried, clock=lambda: NOW)
        assert caught.value.category == "auth"
        assert SECRET not in f"{caught.value} {vars(caught.value)}"


@every
@pytest.mark.parametrize("age", [301.0, -301.0])
def test_what_is_old(hook: Hook, age: float) -> None:
    """What was made over five minutes from now is refused; the body says when if no header does."""
    payload = body(hook)
    headers = hook.sign(payload, SECRET, NOW)
    more = {} if hook.timed else {"tolerance": 300.0}
    with pytest.raises(WebhookSignatureError) as caught:
        hook.check(payload, headers, SECRET, clock=lambda: NOW + age, **more)
    assert caught.value.code == "webhook.too_old"
    wide = hook.check(payload, headers, SECRET, clock=lambda: NOW + age, tolerance=400.0)
    assert wide


@every
def test_a_time_that_was_changed(hook: Hook) -> None:
    """A time is signed too: another one, or several, does not make an old webhook a new one."""
    payload = body(hook)
    headers = hook.sign(payload, SECRET, NOW)
    later = NOW + 10_000
    if hook.name == "stripe":
        old = headers["Stripe-Signature"]
        forged = [
            {"Stripe-Signature": old.replace(f"t={int(NOW)}", f"t={int(later)}")},
            {"Stripe-Signature": f"t={int(later)},{old}"},
            {"Stripe-Signature": old.replace(f"t={int(NOW)}", "t=now")},
            {"Stripe-Signature": old.replace(f"t={int(NOW)},", "")},
        ]
    elif hook.name == "hubspot":
        forged = [{**headers, "X-HubSpot-Request-Timestamp": str(int(later * 1000))}]
    else:
        other = payload.replace(b"2026-01-02", b"2027-01-02")
        with pytest.raises(WebhookSignatureError):
            hook.check(other, headers, SECRET, clock=lambda: later)
        return
    for attempt in forged:
        with pytest.raises(WebhookSignatureError):
            hook.check(payload, attempt, SECRET, clock=lambda: later)


@every
def test_signed_nonsense(hook: Hook) -> None:
    """What is signed, but no JSON of the vendor, is told as that."""
    for payload in (b"{", b"\xff", b'"x"', b"[1]", b"[" * 100_000):
        headers = hook.sign(payload, SECRET, NOW)
        with pytest.raises(ConnectorParseError):
            hook.check(payload, headers, SECRET, clock=lambda: NOW)


def test_hubspot_needs_both_headers() -> None:
    """A header that is not there is named."""
    with pytest.raises(WebhookSignatureError, match="X-HubSpot-Signature-v3"):
        hubspot.webhook_events(b"[]", {"X-HubSpot-Request-Timestamp": "1"}, SECRET, uri=URI)


def test_every_signature_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison takes the same time wherever texts differ, and none ends the loop early."""
    seen: list[bytes] = []
    compare = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        seen.append(other)
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    webhooks.check("right", ["right", "wrong", "right "])
    assert seen == [b"right", b"wrong", b"right"]
