"""The API of Stripe: customers, payment intents and invoices in memory.

https://docs.stripe.com/api/errors, /pagination, /idempotent_requests and /authentication
https://docs.stripe.com/rate-limits
"""

import re
from collections.abc import Mapping
from typing import Any

from tests.doubles.messages import CANARY, Answer, Request, as_json

SECRET_KEY = f"sk_test_{CANARY}Stripe00000000000000"
RESTRICTED_KEY = f"rk_test_{CANARY}Stripe00000000000000"
PUBLISHABLE_KEY = f"pk_test_{CANARY}Stripe00000000000000"
ACCOUNT = "acct_1Canary"

PREFIXES = {"customers": "cus_", "payment_intents": "pi_", "invoices": "in_"}


def problem(status: int, kind: str, message: str, **more: str) -> Answer:
    """An error as the API gives it; the code is left out where Stripe has none."""
    error = {"type": kind, "message": message, **more}
    return as_json(status, {"error": error}, {"Request-Id": "req_Canary"})


RATE_LIMITED = problem(
    429, "invalid_request_error", "Request rate limit exceeded.", code="rate_limit"
)
CARD_DECLINED = problem(
    402, "card_error", "Your card was declined.", code="card_declined", decline_code="do_not_honor"
)
BROKEN = problem(500, "api_error", "An unknown error occurred")

Object = dict[str, Any]


class Stripe:
    """One account; objects are listed newest first, as Stripe does."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Object]] = {name: [] for name in PREFIXES}
        self._seen: dict[str, tuple[str, bytes, Answer]] = {}
        self._number = 0

    def add(self, name: str, **fields: Any) -> Object:
        """Put an object into the account."""
        self._number += 1
        made = {
            "id": f"{PREFIXES[name]}{self._number}",
            "object": name.removesuffix("s"),
            "created": 1767225600 + self._number,
            "livemode": False,
            "metadata": {},
            **_DEFAULTS[name],
            **fields,
        }
        self.objects[name].insert(0, made)
        return made

    def __call__(self, request: Request) -> Answer:
        """Answer by key, then by path."""
        key = request.bearer
        if key is None:
            text = "You did not provide an API key. You need to provide your API key."
            return problem(401, "invalid_request_error", text)
        if key not in (SECRET_KEY, RESTRICTED_KEY):
            return problem(401, "invalid_request_error", f"Invalid API Key provided: {key}")
        if request.path == "/v1/account":
            if key == RESTRICTED_KEY:
                text = f"The provided key does not have the required permissions on {ACCOUNT}."
                return problem(403, "invalid_request_error", text)
            about = {"id": ACCOUNT, "object": "account", "country": "NL", "charges_enabled": True}
            return as_json(200, about)
        match = re.fullmatch(r"/v1/(\w+)(?:/([^/]+))?(?:/(\w+))?", request.path)
        if match is None or match[1] not in PREFIXES:
            text = f"Unrecognized request URL ({request.method}: {request.path})."
            return problem(404, "invalid_request_error", text)
        if request.method == "POST":
            return self._once(request, *match.groups())
        return self._answer(request, *match.groups())

    def _once(self, request: Request, *parts: Any) -> Answer:
        """Answer a second request with the same key as the first one (24 hours)."""
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return self._answer(request, *parts)
        path, body, answer = self._seen.get(key, (request.path, request.body, None))
        if (path, body) != (request.path, request.body):
            text = "Keys for idempotent requests can only be used with the same parameters."
            return problem(400, "idempotency_error", text)
        answer = answer or self._answer(request, *parts)
        self._seen[key] = (path, body, answer)
        return answer

    def _answer(self, request: Request, name: str, id_: str | None, action: str | None) -> Answer:
        if id_ is None:
            if request.method == "GET":
                return self._list(name, request.query)
            missing = _REQUIRED[name] - request.form().keys()
            if missing:
                text = f"Missing required param: {min(missing)}."
                return problem(400, "invalid_request_error", text, code="parameter_missing")
            return as_json(200, self.add(name, **nested(request.form())))
        found = next((item for item in self.objects[name] if item["id"] == id_), None)
        if found is None:
            text = f"No such {name.removesuffix('s')}: '{id_}'"
            return problem(404, "invalid_request_error", text, code="resource_missing")
        if request.method == "DELETE":
            self.objects[name].remove(found)
            return as_json(200, {"id": id_, "object": found["object"], "deleted": True})
        if action is not None:
            found["status"] = {"cancel": "canceled", "finalize": "open"}[action]
        elif request.method == "POST":
            found.update(nested(request.form()))
        return as_json(200, found)

    def _list(self, name: str, query: Mapping[str, str]) -> Answer:
        limit = int(query.get("limit", 10))
        if not 1 <= limit <= 100:
            return problem(400, "invalid_request_error", "Invalid limit", param="limit")
        wanted = {key: value for key, value in query.items() if key in ("email", "customer")}
        found = [
            item
            for item in self.objects[name]
            if all(item.get(key) == value for key, value in wanted.items())
        ]
        after = query.get("starting_after")
        if after is not None:
            ids = [item["id"] for item in found]
            if after not in ids:
                return problem(400, "invalid_request_error", f"No such object: '{after}'")
            found = found[ids.index(after) + 1 :]
        page = {"object": "list", "url": f"/v1/{name}", "has_more": len(found) > limit}
        return as_json(200, {**page, "data": found[:limit]})


_REQUIRED: dict[str, set[str]] = {
    "customers": set(),
    "payment_intents": {"amount", "currency"},
    "invoices": {"customer"},
}
_DEFAULTS: dict[str, Object] = {
    "customers": {"email": None, "name": None, "balance": 0},
    "payment_intents": {
        "status": "requires_payment_method",
        "client_secret": f"pi_secret_{CANARY}",
        "customer": None,
    },
    "invoices": {"status": "draft", "total": 0, "amount_due": 0, "amount_paid": 0},
}


def nested(form: Mapping[str, str]) -> Object:
    """The fields of a form, with `a[b]` inside of `a`; numbers as numbers."""
    made: Object = {}
    for name, value in form.items():
        first, *more = re.findall(r"[^\[\]]+", name)
        place = made
        for part in (first, *more[:-1]) if more else ():
            place = place.setdefault(part, {})
        number = value.isdigit() and not more
        place[more[-1] if more else first] = int(value) if number else value
    return made
