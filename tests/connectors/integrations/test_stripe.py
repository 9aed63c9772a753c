import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from osiris_lsp.connectors import ConnectorParseError
from osiris_lsp.connectors.integrations.stripe import (
    Customer,
    Event,
    Invoice,
    PaymentIntent,
    StripeConnector,
    StripeCredentials,
    StripeError,
)
from osiris_lsp.secret import Secret
from tests.connectors.integrations.services import FAST, within
from tests.doubles import stripe
from tests.doubles.server import Server


def connector(url: str, key: str = stripe.SECRET_KEY, **more: Any) -> StripeConnector:
    """A connector that tries again at once."""
    return StripeConnector(StripeCredentials(key, base_url=url, **more), retry=FAST)


@pytest.mark.inventory("S3-INT-05")
def test_models() -> None:
    """Only what every object has is required; moments are in UTC, and no secret shows."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert Customer.from_api({"id": "cus_1"}) == Customer("cus_1")
    full = {"id": "cus_1", "email": "a@b.c", "created": 1767225600, "metadata": None}
    customer = Customer.from_api(full)
    assert (customer.email, customer.created_at, customer.metadata) == ("a@b.c", moment, {})
    assert customer.created_at is not None
    assert customer.created_at.utcoffset() is not None
    assert Customer.from_api({**full, "created": None}).created_at is None
    assert Customer.from_api({**full, "created": 10**20}).created_at is None
    least = {"id": "pi_1", "amount": 0, "currency": "eur", "status": "succeeded"}
    assert PaymentIntent.from_api(least).client_secret is None
    intent = PaymentIntent.from_api(
        {**least, "client_secret": "c4n4ry", "customer": {"id": "cus_1", "object": "customer"}}
    )
    assert (intent.client_secret, intent.customer) == (Secret("c4n4ry"), "cus_1")
    assert "c4n4ry" not in repr(intent)
    assert Invoice.from_api({"id": "in_1", "due_date": 1767225600}).due_at == moment
    assert Event.from_api({"id": "e", "type": "t", "data": {"object": {"a": 1}}}).data == {"a": 1}
    for model in (Customer, PaymentIntent, Invoice, Event):
        with pytest.raises(ConnectorParseError):
            model.from_api({"id": None})


@pytest.mark.inventory("S3-INT-08", "S3-TYPE-03", "S3-TYPE-05")
def test_pages() -> None:
    """A list takes the pages that it needs, an iterator all of them, one after the other."""
    double = stripe.Stripe()
    for number in range(230):
        double.add("customers", email=f"{number % 2}@example.com")
    with Server(double) as server:

        async def look(api: StripeConnector) -> None:
            assert len(await api.list_customers()) == 100
            assert len(await api.list_customers(limit=5)) == 5
            assert len(await api.list_customers(limit=150)) == 150
            assert await api.list_customers(limit=0) == []
            seen = [customer.id async for customer in api.iter_customers()]
            assert seen == [item["id"] for item in double.objects["customers"]]
            found = await api.list_customers(email="1@example.com", limit=1000)
            assert len(found) == 115
            assert await api.list_invoices() == []
            assert await api.list_payment_intents() == []

        within(connector(server.url), look)
    asked = [request.query for request in server.requests]
    assert [query["limit"] for query in asked[:4]] == ["100", "5", "100", "100"]
    assert "starting_after" in asked[3]
    assert {"email": "1@example.com"}.items() < asked[7].items()


@pytest.mark.inventory("S3-INT-06", "S3-TYPE-03", "S3-TYPE-05")
def test_life_of_objects() -> None:
    """Objects are made, read, changed and deleted; what is nested has its place in the form."""
    with Server(stripe.Stripe()) as server:

        async def work(api: StripeConnector) -> None:
            made = await api.create_customer(
                email="ada@example.com", metadata={"team": "a&b=c"}, name=None
            )
            assert (made.email, made.metadata) == ("ada@example.com", {"team": "a&b=c"})
            assert await api.get_customer(made.id) == made
            changed = await api.update_customer(made.id, name="Ada")
            assert (changed.name, changed.email) == ("Ada", "ada@example.com")
            intent = await api.create_payment_intent(1099, "eur", customer=made.id)
            assert (intent.amount, intent.customer) == (1099, made.id)
            assert (await api.update_payment_intent(intent.id, description="x")).description == "x"
            assert (await api.cancel_payment_intent(intent.id)).status == "canceled"
            assert (await api.get_payment_intent(intent.id)).status == "canceled"
            invoice = await api.create_invoice(made.id, auto_advance=False)
            assert invoice.status == "draft"
            await api.update_invoice(invoice.id, items=[{"price": "p"}, {"price": "q"}])
            assert (await api.finalize_invoice(invoice.id)).status == "open"
            assert (await api.get_invoice(invoice.id)).id == invoice.id
            assert (await api.delete_customer(made.id)).deleted
            with pytest.raises(StripeError) as caught:
                await api.get_customer(made.id)
            assert (caught.value.status_code, caught.value.service_code) == (
                404,
                "resource_missing",
            )

        within(connector(server.url), work)
    forms = [request.form() for request in server.requests if request.method == "POST"]
    assert forms[0] == {"email": "ada@example.com", "metadata[team]": "a&b=c"}
    assert {"customer": "cus_1", "auto_advance": "false"} in forms
    assert {"items[0][price]": "p", "items[1][price]": "q"} in forms


@pytest.mark.inventory("S3-TYPE-05")
def test_nothing_is_made_twice() -> None:
    """An answer that is lost is asked for again with the same key, and so is the caller's own."""
    double = stripe.Stripe()
    with Server(double) as server:

        async def work(api: StripeConnector) -> None:
            server.next(stripe.BROKEN)
            first = await api.create_customer(email="a@example.com")
            own = [
                await api.create_customer(email="b@example.com", idempotency_key="k")
                for _ in range(2)
            ]
            assert own[0].id == own[1].id != first.id
            with pytest.raises(StripeError) as caught:
                await api.create_customer(email="c@example.com", idempotency_key="k")
            assert (caught.value.status_code, caught.value.service_code) == (
                400,
                "idempotency_error",
            )

        within(connector(server.url), work)
    keys = [request.headers["Idempotency-Key"] for request in server.requests]
    assert keys[0] == keys[1] != keys[2] == keys[3] == "k"
    assert len(double.objects["customers"]) == 2


def test_a_card_that_is_declined() -> None:
    """A refusal for good is not tried again, and says what to tell the customer."""
    with Server(stripe.Stripe()) as server:
        server.always(stripe.CARD_DECLINED)
        with pytest.raises(StripeError) as caught:
            within(connector(server.url), lambda api: api.create_payment_intent(1, "eur"))
    error = caught.value
    assert (error.message, error.service_code) == ("Your card was declined.", "card_declined")
    assert (error.status_code, error.request_id, str(error)) == (402, "req_Canary", error.message)
    assert len(server.requests) == 1


@pytest.mark.inventory("S3-ERR-02")
def test_a_wrong_key() -> None:
    """It is a failure of authentication, which is not tried again, and the key is not repeated."""
    wrong = "sk_test_c4n4ryWrong"
    with Server(stripe.Stripe()) as server, pytest.raises(StripeError) as caught:
        within(connector(server.url, wrong), lambda api: api.list_customers())
    error = caught.value
    assert (error.status_code, error.category, error.retryable) == (401, "auth", False)
    assert error.message == "Invalid API Key provided: ***"
    assert len(server.requests) == 1


def test_version_and_account() -> None:
    """Both go into headers where they are given, and into none where not."""
    with Server(stripe.Stripe()) as server:
        more = {"api_version": "2026-10-29.x", "account": "acct_2"}
        within(connector(server.url, **more), lambda api: api.list_customers())
        within(connector(server.url), lambda api: api.list_customers())
    first, second = (request.headers for request in server.requests)
    assert (first["Stripe-Version"], first["Stripe-Account"]) == ("2026-10-29.x", "acct_2")
    assert (second.get("Stripe-Version"), second.get("Stripe-Account")) == (None, None)


@pytest.mark.inventory("S3-TYPE-05")
def test_from_a_connection() -> None:
    """A connection of the file brings key, address and time limits."""
    with Server(stripe.Stripe()) as server:
        fields = {"secret_key": stripe.SECRET_KEY, "base_url": server.url, "timeout": 7}
        api = StripeConnector.from_connection(fields, retry=None)

        async def look(api: StripeConnector) -> None:
            assert api.client.config.timeout == 7
            assert await api.list_customers() == []

        within(api, look)


def test_calls_beside_each_other() -> None:
    """Many calls share one connector."""
    double = stripe.Stripe()
    made = [double.add("customers") for _ in range(20)]
    with Server(double) as server:

        async def work(api: StripeConnector) -> list[Customer]:
            return await asyncio.gather(*(api.get_customer(item["id"]) for item in made))

        found = within(connector(server.url), work)
    assert [customer.id for customer in found] == [item["id"] for item in made]
