"""HubSpot: the account of the token is asked for."""

from collections.abc import Mapping
from typing import ClassVar, Final

from osiris_lsp.connectors.answers import expect
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorParseError
from osiris_lsp.connectors.exchange import join_url, request
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.tls import tls_of

_FACTS: Final[Mapping[str, str]] = {
    "portalId": "portal",
    "accountType": "account_type",
    "dataHostingLocation": "region",
}


class HubspotConnector(Connector):
    """One HubSpot account."""

    family: ClassVar[str] = "hubspot"

    def probe(self, check: Check) -> None:
        """Ask for the account, which needs no scope."""
        connection = check.connection
        response = request(
            check,
            "GET",
            join_url(connection.text("base_url"), "/account-info/v3/details", "base_url"),
            headers={"Authorization": f"Bearer {connection.text('access_token')}"},
            tls=tls_of(connection, "verify"),
            field="base_url",
        )
        expect(response, key_field="access_token", url_field="base_url")
        answer = response.json("base_url")
        if not isinstance(answer, Mapping) or "portalId" not in answer:
            raise ConnectorParseError(
                "what came back is JSON, but no account of HubSpot",
                code="hubspot.answer",
                stage="query",
                field="base_url",
                remedy="check `base_url`: another kind of server answers there",
            )
        check.facts.update({ours: answer[name] for name, ours in _FACTS.items() if name in answer})


CONNECTOR: Final = HubspotConnector()
