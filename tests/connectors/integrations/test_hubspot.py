from datetime import UTC, datetime

import pytest

from osiris_lsp.connectors import ConnectorParseError
from osiris_lsp.connectors.integrations.hubspot import (
    Company,
    Contact,
    Deal,
    Event,
    HubSpotConnector,
    HubSpotCredentials,
    HubSpotError,
)
from tests.connectors.integrations.services import FAST, within
from tests.doubles import hubspot
from tests.doubles.messages import as_json
from tests.doubles.server import Server


def connector(url: str, token: str = hubspot.TOKEN) -> HubSpotConnector:
    """A connector that tries again at once."""
    return HubSpotConnector(HubSpotCredentials(token, base_url=url), retry=FAST)


@pytest.mark.inventory("S3-INT-05")
def test_models() -> None:
    """Only the id is required; moments are in UTC, and unknown properties are kept."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
    data = {
        "id": 7,
        "properties": {"email": "a@b.c", "firstname": "Ada", "pet": "cat"},
        "createdAt": "2026-01-02T03:04:05.678Z",
    }
    contact = Contact.from_api(data)
    assert (contact.id, contact.first_name, contact.created_at) == ("7", "Ada", moment)
    assert (contact.updated_at, contact.properties["pet"]) == (None, "cat")
    assert Contact.from_api({"id": "7"}) == Contact("7")
    assert Company.from_api({"id": "7", "properties": {"name": "Acme"}}).name == "Acme"
    deal = Deal.from_api({"id": "7", "properties": {"amount": "9.50", "closedate": "2026-01-02"}})
    assert (deal.amount, deal.closes_at) == ("9.50", datetime(2026, 1, 2, tzinfo=UTC))
    assert Deal.from_api({"id": "7", "properties": {"closedate": "soon"}}).closes_at is None
    event = Event.from_api(
        {"eventId": 1, "subscriptionType": "contact.creation", "occurredAt": 1767323045678}
    )
    assert (event.occurred_at, event.object_id, event.attempt) == (moment, None, 0)
    for model in (Contact, Company, Deal, Event):
        with pytest.raises(ConnectorParseError):
            model.from_api({})


@pytest.mark.inventory("S3-INT-08", "S3-TYPE-03", "S3-TYPE-05")
def test_pages() -> None:
    """Pages follow each other by `after`; properties are asked for by name."""
    double = hubspot.HubSpot()
    for number in range(13):
        double.add("contacts", email=f"{number}@example.com")
    with Server(double) as server:

        async def look(api: HubSpotConnector) -> None:
            assert [item.id async for item in api.iter_contacts()] == [str(n) for n in range(1, 14)]
            assert len(await api.list_contacts(limit=7, properties=["email", "pet"])) == 7
            assert await api.list_companies() == []
            assert await api.list_deals() == []
            assert [item async for item in api.iter_deals()] == []
            assert [item async for item in api.iter_companies()] == []

        within(connector(server.url), look)
    queries = [request.query for request in server.requests]
    assert [query.get("after") for query in queries[:3]] == [None, "5", "10"]
    assert queries[3] == {"limit": "7", "properties": "email,pet"}


@pytest.mark.inventory("S3-TYPE-05")
def test_pages_that_do_not_go_on() -> None:
    """A server that names the same page again does not keep the reader for ever."""
    page = {"results": [{"id": "1"}], "paging": {"next": {"after": "1"}}}
    with Server(hubspot.HubSpot()) as server:
        server.always(as_json(200, page))
        found = within(connector(server.url), lambda api: api.list_contacts(limit=100))
    assert len(found) == 2


@pytest.mark.inventory("S3-INT-06", "S3-TYPE-03", "S3-TYPE-05")
def test_life_of_records() -> None:
    """Records are made, read, changed and put into the bin."""
    with Server(hubspot.HubSpot()) as server:

        async def work(api: HubSpotConnector) -> None:
            contact = await api.create_contact({"email": "ada@example.com", "lastname": "L"})
            assert contact.last_name == "L"
            changed = await api.update_contact(contact.id, {"lastname": "Lovelace"})
            assert (changed.last_name, changed.email) == ("Lovelace", "ada@example.com")
            assert (await api.get_contact(contact.id, ["lastname"])).last_name == "Lovelace"
            company = await api.create_company({"name": "Acme", "domain": "acme.example"})
            assert (await api.update_company(company.id, {"name": "A"})).name == "A"
            assert (await api.get_company(company.id)).domain == "acme.example"
            deal = await api.create_deal({"dealname": "Big", "dealstage": "won"})
            assert (await api.update_deal(deal.id, {"amount": "9"})).amount == "9"
            assert (await api.get_deal(deal.id)).stage == "won"
            with pytest.raises(HubSpotError) as caught:
                await api.create_contact({"email": "ada@example.com"})
            assert (caught.value.status_code, caught.value.service_code) == (409, "CONFLICT")
            assert caught.value.request_id == hubspot.CORRELATION
            await api.delete_contact(contact.id)
            with pytest.raises(HubSpotError):
                await api.get_contact(contact.id)

        within(connector(server.url), work)
    sent = server.requests[0]
    assert sent.json() == {"properties": {"email": "ada@example.com", "lastname": "L"}}
    assert sent.headers["Content-Type"] == "application/json"
    assert server.requests[1].method == "PATCH"


def test_what_makes_is_not_tried_again() -> None:
    """HubSpot has no idempotency keys, so that a lost answer is told and nothing is made twice."""
    with Server(hubspot.HubSpot()) as server:
        server.next(hubspot.problem(500, "INTERNAL_ERROR", "internal error"))
        with pytest.raises(HubSpotError) as caught:
            within(connector(server.url), lambda api: api.create_contact({"email": "a@b.c"}))
    assert (caught.value.status_code, len(server.requests)) == (500, 1)


def test_missing_scopes() -> None:
    """A token without the scope is a matter of rights."""
    with Server(hubspot.HubSpot()) as server, pytest.raises(HubSpotError) as caught:
        within(connector(server.url, hubspot.UNSCOPED_TOKEN), lambda api: api.list_contacts())
    error = caught.value
    assert (error.status_code, error.category) == (403, "permission")
    assert error.service_code == "MISSING_SCOPES"


def test_from_a_connection() -> None:
    """A connection of the file brings token and address."""
    with Server(hubspot.HubSpot()) as server:
        fields = {"access_token": hubspot.TOKEN, "base_url": server.url}
        api = HubSpotConnector.from_connection(fields)
        assert within(api, lambda api: api.list_deals()) == []
