from datetime import UTC, datetime

import pytest

from osiris_lsp.connectors import ConnectorParseError
from osiris_lsp.connectors.integrations.pagerduty import (
    Event,
    Incident,
    PagerDutyConnector,
    PagerDutyCredentials,
    PagerDutyError,
    Service,
)
from tests.connectors.integrations.services import FAST, within
from tests.doubles import pagerduty
from tests.doubles.server import Server


def connector(
    url: str, key: str = pagerduty.API_KEY, email: str | None = pagerduty.EMAIL
) -> PagerDutyConnector:
    """A connector that tries again at once."""
    return PagerDutyConnector(PagerDutyCredentials(key, email, base_url=url), retry=FAST)


@pytest.mark.inventory("S3-INT-05")
def test_models() -> None:
    """Only the id is required; moments are in UTC."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert Incident.from_api({"id": "P1"}) == Incident("P1")
    incident = Incident.from_api(
        {"id": "P1", "created_at": "2026-01-02T05:04:05+02:00", "service": {"id": "S1"}}
    )
    assert (incident.created_at, incident.service_id) == (moment, "S1")
    service = Service.from_api({"id": "S1", "summary": "Web", "escalation_policy": None})
    assert (service.name, service.escalation_policy_id) == ("Web", None)
    event = Event.from_api({"id": "E", "event_type": "incident.triggered", "occurred_at": "x"})
    assert (event.occurred_at, event.data) == (None, {})
    for model in (Incident, Service, Event):
        with pytest.raises(ConnectorParseError):
            model.from_api({})


@pytest.mark.inventory("S3-INT-08", "S3-TYPE-03", "S3-TYPE-05")
def test_pages() -> None:
    """Pages follow each other by `offset`; of several values the name ends in `[]`."""
    double = pagerduty.PagerDuty()
    for number in range(230):
        double.add("incidents", status="triggered" if number % 2 else "resolved")
    with Server(double) as server:

        async def look(api: PagerDutyConnector) -> None:
            assert len([item async for item in api.iter_incidents()]) == 230
            assert len(await api.list_incidents(limit=3)) == 3
            found = await api.list_incidents(limit=500, statuses=["triggered"])
            assert {item.status for item in found} == {"triggered"}
            assert await api.list_services() == []
            assert [item async for item in api.iter_services()] == []

        within(connector(server.url), look)
    queries = [request.query for request in server.requests]
    assert [query["offset"] for query in queries[:3]] == ["0", "100", "200"]
    assert queries[3] == {"limit": "3", "offset": "0"}
    assert queries[4]["statuses[]"] == "triggered"


@pytest.mark.inventory("S3-TYPE-05")
def test_the_end_of_what_pages_reach() -> None:
    """PagerDuty refuses what is beyond 10,000: the iterator ends there."""
    double = pagerduty.PagerDuty()
    double.objects["services"] = [{"id": f"S{number}"} for number in range(10_050)]
    with Server(double) as server:
        found = within(connector(server.url), lambda api: api.list_services(limit=20_000))
    assert (len(found), found[-1].id) == (10_000, "S9999")


@pytest.mark.inventory("S3-INT-06", "S3-TYPE-03", "S3-TYPE-05")
def test_life_of_incidents_and_services() -> None:
    """A service is made, an incident for it is opened, acknowledged and resolved."""
    with Server(pagerduty.PagerDuty()) as server:

        async def work(api: PagerDutyConnector) -> None:
            service = await api.create_service("Web", "EP1", description="the site")
            assert (service.name, service.escalation_policy_id) == ("Web", "EP1")
            assert (await api.update_service(service.id, name="Website")).name == "Website"
            assert (await api.get_service(service.id)).description == "the site"
            made = await api.create_incident(
                "down", service.id, urgency="low", details="500s", incident_key="k"
            )
            assert (made.status, made.service_id, made.urgency) == ("triggered", service.id, "low")
            with pytest.raises(PagerDutyError) as caught:
                await api.create_incident("down", service.id, incident_key="k")
            assert caught.value.service_code == "2002"
            assert "matching dedup key" in caught.value.message
            await api.update_incident(made.id, status="acknowledged")
            await api.update_incident(made.id, status="resolved", resolution="restarted")
            assert (await api.get_incident(made.id)).status == "resolved"

        within(connector(server.url), work)
    bodies = [request.json() for request in server.requests if request.method != "GET"]
    assert bodies[2]["incident"] == {
        "type": "incident",
        "title": "down",
        "service": {"id": "P000001", "type": "service_reference"},
        "urgency": "low",
        "body": {"type": "incident_body", "details": "500s"},
        "incident_key": "k",
    }
    assert bodies[4] == {"incident": {"type": "incident_reference", "status": "acknowledged"}}
    assert server.requests[0].headers["Accept"] == "application/vnd.pagerduty+json;version=2"


@pytest.mark.parametrize(
    ("key", "email", "status", "category", "words"),
    [
        ("wrong", pagerduty.EMAIL, 401, "auth", "Authentication failed"),
        (pagerduty.READ_ONLY_KEY, pagerduty.EMAIL, 403, "permission", "Access Denied"),
        (pagerduty.API_KEY, None, 400, "unknown", "Requester User Not Found"),
        (pagerduty.API_KEY, pagerduty.EMAIL, 400, "unknown", "Title cannot be empty."),
    ],
)
def test_refusals(key: str, email: str | None, status: int, category: str, words: str) -> None:
    """Each refusal has its status, its kind and the details that PagerDuty gives."""
    with Server(pagerduty.PagerDuty()) as server, pytest.raises(PagerDutyError) as caught:
        within(connector(server.url, key, email), lambda api: api.create_incident("", "S1"))
    error = caught.value
    assert (error.status_code, error.category) == (status, category)
    assert words in error.message
    assert error.request_id == "request-1"
    assert len(server.requests) == 1


def test_tokens_of_oauth_and_regions() -> None:
    """A token of OAuth is a bearer, and a region has its address."""
    with Server(pagerduty.PagerDuty()) as server:
        fields = {"api_key": pagerduty.OAUTH_TOKEN, "token_type": "bearer", "base_url": server.url}
        api = PagerDutyConnector.from_connection(fields)
        assert within(api, lambda api: api.list_services()) == []
    assert server.requests[0].bearer == pagerduty.OAUTH_TOKEN
    regions = {
        region: PagerDutyConnector.from_connection({"api_key": "k", "region": region})
        for region in ("us", "eu")
    }
    assert [api.credentials.base_url for api in regions.values()] == [
        "https://api.pagerduty.com",
        "https://api.eu.pagerduty.com",
    ]
