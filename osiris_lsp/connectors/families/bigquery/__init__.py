"""BigQuery over its REST interface; google-auth gets the token, through sockets of ours."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote

from osiris_lsp.connectors.answers import Response, expect, retry_after
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorNotFoundError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorQuotaError,
    ConnectorRateLimitError,
)
from osiris_lsp.connectors.exchange import join_url, request
from osiris_lsp.connectors.families.bigquery import google
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.meanings import Meaning
from osiris_lsp.secret import Secret

ENDPOINT: Final = "https://bigquery.googleapis.com"
_SCOPES: Final = ("https://www.googleapis.com/auth/bigquery.readonly",)

_KNOWN: Final = frozenset(("kind", "datasets", "datasetReference"))
"""Keys of which each answer has one; emulators leave some out."""


class BigqueryConnector(Connector):
    """One Google Cloud project."""

    family: ClassVar[str] = "bigquery"

    def probe(self, check: Check) -> None:
        """Ask for the dataset, or for the first one where none is named."""
        connection = check.connection
        project, dataset = connection.text("project_id"), connection.text("dataset")
        field = _credentials_field(check)
        token = google.access_token(check, field, _SCOPES)
        check.facts["project"] = project
        if not dataset:
            _read(_datasets(check, token, "?maxResults=1"), field, "project_id")
            return
        check.facts["dataset"] = dataset
        response = _datasets(check, token, f"/{quote(dataset, safe='')}")
        if response.status == 404:
            raise _missing(check, token, field)
        location = _read(response, field, "dataset").get("location")
        check.facts["location"] = location
        wanted = connection.text("location")
        if isinstance(location, str) and location.upper() != wanted.upper():
            check.facts["hint"] = (
                f"the dataset is in {location}, queries are sent to {wanted}: set `location`"
            )


def _credentials_field(check: Check) -> str:
    """Return the field with the credentials; empty where those of the machine are used."""
    for field in ("credentials_json", "credentials_file"):
        if check.connection.get(field):
            return field
    return ""


def _datasets(check: Check, token: Secret | None, rest: str) -> Response:
    endpoint = check.connection.text("api_endpoint") or ENDPOINT
    project = quote(check.connection.text("project_id"), safe="")
    return request(
        check,
        "GET",
        join_url(endpoint, f"/bigquery/v2/projects/{project}/datasets{rest}", "api_endpoint"),
        headers={"Authorization": f"Bearer {token.reveal()}"} if token else {},
        field="api_endpoint",
    )


def _read(response: Response, key_field: str, url_field: str) -> Mapping[str, Any]:
    """Return what a successful answer holds; raises what another one means."""
    _refuse(response, key_field or "credentials_file")
    # What is no error of BigQuery's own comes from another server.
    url_field = "api_endpoint" if response.is_html else url_field
    expect(response, key_field=key_field or "credentials_file", url_field=url_field)
    answer = response.json("api_endpoint")
    if isinstance(answer, Mapping) and {"kind", "datasets", "datasetReference"}.intersection(
        answer
    ):
        return answer
    raise ConnectorParseError(
        "what came back is JSON, but no answer of BigQuery",
        code="bigquery.answer",
        stage="query",
        field="api_endpoint",
        remedy="check `api_endpoint`: another kind of server answers there",
    )


def _missing(check: Check, token: Secret | None, field: str) -> ConnectorNotFoundError:
    """Return the error for a dataset that is not there; raises it for a project that is not."""
    listed = _read(_datasets(check, token, "?maxResults=50"), field, "project_id")
    references = [item["datasetReference"] for item in listed.get("datasets") or ()]
    names = [str(reference["datasetId"]) for reference in references]
    check.facts["databases"] = names
    return ConnectorNotFoundError(
        f"the project has no dataset `{check.connection.text('dataset')}` that the account may see",
        status_code=404,
        code="db.unknown_database",
        stage="query",
        field="dataset",
        remedy=f"check `dataset`; there are: {', '.join(names) or 'none'}",
        kind="HTTPStatusError",
    )


# What Google's reasons mean; an empty field is the one of the credentials.
_REASONS: Final[Mapping[str, Meaning]] = {
    "SERVICE_DISABLED": Meaning(
        ConnectorPermissionError,
        "bigquery.api_disabled",
        "query",
        "project_id",
        "the BigQuery API is not enabled in the project",
        "enable it on the page APIs & Services of the project, and wait some minutes",
    ),
    "billingNotEnabled": Meaning(
        ConnectorQuotaError,
        "bigquery.billing",
        "query",
        "project_id",
        "the project has no billing account",
        "link one on the page Billing of the project",
    ),
    "rateLimitExceeded": Meaning(
        ConnectorRateLimitError,
        "bigquery.rate_limit",
        "query",
        "project_id",
        "too many requests: the rate limit is reached",
        "try again later; let other programs with the same account send less",
    ),
    "quotaExceeded": Meaning(
        ConnectorQuotaError,
        "bigquery.quota",
        "query",
        "project_id",
        "the quota of the project is used up",
        "wait until it is renewed, or raise it on the page Quotas",
    ),
    "accessDenied": Meaning(
        ConnectorPermissionError,
        "bigquery.access_denied",
        "query",
        "",
        "the account may not read this",
        "give it the role BigQuery Data Viewer on the project or dataset",
    ),
}
_REASONS_BESIDES: Final[Mapping[str, str]] = {
    "accessNotConfigured": "SERVICE_DISABLED",
    "BILLING_DISABLED": "billingNotEnabled",
    "RATE_LIMIT_EXCEEDED": "rateLimitExceeded",
    "userRateLimitExceeded": "rateLimitExceeded",
}


def _refuse(response: Response, key_field: str) -> None:
    """Raise what a reason in an answer means."""
    for reason in _reasons(response):
        meaning = _REASONS.get(_REASONS_BESIDES.get(reason, reason))
        if meaning is not None:
            error = meaning._replace(field=meaning.field or key_field).as_error()
            error.retry_after = retry_after(response)
            raise error


def _reasons(response: Response) -> list[str]:
    """Return the reasons of an error; those that newer interfaces give come first."""
    if response.status < 400:
        return []
    try:
        error = response.json()["error"]
        found = [*error.get("details", ()), *error.get("errors", ())]
    except (ConnectorParseError, LookupError, TypeError, AttributeError):
        return []
    return [str(item["reason"]) for item in found if isinstance(item, Mapping) and "reason" in item]


CONNECTOR: Final = BigqueryConnector()
