"""Stripe: the account of the key is asked for."""

from collections.abc import Mapping
from typing import ClassVar, Final

from osiris_lsp.connectors.answers import expect
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorAuthError, ConnectorParseError
from osiris_lsp.connectors.exchange import join_url, request
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.tls import tls_of


class StripeConnector(Connector):
    """One Stripe account."""

    family: ClassVar[str] = "stripe"

    def probe(self, check: Check) -> None:
        """Ask for the account; a restricted key may be good and yet not allowed to see it."""
        connection = check.connection
        key = connection.text("secret_key")
        if key.startswith("pk_"):
            raise ConnectorAuthError(
                "this is the publishable key, which web pages use and which can read nothing",
                code="stripe.publishable_key",
                stage="config",
                field="secret_key",
                remedy="take the secret key (`sk_…`), or make a restricted one (`rk_…`)",
            )
        headers = {"Authorization": f"Bearer {key}"}
        for name, field in (("Stripe-Version", "api_version"), ("Stripe-Account", "account")):
            if connection.text(field):
                headers[name] = connection.text(field)
        response = request(
            check,
            "GET",
            join_url(connection.text("base_url"), "/v1/account", "base_url"),
            headers=headers,
            tls=tls_of(connection, "verify"),
            field="base_url",
        )
        mode = key.split("_")[1] if key.count("_") > 1 else ""
        if mode in ("test", "live"):
            check.facts["mode"] = mode
        if response.status == 403 and key.startswith("rk_"):
            check.facts["hint"] = (
                "the restricted key is valid, but may not see the account: whether it has the "
                "rights that steps need cannot be told"
            )
            return
        # A version or an account that is none is a refusal of the request.
        suspect = next((name for name in ("account", "api_version") if connection.text(name)), "")
        wrong = suspect if response.status in (400, 403) and suspect else ""
        expect(response, key_field=wrong or "secret_key", url_field=wrong or "base_url")
        answer = response.json("base_url")
        if not isinstance(answer, Mapping) or answer.get("object") != "account":
            raise ConnectorParseError(
                "what came back is JSON, but no account of Stripe",
                code="stripe.answer",
                stage="query",
                field="base_url",
                remedy="check `base_url`: another kind of server answers there",
            )
        for name in ("id", "country", "charges_enabled"):
            if name in answer:
                check.facts["account" if name == "id" else name] = answer[name]


CONNECTOR: Final = StripeConnector()
