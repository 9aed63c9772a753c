"""PostHog: the project is asked for by its number."""

from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import quote

from osiris_lsp.connectors.answers import expect
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorParseError,
    ConnectorPermissionError,
)
from osiris_lsp.connectors.exchange import join_url, request
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.tls import tls_of

_CLOUDS: Final[Mapping[str, str]] = {
    "us": "https://us.posthog.com",
    "eu": "https://eu.posthog.com",
}


class PosthogConnector(Connector):
    """One PostHog project."""

    family: ClassVar[str] = "posthog"

    def probe(self, check: Check) -> None:
        """Ask for the project."""
        connection = check.connection
        key, project = connection.text("api_key"), connection.text("project_id")
        if key.startswith("phc_"):
            raise ConnectorAuthError(
                "this is the public key of a project, which can send events but read nothing",
                code="posthog.project_key",
                field="api_key",
                remedy="make a personal API key (`phx_…`) in the settings of your account",
            )
        base, field = _base(check)
        response = request(
            check,
            "GET",
            join_url(base, f"/api/projects/{quote(project, safe='')}/", field),
            headers={"Authorization": f"Bearer {key}"},
            tls=tls_of(connection, "verify"),
            field=field,
        )
        if response.status == 403:
            raise ConnectorPermissionError(
                "the key is valid, but may not read this project (HTTP 403)",
                code="http.403",
                stage="auth",
                field="api_key",
                remedy="give the key the scopes `project:read` and `query:read`, and this project",
            )
        # An address without PostHog has web pages for what it does not know.
        expect(response, key_field="api_key", url_field=field if response.is_html else "project_id")
        answer = response.json(field)
        if not isinstance(answer, Mapping) or "name" not in answer:
            raise ConnectorParseError(
                "what came back is JSON, but no project of PostHog",
                code="posthog.answer",
                stage="query",
                field=field,
                remedy=f"check `{field}`: another kind of server answers there",
            )
        check.facts["project"] = answer["name"]


def _base(check: Check) -> tuple[str, str]:
    """Return the address and the field that it is from."""
    connection = check.connection
    region = str(connection.value("region"))
    if region != "self_hosted":
        return _CLOUDS.get(region, _CLOUDS["us"]), "region"
    if not connection.text("custom_base_url"):
        raise ConnectorConfigError(
            "`region: self_hosted` needs `custom_base_url`",
            code="config.missing_field",
            field="custom_base_url",
            remedy="add the address of the server",
        )
    return connection.text("custom_base_url"), "custom_base_url"


CONNECTOR: Final = PosthogConnector()
