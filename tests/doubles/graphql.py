"""A GraphQL server over HTTP.

https://graphql.github.io/graphql-over-http/draft/
https://www.apollographql.com/docs/apollo-server/data/errors (codes in `extensions`)
"""

from tests.doubles.messages import CANARY, Answer, Request, as_json
from tests.doubles.rest import Check, anyone

TOKEN = f"gql_{CANARY}_token"


def errors(status: int, code: str, message: str) -> Answer:
    """An answer without data, with one error of this code."""
    return as_json(status, {"errors": [{"message": message, "extensions": {"code": code}}]})


UNAUTHENTICATED = errors(200, "UNAUTHENTICATED", "you must be logged in")
FORBIDDEN = errors(200, "FORBIDDEN", "you must be able to read orders")
INTROSPECTION_DISABLED = errors(
    400, "INTROSPECTION_DISABLED", "GraphQL introspection is not allowed"
)
INTERNAL = errors(500, "INTERNAL_SERVER_ERROR", "internal server error")


class Graphql:
    """`POST /graphql` with the one field `orders`; a wrong credential gets 200 and `errors`."""

    def __init__(self, accepts: Check = anyone, *, introspection: bool = True) -> None:
        self._accepts = accepts
        self._introspection = introspection

    def __call__(self, request: Request) -> Answer:
        """Answer a request, not a query: fields are looked for in the text."""
        if request.path != "/graphql":
            return as_json(404, {"message": "not found"})
        if request.method != "POST":
            return Answer(405, b"", {"Allow": "POST"})
        content = request.json()
        query = content.get("query") if isinstance(content, dict) else None
        if not isinstance(query, str):
            return errors(400, "BAD_REQUEST", "a POST body must hold a query")
        if query.count("{") != query.count("}") or "{" not in query:
            return errors(400, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>.")
        if not self._accepts(request):
            return UNAUTHENTICATED
        if "__schema" in query or "__type(" in query:
            schema = {"__schema": {"queryType": {"name": "Query"}}}
            return as_json(200, {"data": schema}) if self._introspection else INTROSPECTION_DISABLED
        data = {"__typename": "Query", "orders": [{"id": "1"}]}
        asked = {name: value for name, value in data.items() if name in query}
        if not asked:
            text = 'Cannot query field on type "Query".'
            return errors(400, "GRAPHQL_VALIDATION_FAILED", text)
        return as_json(200, {"data": asked})
