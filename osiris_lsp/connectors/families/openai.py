"""OpenAI and servers with the same interface: the list of models."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.answers import Response, expect
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorQuotaError,
)
from osiris_lsp.connectors.exchange import join_url, request
from osiris_lsp.connectors.families.api import holds_credential, missing_credentials
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.tls import tls_of


class OpenaiConnector(Connector):
    """The OpenAI API, or a gateway or a local server that speaks it."""

    family: ClassVar[str] = "openai"

    def probe(self, check: Check) -> None:
        """Ask for the models."""
        connection = check.connection
        plain = connection.reveal()
        headers = {str(name): str(text) for name, text in (plain.get("headers") or {}).items()}
        key_field = "headers" if holds_credential(headers) else ""
        if connection.text("api_key"):
            headers["Authorization"] = f"Bearer {connection.text('api_key')}"
            key_field = "api_key"
        for name, header in (
            ("organization", "OpenAI-Organization"),
            ("project", "OpenAI-Project"),
        ):
            if connection.text(name):
                headers[header] = connection.text(name)
        response = request(
            check,
            "GET",
            join_url(connection.text("base_url"), "/models"),
            headers=headers,
            tls=tls_of(connection, "verify"),
        )
        if response.status == 401 and not key_field:
            raise missing_credentials("api_key", "`api_key`")
        _refuse(response)
        expect(response, key_field=key_field or "api_key")
        models = _models(response)
        check.facts["models"] = len(models)
        missing = sorted({name for name in _wanted(connection) if not _has(models, name)})
        if missing:
            check.facts["missing_models"] = missing
            check.facts["hint"] = (
                f"the key cannot use `{missing[0]}`, or the server has no such model "
                "(`openai.model_missing`)"
            )


def _refuse(response: Response) -> None:
    """Raise for errors that OpenAI tells apart by a code."""
    code = _error_code(response)
    if code == "insufficient_quota":
        raise ConnectorQuotaError(
            f"the credit of the account is used up (HTTP {response.status})",
            status_code=response.status,
            code="openai.insufficient_quota",
            stage="query",
            field="api_key",
            remedy="buy credit or raise the limit on the billing page; waiting does not help",
            kind="HTTPStatusError",
        )
    if code in ("invalid_organization", "mismatched_organization", "mismatched_project"):
        field = code.partition("_")[2]
        raise ConnectorAuthError(
            f"the key does not belong to this {field} (HTTP {response.status})",
            code=f"openai.{code}",
            stage="auth",
            field=field,
            remedy=f"check `{field}`, or take it out: the key has one of its own",
        )
    if code == "unsupported_country_region_territory":
        raise ConnectorPermissionError(
            "OpenAI does not serve the country that the request came from (HTTP 403)",
            code="openai.unsupported_country",
            stage="auth",
            field="base_url",
            remedy="check the exit of the VPN or proxy",
        )
    if code == "missing_scope":
        raise ConnectorPermissionError(
            "the key is restricted, and may not list models (HTTP 403)",
            code="openai.missing_scope",
            stage="auth",
            field="api_key",
            remedy="give the key the permission to read models, on the page API keys",
        )


def _error_code(response: Response) -> str:
    if response.status < 400:
        return ""
    try:
        answer = response.json()
    except ConnectorParseError:
        return ""
    error = answer.get("error") if isinstance(answer, Mapping) else None
    return str(error.get("code") or "") if isinstance(error, Mapping) else ""


def _models(response: Response) -> list[str]:
    answer: Any = response.json()
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(data, list):
        raise ConnectorParseError(
            "what came back is JSON, but no list of models",
            code="openai.no_models",
            stage="query",
            field="base_url",
            remedy="check the path in `base_url`; it often ends in `/v1`",
        )
    return [str(model.get("id")) for model in data if isinstance(model, Mapping)]


def _wanted(connection: ResolvedConnection) -> Iterator[str]:
    """Yield the models that the connection names; a default counts as not named."""
    tiers = connection.get("models")
    named = [connection.get("model"), connection.get("embedding_model")]
    named += tiers.values() if isinstance(tiers, Mapping) else []
    yield from (str(name) for name in named if name)


def _has(models: list[str], name: str) -> bool:
    # Local servers add a tag to the name: Ollama lists `llama3` as `llama3:latest`.
    return name in models or f"{name}:latest" in models


CONNECTOR: Final = OpenaiConnector()
