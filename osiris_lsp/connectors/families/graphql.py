"""GraphQL over HTTP: the smallest query there is, and the errors that come with status 200."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.answers import Response, expect
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorError,
    ConnectorParseError,
    ConnectorPermissionError,
)
from osiris_lsp.connectors.exchange import basic, request
from osiris_lsp.connectors.families.api import UNPROVEN, holds_credential, missing_credentials
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.tls import tls_of

_QUERY: Final = {"query": "{ __typename }"}

_AUTH: Final = frozenset(("UNAUTHENTICATED", "UNAUTHORIZED", "invalid-jwt", "invalid-headers"))
"""Codes for credentials that are missing or refused: Apollo, Hasura."""

_PERMISSION: Final = frozenset(("FORBIDDEN", "ACCESS_DENIED", "access-denied"))


class GraphqlConnector(Connector):
    """One GraphQL endpoint."""

    family: ClassVar[str] = "graphql"

    def probe(self, check: Check) -> None:
        """Post the smallest query."""
        connection = check.connection
        plain = connection.reveal()
        headers = {str(name): str(text) for name, text in (plain.get("headers") or {}).items()}
        field = "headers" if holds_credential(headers) else ""
        kind, token = connection.value("auth_type"), connection.text("auth_token")
        if kind == "bearer":
            headers["Authorization"] = f"Bearer {token}"
        elif kind == "basic":
            headers["Authorization"] = basic(connection.text("auth_username"), token)
        elif kind == "api_key":
            headers[connection.text("auth_header_name")] = token
        field = field if kind == "none" else "auth_token"
        response = _post(check, headers)
        if response.status == 401 and not field:
            raise missing_credentials("auth_type", "`auth_type` and `auth_token`")
        _refuse_errors(response, field or "auth_type")
        expect(response, key_field=field or "auth_type", url_field="endpoint")
        if not _is_answer(response):
            raise ConnectorParseError(
                "what came back is JSON, but no answer of a GraphQL server",
                code="graphql.no_data",
                stage="query",
                field="endpoint",
                remedy="check the path in `endpoint`; it often ends in `/graphql`",
            )
        if field and _answers_anyone(check):
            check.facts["hint"] = UNPROVEN


def _post(check: Check, headers: Mapping[str, str]) -> Response:
    return request(
        check,
        "POST",
        check.connection.text("endpoint"),
        headers={"Accept": "application/graphql-response+json, application/json", **headers},
        payload=_QUERY,
        tls=tls_of(check.connection, "validate_ssl"),
        field="endpoint",
    )


def _answers_anyone(check: Check) -> bool:
    with contextlib.suppress(ConnectorError, OSError):  # the answer that counts is in already
        response = _post(check, {})
        return response.status == 200 and not any(error_codes(response)) and _is_answer(response)
    return False


def _is_answer(response: Response) -> bool:
    answer = response.json("endpoint")
    return isinstance(answer, Mapping) and isinstance(answer.get("data"), Mapping)


def error_codes(response: Response) -> Iterator[str]:
    """Yield the code of each of the `errors` of an answer; `unknown` where one has none."""
    try:
        answer: Any = response.json()
    except ConnectorParseError:
        return
    yield from codes_of(answer)


def codes_of(answer: Any) -> Iterator[str]:
    """Yield the codes of the JSON of an answer."""
    errors = answer.get("errors") if isinstance(answer, Mapping) else None
    for error in errors if isinstance(errors, list) else ():
        extensions = error.get("extensions") if isinstance(error, Mapping) else None
        code = extensions.get("code") if isinstance(extensions, Mapping) else None
        yield code if isinstance(code, str) and code else "unknown"


def _refuse_errors(response: Response, key_field: str) -> None:
    """Raise for `errors`; of an answer with a status of its own, for those about rights only."""
    codes = list(error_codes(response))
    if _AUTH.intersection(codes):
        raise ConnectorAuthError(
            "the server does not accept the credentials",
            code="graphql.unauthenticated",
            stage="auth",
            field=key_field,
            remedy=f"check `{key_field}`: it may be revoked, expired, or of another environment",
            kind="GraphQLError",
        )
    if _PERMISSION.intersection(codes):
        raise ConnectorPermissionError(
            "the server knows the credentials, but does not allow this",
            code="graphql.forbidden",
            stage="auth",
            field=key_field,
            remedy="give the owner of the token the right to query",
            kind="GraphQLError",
        )
    if codes and response.status == 200:
        shown = codes[0] if codes[0].replace("_", "").replace("-", "").isalnum() else "unknown"
        raise ConnectorAPIError(
            f"the server answers with an error, code `{shown[:60]}`",
            status_code=200,
            code="graphql.error",
            stage="query",
            field="endpoint",
            remedy="look the code up in the documentation of the service",
            kind="GraphQLError",
        )


CONNECTOR: Final = GraphqlConnector()
