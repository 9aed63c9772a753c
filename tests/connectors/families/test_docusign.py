from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import ResolvedConnection
from osiris_lsp.connectors.families.docusign import CONNECTOR, oauth_url
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import docusign, faults
from tests.doubles.messages import Answer, as_json
from tests.doubles.server import Server


def connection(base: str, **fields: Any) -> dict[str, Any]:
    """A connection that is right; its token server is the same one."""
    given = {
        "integration_key": docusign.INTEGRATION_KEY,
        "user_id": docusign.USER_ID,
        "account_id": docusign.ACCOUNT_ID,
        "private_key": docusign.private_pem(),
        "base_url": base,
        "oauth_url": base,
    }
    return {**given, **fields}


CASES: tuple[tuple[str, dict[str, Any], Answer | None, Verdict], ...] = (
    ("all right", {}, None, OK),
    (
        "no consent",
        {"user_id": docusign.STRANGER},
        None,
        ("permission", "docusign.consent", "auth", "user_id"),
    ),
    (
        "no user",
        {"user_id": "nobody"},
        None,
        ("auth", "docusign.user_not_found", "auth", "user_id"),
    ),
    (
        "no app",
        {"integration_key": "another"},
        None,
        ("auth", "docusign.issuer_not_found", "auth", "integration_key"),
    ),
    (
        "another key",
        {"private_key": docusign.private_pem(1)},
        None,
        ("auth", "docusign.no_valid_keys_or_signatures", "auth", "private_key"),
    ),
    ("no key", {"private_key": "x"}, None, ("unknown", "key.unusable", "config", "private_key")),
    (
        "no field",
        {"account_id": None},
        None,
        ("unknown", "config.missing_field", "config", "account_id"),
    ),
    (
        "another account",
        {"account_id": "1978465f"},
        None,
        ("permission", "docusign.account", "auth", "account_id"),
    ),
    (
        "another refusal",
        {},
        docusign.refused("invalid_grant", "expired_grant"),
        ("auth", "oauth.refused", "auth", "private_key"),
    ),
    ("throttled", {}, docusign.RATE_LIMITED, ("unknown", "http.429", "query", "oauth_url")),
    ("500", {}, faults.status(500), ("unknown", "http.500", "query", "oauth_url")),
    ("other JSON", {}, as_json(200, {}), ("unknown", "oauth.no_token", "query", "oauth_url")),
)


@pytest.mark.parametrize(
    ("fields", "answer", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S3-TYPE-05")
def test_answers(fields: dict[str, Any], answer: Answer | None, expected: Verdict) -> None:
    """Each reason for which there is no token names the field to look at."""
    with Server(docusign.DocuSign()) as server:
        server.always(answer)
        result = CONNECTOR.examine(connection(server.url, **fields))
    assert expected == verdict(result)
    assert docusign.private_pem()[30:60] not in str(result.as_json())


def test_consent_is_one_click_away() -> None:
    """The remedy has the address that the user has to open."""
    with Server(docusign.DocuSign()) as server:
        result = CONNECTOR.examine(connection(server.url, user_id=docusign.STRANGER))
        address = f"{server.url}/oauth/auth?response_type=code&scope=signature+impersonation"
    assert f"{address}&client_id={docusign.INTEGRATION_KEY}" in result.details["remedy"]


def test_answers_behind_the_token() -> None:
    """The account is asked with the token; what is no account of DocuSign is not taken for one."""
    double = docusign.DocuSign()
    with Server(double) as server:
        right = CONNECTOR.examine(connection(server.url))
        assert (verdict(right), right.details["account"]) == (OK, "Acme")
        token = as_json(200, {"access_token": "c4n4ry"})
        for answer, expected in (
            (docusign.LOST_TOKEN, ("auth", "http.401", "auth", "base_url")),
            (as_json(200, {}), ("unknown", "docusign.answer", "query", "base_url")),
            (faults.LOGIN_PAGE, ("unknown", "http.html", "query", "base_url")),
        ):
            server.next(token, answer)
            result = CONNECTOR.examine(connection(server.url))
            assert verdict(result) == expected
            assert "c4n4ry" not in str(result.as_json())


def test_the_key_in_a_file(tmp_path: Path) -> None:
    """A relative path counts from the folder of the file; a file that is not there is told."""
    (tmp_path / "key.pem").write_text(docusign.private_pem())
    with Server(docusign.DocuSign()) as server:
        found = []
        for name in ("key.pem", "nothing.pem"):
            fields = connection(server.url, private_key=None, private_key_file=name)
            given = ResolvedConnection("docusign", "main", fields, base=str(tmp_path))
            found.append(verdict(CONNECTOR.examine(given)))
    assert found == [OK, ("unknown", "file.missing", "config", "private_key_file")]


def test_where_tokens_come_from() -> None:
    """The developer environment has a server of its own."""
    urls = ("https://demo.docusign.net", "https://na3.docusign.net", "https://[")
    found = [oauth_url(url).removeprefix("https://") for url in urls]
    assert found == ["account-d.docusign.com", "account.docusign.com", "account.docusign.com"]
