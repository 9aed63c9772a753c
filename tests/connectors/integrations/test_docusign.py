import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorParseError,
    ResolvedConnection,
)
from osiris_lsp.connectors.integrations.docusign import (
    Document,
    DocuSignConnector,
    DocuSignCredentials,
    DocuSignError,
    Envelope,
    Event,
    Signer,
)
from tests.connectors.integrations.services import FAST, docusign_credentials, within
from tests.doubles import docusign
from tests.doubles.server import Server

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def connector(url: str, **more: Any) -> DocuSignConnector:
    """A connector that tries again at once."""
    return DocuSignConnector(docusign_credentials(url, **more), retry=FAST)


@pytest.mark.inventory("S3-INT-05")
def test_models() -> None:
    """Only the id is required; seven digits of a second are read, and all moments are in UTC."""
    assert Envelope.from_api({"envelopeId": "e"}) == Envelope("e")
    envelope = Envelope.from_api(
        {"envelopeId": "e", "sentDateTime": "2026-01-02T03:04:05.1234567Z"}
    )
    assert envelope.sent_at == datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)
    naive = Envelope.from_api({"envelopeId": "e", "statusDateTime": "2026-01-02T03:04:05"})
    assert naive.changed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    event = Event.from_api({"event": "envelope-sent", "data": {"envelopeId": "e"}})
    assert (event.envelope_id, event.generated_at) == ("e", None)
    assert "secret" not in repr(Document("a.pdf", b"secret"))
    for model in (Envelope, Event):
        with pytest.raises(ConnectorParseError):
            model.from_api({})


@pytest.mark.inventory("S3-INT-08", "S3-TYPE-03", "S3-TYPE-05")
def test_pages() -> None:
    """Pages follow each other by `start_position`, as long as there is a next one."""
    double = docusign.DocuSign()
    for _ in range(11):
        double.add()
    with Server(double) as server:

        async def look(api: DocuSignConnector) -> None:
            found = [item.id async for item in api.iter_envelopes(from_date=SINCE)]
            assert found == [f"e{number:03}" for number in range(11)]
            assert len(await api.list_envelopes(limit=5, from_date=SINCE)) == 5
            with pytest.raises(DocuSignError) as caught:
                await api.list_envelopes()
            assert caught.value.service_code == "INVALID_REQUEST_PARAMETER"

        within(connector(server.url), look)
    asked = [request.query for request in server.requests[1:]]
    assert [query["start_position"] for query in asked[:3]] == ["0", "4", "8"]
    assert asked[0]["from_date"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.inventory("S3-INT-06", "S3-TYPE-03", "S3-TYPE-05")
def test_life_of_an_envelope() -> None:
    """An envelope is drafted, sent and voided; its transaction id finds it again."""
    with Server(docusign.DocuSign()) as server:

        async def work(api: DocuSignConnector) -> None:
            documents = [Document("Contract.docx", b"words"), Document("Terms", b"more")]
            signers = [Signer("Ada", "ada@example.com", "/sign/"), Signer("Bo", "b@x.y", order=2)]
            made = await api.create_envelope(
                "Please sign", documents, signers, status="created", transaction_id="t-1"
            )
            assert (made.status, made.changed_at is None) == ("created", False)
            assert (await api.update_envelope(made.id, status="sent")).status == "sent"
            voided = await api.void_envelope(made.id, "too late")
            assert (voided.status, voided.voided_reason) == ("voided", "too late")
            found = await api.list_envelopes(transaction_ids=["t-1", "t-2"])
            assert [item.id for item in found] == [made.id]
            with pytest.raises(DocuSignError) as caught:
                await api.get_envelope("nobody")
            assert caught.value.service_code == "ENVELOPE_DOES_NOT_EXIST"
            assert caught.value.request_id == "trace-1"

        within(connector(server.url), work)
    sent = server.requests[1].json()
    assert sent["documents"][0] == {
        "documentId": "1",
        "name": "Contract.docx",
        "fileExtension": "docx",
        "documentBase64": base64.b64encode(b"words").decode(),
    }
    assert sent["documents"][1]["fileExtension"] == "pdf"
    first, second = sent["recipients"]["signers"]
    assert first["tabs"] == {"signHereTabs": [{"anchorString": "/sign/"}]}
    assert (second["recipientId"], second["routingOrder"], "tabs" in second) == ("2", "2", False)
    assert sent["transactionId"] == "t-1"


@pytest.mark.inventory("S3-TYPE-05")
def test_tokens() -> None:
    """One token serves all calls; one that is refused is replaced once."""
    double = docusign.DocuSign()
    double.add()
    with Server(double) as server:

        async def work(api: DocuSignConnector) -> None:
            await asyncio.gather(*(api.get_envelope("e000") for _ in range(5)))
            assert len(double.tokens) == 1
            double.tokens[0] = "revoked"
            assert (await api.get_envelope("e000")).id == "e000"
            assert len(double.tokens) == 2
            server.always(docusign.LOST_TOKEN)
            with pytest.raises(ConnectorAuthError):  # the token server is the same one here
                await api.get_envelope("e000")

        within(connector(server.url), work)
    grants = [request.form() for request in server.requests if request.path == "/oauth/token"]
    assert {grant["grant_type"] for grant in grants} == {docusign.JWT_BEARER}
    assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": docusign.STRANGER},
        {"user_id": "nobody"},
        {"integration_key": "another"},
        {"private_key": docusign.private_pem(1)},
        {"oauth_url": "elsewhere"},
    ],
    ids=["no consent", "no user", "no app", "another key", "another audience"],
)
def test_claims_that_are_refused(change: dict[str, str]) -> None:
    """Without a token there is no call, and what is said has no secret in it."""
    double = docusign.DocuSign()
    with Server(double) as server:
        if change.get("oauth_url"):
            change, double.audience = {}, "account.docusign.com"
        with pytest.raises(ConnectorAuthError) as caught:
            within(connector(server.url, **change), lambda api: api.get_envelope("e000"))
    assert (caught.value.code, caught.value.field) == ("oauth.refused", "private_key")
    assert "consent" in caught.value.remedy
    assert "PRIVATE" not in f"{caught.value} {vars(caught.value)}"
    assert {request.path for request in server.requests} == {"/oauth/token"}


def test_credentials_that_cannot_work() -> None:
    """Missing fields and keys that are none are told before anything is sent."""
    for name in ("integration_key", "user_id", "account_id"):
        with pytest.raises(ConnectorConfigError) as caught:
            docusign_credentials("https://x", **{name: ""})
        assert caught.value.field == name
    bad = connector("http://127.0.0.1:9", private_key="no key")
    with pytest.raises(ConnectorConfigError) as caught:
        within(bad, lambda api: api.get_envelope("e000"))
    assert (caught.value.code, caught.value.field) == ("key.unusable", "private_key")


def test_where_tokens_come_from() -> None:
    """The developer environment has a server of its own."""
    urls = ("https://demo.docusign.net", "https://na3.docusign.net")
    found = [docusign_credentials(url, oauth_url="").oauth_url for url in urls]
    assert found == ["https://account-d.docusign.com", "https://account.docusign.com"]


def test_from_a_connection(tmp_path: Path) -> None:
    """A connection of the file brings the key, or the file of it."""
    (tmp_path / "key.pem").write_text(docusign.private_pem())
    with Server(docusign.DocuSign()) as server:
        shared = {
            "integration_key": docusign.INTEGRATION_KEY,
            "user_id": docusign.USER_ID,
            "account_id": docusign.ACCOUNT_ID,
            "base_url": server.url,
            "oauth_url": server.url,
        }
        for key in ({"private_key": docusign.private_pem()}, {"private_key_file": "key.pem"}):
            connection = ResolvedConnection(
                "docusign", "main", {**shared, **key}, base=str(tmp_path)
            )
            api = DocuSignConnector.from_connection(connection)
            assert within(api, lambda api: api.list_envelopes(from_date=SINCE)) == []
        assert isinstance(api.credentials, DocuSignCredentials)
