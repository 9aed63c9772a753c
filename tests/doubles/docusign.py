"""The eSignature API of DocuSign, and the server that gives tokens for signed claims.

https://developers.docusign.com/platform/auth/jwt-get-token/
https://developers.docusign.com/docs/esign-rest-api/reference/envelopes/envelopes/liststatuschanges/
https://developers.docusign.com/docs/esign-rest-api/esign101/error-codes/
"""

import json
import re
import time
from base64 import urlsafe_b64decode
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.doubles.messages import CANARY, Answer, Request, as_json

INTEGRATION_KEY = "0a09f94b-0000-4000-8000-722da7e2846a"
USER_ID = "3af994a5-0000-4000-8000-adf23dce0cd3"
STRANGER = "3af994a5-0000-4000-8000-000000000000"
"""A user who has given no consent."""
ACCOUNT_ID = "1978465f-0000-4000-8000-f03fa526107f"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@cache
def private_key(number: int = 0) -> rsa.RSAPrivateKey:
    """The key of the app; others by their number."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def private_pem(number: int = 0) -> str:
    """The same in PEM form."""
    made = private_key(number).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.decode()


def problem(status: int, code: str, message: str) -> Answer:
    """An error as the API gives it."""
    body = {"errorCode": code, "message": message}
    return as_json(status, body, {"X-DocuSign-TraceToken": "trace-1"})


RATE_LIMITED = as_json(
    429,
    {
        "errorCode": "HOURLY_APIINVOCATION_LIMIT_EXCEEDED",
        "message": "The maximum number of hourly API invocations has been exceeded.",
    },
    {"X-RateLimit-Limit": "3000", "X-RateLimit-Remaining": "0", "Retry-After": "0"},
)
LOST_TOKEN = problem(
    401,
    "AUTHORIZATION_INVALID_TOKEN",
    "The access token provided is expired, revoked or malformed.",
)


def refused(error: str, description: str = "") -> Answer:
    """A refusal of the token server (RFC 6749, 5.2)."""
    more = {"error_description": description} if description else {}
    return as_json(400, {"error": error, **more})


class DocuSign:
    """One account; both servers are this one. Each token is another."""

    def __init__(self) -> None:
        self.envelopes: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.audience = ""

    def add(self, **fields: Any) -> dict[str, Any]:
        """Put an envelope into the account."""
        made = {
            "envelopeId": f"e{len(self.envelopes):03}",
            "status": "sent",
            "emailSubject": "Please sign",
            "createdDateTime": "2026-01-02T03:04:05.1234567Z",
            "statusChangedDateTime": "2026-01-02T03:04:05.1234567Z",
            **fields,
        }
        self.envelopes.append(made)
        return made

    def __call__(self, request: Request) -> Answer:
        """Answer by path, then by token."""
        if request.path == "/oauth/token":
            return self._token(request)
        if request.bearer not in self.tokens:
            return LOST_TOKEN
        match = re.fullmatch(
            r"/restapi/v2\.1/accounts/([^/]+)(/envelopes)?(?:/([^/]+))?", request.path
        )
        if match is None:
            return as_json(404, {"errorCode": "RESOURCE_NOT_FOUND", "message": "not found"})
        account, envelopes, id_ = match.groups()
        if account != ACCOUNT_ID:
            text = "The UserID does not have a valid membership in this Account."
            return problem(401, "USER_LACKS_MEMBERSHIP", text)
        if envelopes is None:
            return as_json(200, {"accountIdGuid": ACCOUNT_ID, "accountName": "Acme"})
        if id_ is None:
            return self._create(request) if request.method == "POST" else self._list(request)
        found = next((item for item in self.envelopes if item["envelopeId"] == id_), None)
        if found is None:
            text = "The envelope specified either does not exist or you have no rights to it."
            return problem(400, "ENVELOPE_DOES_NOT_EXIST", text)
        if request.method == "PUT":
            found.update(request.json())
            return as_json(200, {"envelopeId": id_})
        return as_json(200, found)

    def _token(self, request: Request) -> Answer:
        form = request.form()
        if form.get("grant_type") != JWT_BEARER:
            return refused("unsupported_grant_type")
        head, content, signature = form["assertion"].split(".")
        claims = json.loads(_decoded(content))
        audience = self.audience or request.headers["Host"]
        if claims["iss"] != INTEGRATION_KEY or claims["aud"] != audience:
            return refused("invalid_grant", "issuer_not_found")
        try:
            private_key(0).public_key().verify(
                _decoded(signature),
                f"{head}.{content}".encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except InvalidSignature:
            return refused("invalid_grant", "no_valid_keys_or_signatures")
        if claims["sub"] == STRANGER:
            return refused("consent_required")
        if claims["sub"] != USER_ID:
            return refused("invalid_grant", "user_not_found")
        if not claims["iat"] <= time.time() + 60 or claims["exp"] - claims["iat"] > 3600:
            return refused("invalid_grant", "expired_grant")
        if set(claims["scope"].split()) != {"signature", "impersonation"}:
            return refused("invalid_scope")
        self.tokens.append(f"eyJ0.{CANARY}.token{len(self.tokens)}")
        token = {"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 3600}
        return as_json(200, token)

    def _create(self, request: Request) -> Answer:
        content = request.json()
        if not content.get("documents"):
            return problem(400, "INVALID_REQUEST_BODY", "No document is given.")
        kept = {"status": content["status"], "emailSubject": content["emailSubject"]}
        made = self.add(**kept, transactionId=content.get("transactionId"))
        at = {"statusDateTime": "2026-01-02T03:04:05.1234567Z", "uri": "/envelopes/x"}
        return as_json(201, {"envelopeId": made["envelopeId"], "status": made["status"], **at})

    def _list(self, request: Request) -> Answer:
        query = request.query
        if not query.keys() & {"from_date", "envelope_ids", "transaction_ids"}:
            text = "The request contained at least one invalid parameter. from_date is missing."
            return problem(400, "INVALID_REQUEST_PARAMETER", text)
        found = self.envelopes
        if "transaction_ids" in query:
            wanted = query["transaction_ids"].split(",")
            found = [item for item in found if item.get("transactionId") in wanted]
        start, count = int(query.get("start_position", 0)), min(int(query.get("count", 1000)), 4)
        part = found[start : start + count]
        end = start + len(part)
        page: dict[str, Any] = {
            "envelopes": part,
            "resultSetSize": str(len(part)),
            "totalSetSize": str(len(found)),
            "startPosition": str(start),
            "endPosition": str(end - 1),
        }
        if end < len(found):
            page["nextUri"] = f"/accounts/{ACCOUNT_ID}/envelopes?start_position={end}"
        return as_json(200, page)


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
