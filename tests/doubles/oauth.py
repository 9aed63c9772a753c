"""The token endpoint of an OAuth 2.0 server.

RFC 6749 §2.3.1 (client authentication), §4.4 (client credentials), §5 (answers), §6 (refresh).
"""

from collections.abc import Collection
from urllib.parse import unquote_plus

from tests.doubles.messages import CANARY, Answer, Request, as_json

CLIENT_ID = "osiris-etl"
CLIENT_SECRET = f"s%cr:et+{CANARY}/oauth"
UNAUTHORIZED_CLIENT_ID = "osiris-web"
REFRESH_TOKEN = f"refresh-{CANARY}-oauth"
SCOPES = ("orders:read", "orders:write")

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def problem(status: int, error: str, description: str) -> Answer:
    """An error of RFC 6749 §5.2."""
    headers = dict(_NO_STORE)
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="oauth"'
    return as_json(status, {"error": error, "error_description": description}, headers)


INVALID_CLIENT = problem(401, "invalid_client", "Client authentication failed.")
INVALID_REQUEST = problem(400, "invalid_request", "The request is malformed.")
INVALID_GRANT = problem(400, "invalid_grant", "The refresh token is invalid or expired.")
INVALID_SCOPE = problem(400, "invalid_scope", "The requested scope is unknown.")
UNAUTHORIZED_CLIENT = problem(400, "unauthorized_client", "The client may not use this grant.")
UNSUPPORTED_GRANT = problem(400, "unsupported_grant_type", "The grant type is not supported.")
WITHOUT_TOKEN = as_json(200, {"token_type": "Bearer", "expires_in": 3600}, _NO_STORE)


class TokenServer:
    """`POST /oauth/token`; `issued` holds the access tokens, oldest first, for `rest.bearer`.

    `encoded=False` is one of the servers that take id and secret from the Basic header as they
    stand, which §2.3.1 does not allow and some clients need.
    """

    def __init__(
        self,
        methods: Collection[str] = ("client_secret_basic", "client_secret_post"),
        expires_in: int | None = 3600,
        audience: str | None = None,
        *,
        encoded: bool = True,
    ) -> None:
        self.issued: list[str] = []
        self._methods = methods
        self._expires_in = expires_in
        self._audience = audience
        self._encoded = encoded

    def __call__(self, request: Request) -> Answer:
        """Authenticate the client, then answer by grant."""
        if request.path != "/oauth/token":
            return as_json(404, {"error": "not found"})
        kind = request.headers.get("Content-Type", "").partition(";")[0]
        if request.method != "POST":
            return Answer(405, b"", {"Allow": "POST"})
        form = request.form()
        in_body = "client_secret" in form
        if kind != "application/x-www-form-urlencoded" or "grant_type" not in form:
            return INVALID_REQUEST
        if in_body and "Authorization" in request.headers:  # §2.3: one method, not two
            return INVALID_REQUEST
        client, secret = self._client(request, form)
        if client not in (CLIENT_ID, UNAUTHORIZED_CLIENT_ID) or secret != CLIENT_SECRET:
            return INVALID_CLIENT
        if client == UNAUTHORIZED_CLIENT_ID:
            return UNAUTHORIZED_CLIENT
        return self._grant(form)

    def _client(self, request: Request, form: dict[str, str]) -> tuple[str, str]:
        if "client_secret" in form and "client_secret_post" in self._methods:
            return form.get("client_id", ""), form["client_secret"]
        if request.basic is not None and "client_secret_basic" in self._methods:
            user, password = request.basic
            return (unquote_plus(user), unquote_plus(password)) if self._encoded else request.basic
        return "", ""

    def _grant(self, form: dict[str, str]) -> Answer:
        if form["grant_type"] not in ("client_credentials", "refresh_token"):
            return UNSUPPORTED_GRANT
        refreshes = form["grant_type"] == "refresh_token"
        if refreshes and form.get("refresh_token") != REFRESH_TOKEN:
            return INVALID_GRANT
        scopes = form.get("scope", " ".join(SCOPES)).split()
        if not set(scopes) <= set(SCOPES):
            return INVALID_SCOPE
        if self._audience is not None and form.get("audience") != self._audience:
            return INVALID_REQUEST
        self.issued.append(f"access-{CANARY}-oauth-{len(self.issued) + 1}")
        token: dict[str, object] = {"access_token": self.issued[-1], "token_type": "Bearer"}
        token["scope"] = " ".join(scopes)
        if self._expires_in is not None:
            token["expires_in"] = self._expires_in
        if refreshes:
            token["refresh_token"] = REFRESH_TOKEN
        return as_json(200, token, _NO_STORE)
