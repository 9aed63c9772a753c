"""A plain REST API: one resource and a health check, behind any kind of credential."""

from collections.abc import Callable, Collection

from tests.doubles.messages import CANARY, Answer, Request, as_json

API_KEY = f"key-{CANARY}-rest"
TOKEN = f"token-{CANARY}-rest"
USERNAME = "reporting"
PASSWORD = f"pass:word-{CANARY}-rest"

Check = Callable[[Request], bool]


def anyone(request: Request) -> bool:
    """Let every request in."""
    return True


def header_key(name: str = "X-API-Key", key: str = API_KEY) -> Check:
    """Let in who sends the key in this header."""
    return lambda request: request.headers.get(name) == key


def query_key(name: str, key: str = API_KEY) -> Check:
    """Let in who sends the key in this query parameter."""
    return lambda request: request.query.get(name) == key


def bearer(tokens: Collection[str] = (TOKEN,)) -> Check:
    """Let in who sends one of the tokens (RFC 6750 §2.1)."""
    return lambda request: request.bearer in tokens


def basic(username: str = USERNAME, password: str = PASSWORD) -> Check:
    """Let in who sends user and password (RFC 7617)."""
    return lambda request: request.basic == (username, password)


class Rest:
    """`/v1`, `/v1/orders` and `/v1/health`; `challenge` is what a 401 asks for (RFC 9110 §11)."""

    def __init__(self, accepts: Check = anyone, challenge: str = 'Bearer realm="api"') -> None:
        self._accepts = accepts
        self._challenge = challenge

    def __call__(self, request: Request) -> Answer:
        """Answer by path, after the credential."""
        if not self._accepts(request):
            headers = {"WWW-Authenticate": self._challenge}
            return as_json(401, {"error": "unauthorized"}, headers)
        if request.path.rstrip("/") in ("/v1", "/v1/health"):
            return as_json(200, {"status": "ok"})
        if request.path == "/v1/orders":
            return as_json(200, [{"id": 1}, {"id": 2}])
        return as_json(404, {"error": "not found"})
