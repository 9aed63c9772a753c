"""What holds for the connector of every service."""

import asyncio
import dataclasses
import inspect
import logging
import pickle
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Any

import pytest

from osiris_lsp.connectors import (
    ConnectorConfigError,
    ConnectorNetworkError,
    ConnectorParseError,
    ConnectorTimeoutError,
    RetryExhaustedError,
    connector_error_handler,
    get_retry_delay,
    is_retryable_error,
)
from osiris_lsp.connectors.integrations.connector import IntegrationConnector, ServiceError
from osiris_lsp.secret import Secret
from tests.connectors.integrations.services import FAST, SERVICES, Service, within
from tests.doubles import docusign, faults
from tests.doubles.messages import Answer, as_json
from tests.doubles.server import Server

every = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


@every
@pytest.mark.inventory("S3-NEW-02", "S3-TYPE-01", "S3-TYPE-05")
def test_layout(service: Service) -> None:
    """Each has its credentials, models, connector and webhook, and a package that exports them."""
    package = f"osiris_lsp.connectors.integrations.{service.name}"
    whole = import_module(package)
    homes = {"Credentials": "credentials", "Connector": "connector", "Error": "connector"}
    for name in whole.__all__:
        value = getattr(whole, name)
        home = next((home for end, home in homes.items() if name.endswith(end)), "models")
        home = "webhook" if inspect.isfunction(value) else home
        assert value.__module__ == f"{package}.{home}"
    assert {f"{service.connector.__name__}", f"{service.connector.Error.__name__}"} < set(
        whole.__all__
    )
    assert issubclass(service.connector, IntegrationConnector)
    assert issubclass(service.connector.Error, ServiceError)


@every
@pytest.mark.inventory("S3-TYPE-01", "S3-TYPE-03")
def test_kind(service: Service) -> None:
    """An integration is an async context manager with calls to list, get, make and change."""
    assert issubclass(service.connector, AbstractAsyncContextManager)
    calls = {
        name.partition("_")[0]
        for name, value in vars(service.connector).items()
        if not name.startswith("_") and inspect.isroutine(value)
    }
    assert calls >= {"list", "iter", "get", "create", "update"}


@every
@pytest.mark.inventory("S3-INT-01")
def test_credentials(service: Service) -> None:
    """The address has a default, no form of the credentials shows a secret, and none is empty."""
    credentials: Any = service.credentials("https://api.example.com")
    assert dataclasses.is_dataclass(credentials)
    defaults = {field.name: field.default for field in dataclasses.fields(credentials)}
    assert str(defaults["base_url"]).startswith("https://")
    hidden = [name for name in defaults if isinstance(getattr(credentials, name), Secret)]
    assert len(hidden) == 2
    api = service.connector(credentials)
    for shown in (repr(credentials), str(credentials), f"{api!r} {vars(api)}"):
        assert "c4n4ry" not in shown
        assert "PRIVATE KEY" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(credentials)
    with pytest.raises(ConnectorConfigError) as caught:
        remade: Any = type(credentials)
        remade(**{**vars(credentials), hidden[0]: ""})
    assert caught.value.field == hidden[0]


@every
@pytest.mark.inventory("S3-INT-02", "S3-NEW-03")
def test_entering(service: Service) -> None:
    """The context makes the HTTP client: with the address, the credentials and 30 seconds."""
    with Server(service.double()) as server:

        async def look(api: IntegrationConnector[Any]) -> None:
            assert api.client.config.base_url == server.url
            assert api.client.config.timeout == 30.0
            with pytest.raises(service.connector.Error):
                await service.first_call(api)

        within(service.connector(service.credentials(server.url)), look)
    sent = server.requests[-1].headers
    expected = service.header or {"Authorization": f"Bearer {docusign_token(server)}"}
    assert {name: sent[name] for name in expected} == expected
    fields: Any = type(service.credentials(server.url)).__dataclass_fields__
    assert fields["base_url"].default == service.connector.BASE_URL


def docusign_token(server: Server) -> str:
    """The token that the double gave last."""
    double = server._double
    assert isinstance(double, docusign.DocuSign)
    return double.tokens[-1]


@every
@pytest.mark.inventory("S3-INT-03", "S3-INT-04")
def test_leaving(service: Service) -> None:
    """Outside of its context a connector has no client, also after an error in it."""
    api = service.connector(service.credentials("http://127.0.0.1:9"))
    message = r"^Connector not initialized\. Use async context manager\.$"

    async def use() -> None:
        with pytest.raises(RuntimeError, match=message):
            _ = api.client
        with pytest.raises(RuntimeError, match=message):
            await service.first_call(api)
        with pytest.raises(LookupError):
            async with api:
                client = api.client
                with pytest.raises(RuntimeError, match="in use"):
                    await api.__aenter__()
                raise LookupError
        assert api._client is None
        assert not await client.health_check()
        async with api:  # again
            assert api.client is not client

    asyncio.run(use())


@every
@pytest.mark.inventory("S3-INT-07", "S3-INT-09", "S3-ERR-02", "S3-TYPE-05")
def test_refusals(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """A status of 400 and above is the error of the service, with its own words and its status."""
    caplog.set_level(logging.DEBUG)
    with Server(service.double()) as server:
        api = service.connector(service.credentials(server.url), retry=FAST)
        with pytest.raises(service.connector.Error) as caught:
            within(api, service.first_call)
        error = caught.value
        assert error.status_code in (400, 404)
        assert error.message not in ("", "Unknown error")
        assert not is_retryable_error(error)
        assert error.request_id or service.name == "stripe" or error.service_code
    assert service.secret not in caplog.text


ODD = {
    "a page": Answer(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
    "nothing": Answer(404),
    "no JSON": Answer(400, b"{", {"Content-Type": "application/json"}),
    "a list": as_json(400, ["no"]),
    "another error": as_json(400, {"error": {"detail": "x"}, "message": {"a": 1}}),
    "an error without anything": as_json(403, {"error": None}),
}


@every
@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
@pytest.mark.inventory("S3-INT-07")
def test_refusals_without_words(service: Service, answer: Answer) -> None:
    """A body that is no JSON, or another one, never breaks: the message is `Unknown error`."""
    with Server(service.double()) as server:
        api = service.connector(service.credentials(server.url), retry=None)

        async def call(api: Any) -> None:
            if service.name == "docusign":
                await api.client.auth_manager.get_initial_token()
            server.always(answer)
            await service.first_call(api)

        with pytest.raises(service.connector.Error) as caught:
            within(api, call)
    assert (caught.value.message, caught.value.status_code) == ("Unknown error", answer.status)


@every
def test_what_a_service_repeats(service: Service) -> None:
    """A message that repeats the key, or that paints the terminal, does not show it."""
    token: list[str] = [service.secret]
    with Server(service.double()) as server:
        api = service.connector(service.credentials(server.url), retry=None)

        async def call(api: Any) -> None:
            if service.name == "docusign":
                await api.client.auth_manager.get_initial_token()
                token[0] = docusign_token(server)
            said = f"\x1b[31mno such key {token[0]}" + "!" * 2000
            server.always(as_json(400, {"error": {"message": said}, "message": said}))
            await service.first_call(api)

        with pytest.raises(service.connector.Error) as caught:
            within(api, call)
    shown = f"{caught.value} {caught.value!r} {vars(caught.value)}"
    assert token[0] not in shown
    assert "\x1b" not in shown
    assert len(caught.value.message) <= 500
    assert caught.value.__cause__ is None


@every
@pytest.mark.inventory("S3-TYPE-05")
def test_rate_limits(service: Service) -> None:
    """A call that is refused with 429 is made again; in the end it is the service's error."""
    with Server(service.double()) as server:
        api = service.connector(service.credentials(server.url), retry=FAST)

        async def call(api: Any) -> ServiceError:
            if service.name == "docusign":
                await api.client.auth_manager.get_initial_token()
            server.next(service.limited)
            with pytest.raises(service.connector.Error) as caught:
                await service.first_call(api)
            assert caught.value.status_code in (400, 404)
            assert api.client.get_metrics().total_retries == 1
            server.always(service.limited)
            with pytest.raises(service.connector.Error) as caught:
                await service.first_call(api)
            return caught.value

        error = within(api, call)
    assert (error.status_code, is_retryable_error(error)) == (429, True)
    assert get_retry_delay(error, 7.0) == (7.0 if service.name == "stripe" else 0.0)


@every
@pytest.mark.inventory("S3-INT-02", "R-52")
def test_a_server_that_drips(service: Service) -> None:
    """One request ends with its time limit."""
    with Server(service.double()) as server:
        server.always(faults.SLOW_HEAD)
        api = service.connector(service.credentials(server.url), timeout=0.3, retry=None)
        with pytest.raises(ConnectorTimeoutError):
            within(api, service.first_call)


@every
def test_nobody_there(service: Service) -> None:
    """A server that is not there is an error of the network, tried again in vain."""
    with Server(service.double()) as server:
        url = server.url
    api = service.connector(service.credentials(url), retry=FAST)
    with pytest.raises(RetryExhaustedError) as caught:
        within(api, service.first_call)
    assert isinstance(caught.value.last_error, ConnectorNetworkError)


@every
def test_another_kind_of_server(service: Service) -> None:
    """JSON that is no object, or lacks its id, is not taken for an answer."""
    with Server(service.double()) as server:
        api = service.connector(service.credentials(server.url), retry=None)

        async def call(api: Any) -> None:
            if service.name == "docusign":
                await api.client.auth_manager.get_initial_token()
            for answer in (as_json(200, ["x"]), as_json(200, {}), Answer(200, b"hello")):
                server.always(answer)
                with pytest.raises(ConnectorParseError):
                    await service.first_call(api)

        within(api, call)


@every
def test_error_handler(service: Service) -> None:
    """`connector_error_handler` lets the error of a service pass as it is."""
    with Server(service.double()) as server:
        api = service.connector(service.credentials(server.url))

        async def call(api: Any) -> None:
            async with connector_error_handler("fetch"):
                await service.first_call(api)

        with pytest.raises(service.connector.Error) as caught:
            within(api, call)
    assert caught.value.status_code in (400, 404)


@every
@pytest.mark.parametrize("bad", ["", ".", ".."])
def test_ids_that_are_none(service: Service, bad: str) -> None:
    """An empty id would list everything, and dots lead elsewhere: both are refused unsent."""
    with Server(service.double()) as server:
        api = service.connector(service.credentials(server.url))
        calls = {
            "stripe": "get_customer",
            "hubspot": "get_contact",
            "docusign": "get_envelope",
            "pagerduty": "get_incident",
        }
        with pytest.raises(ConnectorConfigError):
            within(api, lambda api: getattr(api, calls[service.name])(bad))
        assert server.requests == []
