"""PagerDuty: what the account can do is asked for."""

from collections.abc import Mapping
from typing import ClassVar, Final

from osiris_lsp.connectors.answers import expect
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorParseError
from osiris_lsp.connectors.exchange import join_url, request
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.tls import tls_of

MEDIA: Final = "application/vnd.pagerduty+json;version=2"
"""What is accepted names the version of the API."""

REGIONS: Final[Mapping[str, str]] = {
    "us": "https://api.pagerduty.com",
    "eu": "https://api.eu.pagerduty.com",
}


class PagerdutyConnector(Connector):
    """One PagerDuty account."""

    family: ClassVar[str] = "pagerduty"

    def probe(self, check: Check) -> None:
        """Ask for the abilities of the account, which every key may see."""
        connection = check.connection
        base, field = address_of(connection)
        key = connection.text("api_key")
        bearer = connection.value("token_type") == "bearer"
        response = request(
            check,
            "GET",
            join_url(base, "/abilities", field),
            headers={
                "Authorization": f"Bearer {key}" if bearer else f"Token token={key}",
                "Accept": MEDIA,
            },
            tls=tls_of(connection, "verify"),
            field=field,
        )
        expect(response, key_field="api_key", url_field=field)
        answer = response.json(field)
        abilities = answer.get("abilities") if isinstance(answer, Mapping) else None
        if not isinstance(abilities, list):
            raise ConnectorParseError(
                "what came back is JSON, but no answer of PagerDuty",
                code="pagerduty.answer",
                stage="query",
                field=field,
                remedy=f"check `{field}`: another kind of server answers there",
            )
        check.facts["abilities"] = len(abilities)


def address_of(connection: ResolvedConnection) -> tuple[str, str]:
    """Return the address of the API, and the field that it is from."""
    own = connection.text("base_url")
    if own:
        return own, "base_url"
    return REGIONS.get(str(connection.value("region")), REGIONS["us"]), "region"


CONNECTOR: Final = PagerdutyConnector()
