"""The check of a service that is asked one harmless question, with the credentials it has."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from osiris_lsp.connectors.answers import Response, expect
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    ConnectorError,
    ConnectorParseError,
)
from osiris_lsp.connectors.exchange import join_url, request
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.tls import tls_of


class Inquiry(Connector):
    """A service behind `base_url` that answers with JSON.

    A family says what is asked (`_path`, `_params`, `_headers`), and what an answer tells
    (`_facts`).
    """

    _path: ClassVar[str]
    _params: ClassVar[Mapping[str, str]] = {}
    _key_field: ClassVar[str] = "base_url"
    """The field to mark when the service refuses who asks."""
    _needed: ClassVar[bool] = True
    """Whether nothing can be asked without `_key_field`."""

    def probe(self, check: Check) -> None:
        """Ask, and note what the answer tells."""
        connection = check.connection
        if self._needed and not connection.text(self._key_field):
            raise ConnectorConfigError(
                f"`{self._key_field}` is missing",
                code="config.missing_field",
                field=self._key_field,
                remedy=f"add `{self._key_field}`",
            )
        self._note(check, self._ask(check, self._path))

    def _ask(self, check: Check, path: str) -> Response:
        """Return the answer to a GET; raises what its status means."""
        connection = check.connection
        headers = {**self._agent(connection), **self._headers(check)}
        response = request(
            check,
            "GET",
            join_url(connection.text("base_url"), path),
            headers=headers,
            params=self._params,
            tls=tls_of(connection, "verify"),
        )
        refused = self._refusal(response)
        if refused is not None:
            raise refused
        return expect(response, key_field=self._key_field)

    def _agent(self, connection: ResolvedConnection) -> Mapping[str, str]:
        """Return the header that says who asks, where the connection does."""
        own = connection.text("user_agent")
        return {"User-Agent": own} if own else {}

    def _headers(self, check: Check) -> Mapping[str, str]:
        """Return the headers with the credentials."""
        return {}

    def _refusal(self, response: Response) -> ConnectorError | None:
        """Return what an answer means where the service has its own way to say it."""
        return None

    def _note(self, check: Check, response: Response) -> None:
        """Note the facts; raises ConnectorParseError for an answer of another service."""
        facts = self._facts(response.json())
        if facts is None:
            raise stranger(f"{self.family}.answer")
        check.facts.update(facts)

    @abstractmethod
    def _facts(self, answer: Any) -> Mapping[str, Any] | None:
        """Return what is worth telling of an answer; None where it is not of this service."""


def stranger(code: str) -> ConnectorParseError:
    """Return the error for an answer that another service gave."""
    return ConnectorParseError(
        "something answers, but not with what this service says",
        code=code,
        stage="query",
        field="base_url",
        remedy="check `base_url`: another kind of server answers there, or the path is missing",
    )


def below(answer: Any, *path: str) -> Any:
    """Return what stands below these keys, or None."""
    for key in path:
        answer = answer.get(key) if isinstance(answer, Mapping) else None
    return answer
