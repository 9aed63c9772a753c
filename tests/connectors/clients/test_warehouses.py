"""Snowflake and BigQuery: statements, values, pages, and queries that run for long."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from osiris_lsp.connectors import (
    BaseAPIClient,
    BigQueryClient,
    ConnectorConfigError,
    ConnectorError,
    ConnectorParseError,
    SnowflakeClient,
    SnowflakeError,
)
from tests.connectors.clients.plain import Pauses
from tests.doubles import google, snowflake
from tests.doubles.messages import Answer, Request, as_json
from tests.doubles.server import Server
from tests.doubles.tokens import pem, private_key
from tests.doubles.vendor import vendor

Client = TypeVar("Client", bound=BaseAPIClient)

HOST = "acme-analytics.snowflakecomputing.com"


def use(client: Client, work: Callable[[Client], Awaitable[Any]]) -> Any:
    """Use a client in its session."""

    async def main() -> Any:
        async with client.session():
            return await work(client)

    return asyncio.run(main())


def account(**fields: Any) -> SnowflakeClient:
    """A client of the account; without a key it has a token."""
    given = {"account": "acme-analytics", "user": snowflake.USER, "port": 443, **fields}
    if "private_key" not in given and "password" not in given:
        given = {"token": snowflake.PROGRAMMATIC_TOKEN, **given}
    return SnowflakeClient.from_connection(given, sleep=Pauses())


KINDS: dict[str, dict[str, str]] = {
    "key": {"private_key": pem(private_key("snowflake"))},
    "token": {
        "token": snowflake.PROGRAMMATIC_TOKEN,
        "authenticator": "programmatic_access_token",
    },
    "oauth": {"token": snowflake.OAUTH_TOKEN, "authenticator": "oauth"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_snowflake_logs_in(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a key pair, a token for programs, or one of OAuth, in the context of the connection."""
    with vendor(snowflake.Snowflake(), HOST, tmp_path, monkeypatch) as found:
        client = account(**KINDS[kind], database="ANALYTICS")
        rows = use(client, lambda api: api.query("select current_user(), current_database()"))
    expected = {"CURRENT_USER()": snowflake.USER, "CURRENT_DATABASE()": "ANALYTICS"}
    assert rows == [expected]
    assert "requestId" in found.server.requests[0].query
    assert "PRIVATE" not in f"{client!r} {client.config!r}"


def test_snowflake_needs_more_than_a_password() -> None:
    """The SQL API takes none, which is told before anything is sent."""
    with pytest.raises(ConnectorConfigError) as caught:
        account(password="c4n4ry")
    assert caught.value.field == "private_key_file"


def test_snowflake_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal has the number and the state of Snowflake, and no token."""
    with vendor(snowflake.Snowflake(), HOST, tmp_path, monkeypatch):
        with pytest.raises(SnowflakeError) as caught:
            use(account(), lambda api: api.query("selec 1"))
        error = caught.value
        assert (error.number, error.sqlstate, error.status_code) == ("001003", "42000", 422)
        assert "syntax error" in error.message
        wrong = account(token="c4n4ry-wrong", authenticator="oauth")
        with pytest.raises(SnowflakeError) as caught:
            use(wrong, lambda api: api.query("select 1"))
        assert (caught.value.number, caught.value.category) == ("390303", "auth")
        assert "c4n4ry-wrong" not in f"{caught.value} {vars(caught.value)}"


def columns(*kinds: str) -> list[dict[str, Any]]:
    """Descriptions of columns, named after their types."""
    return [
        {"name": kind, "type": kind.rstrip("2"), "scale": 2 if "2" in kind else 0} for kind in kinds
    ]


def test_snowflake_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are typed both ways; a long statement is asked for again, and so is each part."""
    kinds = ("fixed", "fixed2", "real", "boolean", "date", "timestamp_ntz", "timestamp_tz", "text")
    row = ["7", "1.50", "0.5", "true", "20455", "1767323045.5", "1767323045 1560", "ü"]
    about = {"rowType": columns(*kinds), "partitionInfo": [{}, {}]}
    running = as_json(202, {"statementHandle": "01b-1", "message": "in progress"})
    whole = as_json(200, {"statementHandle": "01b-1", "resultSetMetaData": about, "data": [row]})
    rest = as_json(200, {"data": [[None] * 8]})
    with vendor(snowflake.Snowflake(), HOST, tmp_path, monkeypatch) as found:
        found.server.next(running, whole, rest)
        values = (1, 1.5, True, None, date(2026, 1, 2), "x")
        rows = use(account(), lambda api: api.query("select ?", values, timeout=60))
    moment = datetime(2026, 1, 2, 3, 4, 5, 500000)
    assert list(rows[0].values()) == [
        7, Decimal("1.50"), 0.5, True, date(2026, 1, 2), moment,
        moment.replace(microsecond=0, tzinfo=UTC), "ü",
    ]  # fmt: skip
    assert set(rows[1].values()) == {None}
    first, second, third = found.server.requests
    assert [item["type"] for item in first.json()["bindings"].values()] == [
        "FIXED", "REAL", "BOOLEAN", "TEXT", "TEXT", "TEXT",
    ]  # fmt: skip
    assert (second.path, third.query) == ("/api/v2/statements/01b-1", {"partition": "1"})


def warehouse(server: Server, **fields: Any) -> BigQueryClient:
    """A client of the project, with the key of a service account."""
    key = json.dumps(google.service_account(server.url))
    own = {"project_id": google.PROJECT_ID, "api_endpoint": server.url, "credentials_json": key}
    return BigQueryClient.from_connection({**own, **fields}, sleep=Pauses())


def test_bigquery_logs_in(tmp_path: Path) -> None:
    """By the key of a service account, in the connection or in a file."""
    with Server(google.Google()) as server:
        path = tmp_path / "key.json"
        path.write_text(json.dumps(google.service_account(server.url)))
        for fields in ({}, {"credentials_json": None, "credentials_file": str(path)}):
            rows = use(warehouse(server, **fields), lambda api: api.query("select 1"))
            assert rows == [{"f0_": 1}]
    assert [request.path for request in server.requests[:2]] == [
        "/token",
        f"/bigquery/v2/projects/{google.PROJECT_ID}/queries",
    ]


def test_bigquery_credentials_that_cannot_work() -> None:
    """None, damaged ones, and those that would send a key to a stranger."""
    strange = {**google.service_account("https://evil.example.com")}
    for key in (None, "{", {"type": "external_account"}, {"type": "service_account"}, strange):
        fields = {"project_id": "p", "credentials_json": key}
        with pytest.raises(ConnectorConfigError) as caught:
            BigQueryClient.from_connection(fields)
        assert caught.value.field in ("credentials_json", "credentials_file")
    with pytest.raises(ConnectorConfigError):
        BigQueryClient.from_connection({"credentials_json": "{}"})


def test_bigquery_refuses() -> None:
    """A syntax error and a wrong project are errors of the tree."""
    with Server(google.Google()) as server:
        for client, sql in (
            (warehouse(server), "selec"),
            (warehouse(server, project_id="x"), "select"),
        ):
            with pytest.raises(ConnectorError) as caught:
                use(client, lambda api, sql=sql: api.query(sql))  # type: ignore[misc]
            assert caught.value.code in ("http.invalid", "http.not_found")
    with (
        Server(lambda request: as_json(200, {"a": 1})) as server,
        pytest.raises(ConnectorParseError),
    ):
        use(warehouse(server, credentials_json=None), lambda api: api.query("select 1"))


def test_bigquery_values() -> None:
    """Values are typed both ways; a query that runs is asked for again, and so is each page."""
    fields = [
        {"name": kind.lower(), "type": kind}
        for kind in ("INTEGER", "FLOAT", "BOOLEAN", "NUMERIC", "TIMESTAMP", "DATE", "STRING")
    ]
    tags = {"name": "tags", "type": "STRING", "mode": "REPEATED"}
    inner = {"name": "who", "type": "RECORD", "fields": [{"name": "id", "type": "INTEGER"}]}
    row = ["7", "0.5", "true", "1.50", "1767323045000000", "2026-01-02", "ü"]
    cells: list[Any] = [{"v": value} for value in row]
    cells += [{"v": [{"v": "a"}, {"v": "b"}]}, {"v": {"f": [{"v": "1"}]}}]
    job = {"jobReference": {"jobId": "job_1", "location": "EU"}}
    schema = {"schema": {"fields": [*fields, tags, inner]}, "jobComplete": True}
    answers = [
        as_json(200, {**job, "jobComplete": False}),
        as_json(200, {**job, **schema, "rows": [{"f": cells}], "pageToken": "next"}),
        as_json(200, {**job, **schema, "rows": [{"f": [{"v": None}] * 9}]}),
    ]

    def answer(request: Request) -> Answer:
        return answers.pop(0)

    with Server(answer) as server:
        client = warehouse(server, credentials_json=None, location="EU", dataset="sales")
        values = {"n": 1, "ok": True, "day": date(2026, 1, 2), "none": None}
        rows = use(client, lambda api: api.query("select @n", values))
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert list(rows[0].values()) == [
        7, 0.5, True, Decimal("1.50"), moment, date(2026, 1, 2), "ü", ["a", "b"], {"id": 1},
    ]  # fmt: skip
    assert set(rows[1].values()) == {None}
    sent = server.requests[0].json()
    assert sent["defaultDataset"] == {"datasetId": "sales"}
    assert [item["parameterType"]["type"] for item in sent["queryParameters"]] == [
        "INT64", "BOOL", "DATE", "STRING",
    ]  # fmt: skip
    assert sent["queryParameters"][3]["parameterValue"] == {}
    assert [request.query.get("pageToken") for request in server.requests] == [None, None, "next"]
    assert server.requests[1].path.endswith("/queries/job_1")
