"""The API of Stripe: https://docs.stripe.com/api."""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.auth.config import AuthConfig, create_bearer_auth
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.integrations.connector import (
    IntegrationConnector,
    Item,
    ServiceError,
    at,
    taken,
)
from osiris_lsp.connectors.integrations.stripe.credentials import BASE_URL, StripeCredentials
from osiris_lsp.connectors.integrations.stripe.models import Customer, Invoice, PaymentIntent
from osiris_lsp.connectors.integrations.values import listed

PAGE: Final = 100
"""Objects of one page at most: https://docs.stripe.com/api/pagination."""


class StripeError(ServiceError):
    """What Stripe refused: https://docs.stripe.com/api/errors."""


class StripeConnector(IntegrationConnector[StripeCredentials]):
    """Payments and billing.

    What creates or changes carries an idempotency key, so that it is tried again without harm; one
    of your own makes it the same across runs: https://docs.stripe.com/api/idempotent_requests.
    """

    family = "stripe"
    BASE_URL: ClassVar[str] = BASE_URL
    Error = StripeError
    REQUEST_ID = "request-id"

    @classmethod
    def _credentials(cls, connection: ResolvedConnection) -> StripeCredentials:
        return StripeCredentials.from_connection(connection)

    def _auth(self) -> AuthConfig:
        return create_bearer_auth(self.credentials.secret_key)

    def _headers(self) -> Mapping[str, str]:
        given = {
            "Stripe-Version": self.credentials.api_version,
            "Stripe-Account": self.credentials.account,
        }
        return {name: value for name, value in given.items() if value}

    def _body(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Stripe takes forms; what is nested has its place in the name."""
        return {"data": dict(_flat(data))}

    async def list_customers(self, limit: int = 100, **filters: Any) -> list[Customer]:
        """Return customers, newest first; `filters` are parameters such as `email`."""
        return await self._list("customers", Customer, filters, limit)

    def iter_customers(self, **filters: Any) -> AsyncIterator[Customer]:
        """Yield all customers, newest first, page by page."""
        return self._pages("customers", Customer, filters)

    async def get_customer(self, customer_id: str) -> Customer:
        """Return a customer."""
        return Customer.from_api(await self._request("GET", at("v1", "customers", customer_id)))

    async def create_customer(
        self, *, idempotency_key: str | None = None, **fields: Any
    ) -> Customer:
        """Add a customer; `fields` are those of Stripe, such as `email`, `name`, `metadata`."""
        return Customer.from_api(await self._post(at("v1", "customers"), fields, idempotency_key))

    async def update_customer(
        self, customer_id: str, *, idempotency_key: str | None = None, **fields: Any
    ) -> Customer:
        """Change fields of a customer; an empty text takes one away."""
        path = at("v1", "customers", customer_id)
        return Customer.from_api(await self._post(path, fields, idempotency_key))

    async def delete_customer(self, customer_id: str) -> Customer:
        """Delete a customer for good, and all its subscriptions."""
        return Customer.from_api(await self._request("DELETE", at("v1", "customers", customer_id)))

    async def list_payment_intents(self, limit: int = 100, **filters: Any) -> list[PaymentIntent]:
        """Return payment intents, newest first; `filters` are parameters such as `customer`."""
        return await self._list("payment_intents", PaymentIntent, filters, limit)

    def iter_payment_intents(self, **filters: Any) -> AsyncIterator[PaymentIntent]:
        """Yield all payment intents, newest first, page by page."""
        return self._pages("payment_intents", PaymentIntent, filters)

    async def get_payment_intent(self, intent_id: str) -> PaymentIntent:
        """Return a payment intent."""
        path = at("v1", "payment_intents", intent_id)
        return PaymentIntent.from_api(await self._request("GET", path))

    async def create_payment_intent(
        self, amount: int, currency: str, *, idempotency_key: str | None = None, **fields: Any
    ) -> PaymentIntent:
        """Begin a payment; `amount` is in the smallest unit, `currency` as in `eur`."""
        sent = {"amount": amount, "currency": currency, **fields}
        path = at("v1", "payment_intents")
        return PaymentIntent.from_api(await self._post(path, sent, idempotency_key))

    async def update_payment_intent(
        self, intent_id: str, *, idempotency_key: str | None = None, **fields: Any
    ) -> PaymentIntent:
        """Change fields of a payment intent."""
        path = at("v1", "payment_intents", intent_id)
        return PaymentIntent.from_api(await self._post(path, fields, idempotency_key))

    async def cancel_payment_intent(
        self, intent_id: str, *, idempotency_key: str | None = None
    ) -> PaymentIntent:
        """Call a payment off that has not been made."""
        path = at("v1", "payment_intents", intent_id, "cancel")
        return PaymentIntent.from_api(await self._post(path, {}, idempotency_key))

    async def list_invoices(self, limit: int = 100, **filters: Any) -> list[Invoice]:
        """Return invoices, newest first; `filters` are parameters such as `status`."""
        return await self._list("invoices", Invoice, filters, limit)

    def iter_invoices(self, **filters: Any) -> AsyncIterator[Invoice]:
        """Yield all invoices, newest first, page by page."""
        return self._pages("invoices", Invoice, filters)

    async def get_invoice(self, invoice_id: str) -> Invoice:
        """Return an invoice."""
        return Invoice.from_api(await self._request("GET", at("v1", "invoices", invoice_id)))

    async def create_invoice(
        self, customer: str, *, idempotency_key: str | None = None, **fields: Any
    ) -> Invoice:
        """Write a draft of an invoice for a customer."""
        sent = {"customer": customer, **fields}
        return Invoice.from_api(await self._post(at("v1", "invoices"), sent, idempotency_key))

    async def update_invoice(
        self, invoice_id: str, *, idempotency_key: str | None = None, **fields: Any
    ) -> Invoice:
        """Change fields of an invoice."""
        path = at("v1", "invoices", invoice_id)
        return Invoice.from_api(await self._post(path, fields, idempotency_key))

    async def finalize_invoice(
        self, invoice_id: str, *, idempotency_key: str | None = None
    ) -> Invoice:
        """Make a draft an invoice that is to be paid."""
        path = at("v1", "invoices", invoice_id, "finalize")
        return Invoice.from_api(await self._post(path, {}, idempotency_key))

    async def _post(
        self, path: str, fields: Mapping[str, Any], idempotency_key: str | None
    ) -> dict[str, Any]:
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return await self._request("POST", path, fields, headers=headers)

    async def _list(
        self, name: str, model: type[Item], filters: Mapping[str, Any], limit: int
    ) -> list[Item]:
        wanted = {"limit": min(max(limit, 1), PAGE), **filters}
        return await taken(self._pages(name, model, wanted), limit)

    async def _pages(
        self, name: str, model: type[Item], filters: Mapping[str, Any]
    ) -> AsyncGenerator[Item, None]:
        params = {"limit": PAGE, **dict(_flat(filters))}
        while True:
            page = await self._request("GET", at("v1", name), params=params)
            found = listed(page, "data")
            for data in found:
                yield model.from_api(data)
            if not page.get("has_more") or not found:
                return
            params = {**params, "starting_after": found[-1]["id"]}


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the fields of a form: `metadata[order]`, `items[0][price]`; None is left out."""
    for name, value in data.items():
        key = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, Mapping):
            yield from _flat(value, key)
        elif isinstance(value, list | tuple):
            yield from _flat({str(place): item for place, item in enumerate(value)}, key)
        elif value is not None:
            yield key, str(value).lower() if isinstance(value, bool) else str(value)
