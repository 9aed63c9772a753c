"""Credential providers of AWS and Vault, against local servers."""

import json
import logging
import os
import socket
import ssl
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pytest_httpserver import HTTPServer

from osiris_lsp.connectors.credentials import AWSSecretsManagerProvider, VaultProvider
from osiris_lsp.connectors.errors import CredentialError
from tests.connectors import vault_double
from tests.connectors.vault_double import Vault

CANARY = "c4nary-s3cret"
TOKEN = f"hvs.{CANARY}"
REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def hermetic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away the settings of the machine, and log in to AWS with made-up keys."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "VAULT_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    monkeypatch.setenv("AWS_REGION", REGION)


@pytest.fixture
def refused() -> Iterator[str]:
    """A URL where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def mute() -> Iterator[str]:
    """A URL where nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def failure(call: Callable[..., object], *args: object) -> CredentialError:
    """Return the error that a call raises; nothing of it, nor of what led to it, shows a secret."""
    with pytest.raises(CredentialError) as caught:
        call(*args)
    error = caught.value
    assert error.remedy
    assert (error.__cause__, error.__context__) == (None, None)
    shown = "".join(traceback.format_exception(error)) + repr(vars(error))
    assert CANARY not in shown
    return error


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """The URL of a moto server with some secrets."""
    import boto3  # type: ignore[import-untyped]
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "secretsmanager",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    fields = {"STRIPE_API_KEY": CANARY, "port": 3306, "tls": True, "none": None, "in": {"a": [1]}}
    client.create_secret(Name="prod/stripe", SecretString=json.dumps(fields))
    client.create_secret(Name="plain", SecretString=CANARY)
    client.create_secret(Name="list", SecretString=json.dumps([CANARY]))
    client.create_secret(Name="deep", SecretString="[" * 100_000)
    client.create_secret(Name="binary", SecretBinary=CANARY.encode())
    client.create_secret(Name="deleted", SecretString=CANARY)
    client.delete_secret(SecretId="deleted")
    yield url
    server.stop()


@pytest.mark.inventory("S3-CRED-03", "S3-CRED-04")
def test_aws_secret_by_name(aws: str) -> None:
    """The seed's form looks a key up in one JSON secret; what is no text comes as JSON has it."""
    provider = AWSSecretsManagerProvider("prod/stripe", REGION, endpoint_url=aws)
    names = ["STRIPE_API_KEY", "port", "tls", "in", "none", "missing"]
    assert [provider.get(name) for name in names] == [
        CANARY,
        "3306",
        "true",
        '{"a": [1]}',
        None,
        None,
    ]
    assert AWSSecretsManagerProvider("missing", REGION, endpoint_url=aws).get("a") is None


@pytest.mark.inventory("S3-CRED-03", "S3-CRED-04")
def test_aws_references(aws: str) -> None:
    """`secret#key`, `secret` alone and an ARN, whose region counts; what is missing is None."""
    provider = AWSSecretsManagerProvider(endpoint_url=aws)
    assert provider.get("prod/stripe#STRIPE_API_KEY") == CANARY
    assert provider.get("plain") == CANARY
    assert [provider.get("missing"), provider.get("missing#a"), provider.get("list")] == [
        None,
        None,
        json.dumps([CANARY]),
    ]
    elsewhere = AWSSecretsManagerProvider(region="us-east-1", endpoint_url=aws)
    assert elsewhere.get("plain") is None
    assert elsewhere.get(f"arn:aws:secretsmanager:{REGION}:123456789012:secret:plain") == CANARY


@pytest.mark.inventory("S3-CRED-04")
@pytest.mark.parametrize("name", ["plain#a", "list#a", "deep#a", "binary", "deleted", "", "a#"])
def test_aws_secrets_of_another_shape(aws: str, name: str) -> None:
    """A key of what is no JSON object, binary secrets and bad names are told apart from missing."""
    provider = AWSSecretsManagerProvider(endpoint_url=aws)
    error = failure(provider.get, name)
    assert error.code == "credential.malformed"
    assert name.partition("#")[0] in error.message


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "AccessDeniedException", "credential.denied"),
        (400, "UnrecognizedClientException", "credential.denied"),
        (400, "ExpiredTokenException", "credential.denied"),
        (400, "DecryptionFailure", "credential.denied"),
        (403, "", "credential.denied"),
        (400, "ThrottlingException", "credential.unreachable"),
        (500, "InternalServiceError", "credential.unreachable"),
        (503, "", "credential.unreachable"),
        (400, "InvalidRequestException", "credential.malformed"),
        (400, "InvalidParameterException", "credential.malformed"),
    ],
)
def test_aws_refusals(httpserver: HTTPServer, status: int, code: str, expected: str) -> None:
    """Each error of the API is told by its code, after one request."""
    body = {"__type": code, "Message": f"User {CANARY} is not authorized"}
    httpserver.expect_request("/").respond_with_json(body if code else {}, status)
    provider = AWSSecretsManagerProvider(endpoint_url=httpserver.url_for("/"))
    assert failure(provider.get, "prod/x#y").code == expected
    assert len(httpserver.log) == 1


@pytest.mark.inventory("S3-CRED-03")
def test_aws_without_login(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    """No keys, an unknown profile and no region are told before anything is sent."""
    unknown = AWSSecretsManagerProvider(endpoint_url=refused, profile="nobody")
    assert failure(unknown.get, "a").message.endswith("no such AWS profile")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    provider = AWSSecretsManagerProvider(endpoint_url=refused)
    assert failure(provider.get, "a").code == "credential.no_login"
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    error = failure(provider.get, "a")
    assert (error.code, error.message) == (
        "credential.no_login",
        "`a` cannot be read: there is no AWS login (NoCredentialsError)",
    )
    monkeypatch.delenv("AWS_REGION")
    nowhere = AWSSecretsManagerProvider(endpoint_url=refused)
    assert failure(nowhere.get, "a").remedy == "set `AWS_REGION`"


def test_aws_out_of_reach(refused: str, mute: str) -> None:
    """A refused connection, silence and a bad endpoint each have their code."""
    codes = [
        failure(AWSSecretsManagerProvider(endpoint_url=url, timeout=0.2).get, "a").code
        for url in (refused, mute, f"nonsense {CANARY}")
    ]
    assert codes == ["credential.unreachable", "credential.timeout", "credential.malformed"]


@pytest.fixture
def vault() -> Iterator[Vault]:
    """A Vault with secrets in two mounts."""
    secrets: dict[str, dict[str, Any] | None] = {
        "secret/data/app": {"password": CANARY, "port": 5432, "none": None},
        "secret/data/team/a ?%41": {"x": "1"},
        "secret/data/deleted": None,
        "kv/team/data/app": {"password": "other"},
    }
    with vault_double.running(TOKEN, secrets) as server:
        yield server


def provider_of(vault: Vault, **environment: str) -> VaultProvider:
    """Return a provider that knows a Vault from its environment only."""
    return VaultProvider(
        environment={"VAULT_ADDR": vault.url, "VAULT_TOKEN": TOKEN, **environment}, timeout=5
    )


def test_vault_names(vault: Vault) -> None:
    """With and without the mount, as the API and as the command line write a path."""
    provider = provider_of(vault)
    names = {
        "app#password": CANARY,
        "secret/app#password": CANARY,
        "secret/data/app#password": CANARY,
        "/secret/data/app#password": CANARY,
        "kv/team/data/app#password": "other",
        "team/a ?%41#x": "1",
        "app#port": "5432",
        "app#none": None,
        "app#missing": None,
        "missing#password": None,
        "deleted#password": None,
    }
    assert {name: provider.get(name) for name in names} == names
    mounted = VaultProvider(vault.url, TOKEN, mount="/kv/team/", environment={})
    assert mounted.get("app#password") == "other"


@pytest.mark.parametrize("name", ["app", "app#", "#x", "", "a//b#x", "../../sys/x#y"])
def test_vault_malformed_names(vault: Vault, name: str) -> None:
    """A name that is no path with a field asks Vault for nothing."""
    assert failure(provider_of(vault).get, name).code == "credential.malformed"
    assert vault.requests == []


def test_vault_login(vault: Vault, tmp_path: Path) -> None:
    """The token comes from the environment or the file of `vault login`, the namespace along."""
    environment = {"VAULT_ADDR": vault.url, "HOME": str(tmp_path), "VAULT_NAMESPACE": "team"}
    provider = VaultProvider(environment=environment)
    assert failure(provider.get, "app#password").code == "credential.no_login"
    (tmp_path / ".vault-token").write_text(f"{TOKEN}\n")
    vault.namespace = "team"
    assert provider.get("app#password") == CANARY
    wrong = VaultProvider(namespace="other", environment=environment)
    assert failure(wrong.get, "app#password").code == "credential.denied"
    torn = VaultProvider(environment={**environment, "VAULT_TOKEN": f"{TOKEN}\nX: y"})
    assert failure(torn.get, "app#password").code == "credential.no_login"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (None, "credential.no_login"),
        ("vault.example", "credential.malformed"),
        (f"ftp://u:{CANARY}@h", "credential.malformed"),
        (f"http://u:{CANARY}@h:x", "credential.malformed"),
        (f"http://[{CANARY}", "credential.malformed"),
    ],
)
def test_vault_address(url: str | None, code: str) -> None:
    """An address that is missing or no URL is told without repeating it."""
    provider = VaultProvider(url, TOKEN, environment={})
    assert failure(provider.get, "app#password").code == code


def test_vault_refusals(vault: Vault) -> None:
    """A wrong token, a missing mount and a sealed Vault are told apart."""
    wrong = VaultProvider(vault.url, "hvs.wrong", environment={})
    assert failure(wrong.get, "app#password").code == "credential.denied"
    missing = failure(provider_of(vault).get, "nope/data/app#password")
    assert (missing.code, missing.message) == (
        "credential.malformed",
        f"Vault at `127.0.0.1:{vault.server_port}` has no engine at `nope`",
    )
    vault.sealed = True
    sealed = failure(provider_of(vault).get, "app#password")
    assert (sealed.code, sealed.message) == (
        "credential.unreachable",
        f"Vault at `127.0.0.1:{vault.server_port}` is sealed or under maintenance",
    )


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"errors": ["c4nary-s3cret"]}', "credential.malformed"),
        (401, b"c4nary-s3cret", "credential.denied"),
        (404, b"<html>c4nary-s3cret", None),
        (412, b'{"errors": [{"x": "c4nary-s3cret"}]}', "credential.unreachable"),
        (429, b"[]", "credential.unreachable"),
        (500, b"", "credential.unreachable"),
        (307, b"", "credential.unreachable"),
        (200, b"<html>c4nary-s3cret", "credential.unreachable"),
        (200, b"[]", "credential.unreachable"),
        (200, b"[" * 100_000, "credential.unreachable"),
        (200, b'{"data": "c4nary-s3cret"}', "credential.unreachable"),
        (200, b'{"data": {"data": ["c4nary-s3cret"]}}', "credential.unreachable"),
    ],
)
def test_vault_strange_answers(vault: Vault, status: int, body: bytes, code: str | None) -> None:
    """Whatever answers, the error has a code and none of the body."""
    vault.answer = (status, body, {"Location": "/v1/elsewhere"})
    if code is None:
        assert provider_of(vault).get("app#password") is None
    else:
        assert failure(provider_of(vault).get, "app#password").code == code
    assert len(vault.requests) == 1


def test_vault_out_of_reach(refused: str, mute: str) -> None:
    """A refused connection and silence each have their code."""
    codes = [
        failure(VaultProvider(url, TOKEN, timeout=0.2, environment={}).get, "a#b").code
        for url in (refused, mute)
    ]
    assert codes == ["credential.unreachable", "credential.timeout"]


def test_vault_tls(tmp_path: Path) -> None:
    """The certificate is checked against `VAULT_CACERT`; `VAULT_SKIP_VERIFY` switches that off."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with vault_double.running(TOKEN, {"secret/data/app": {"x": "1"}}, context) as vault:
        assert provider_of(vault, VAULT_CACERT=str(bundle)).get("app#x") == "1"
        assert failure(provider_of(vault).get, "app#x").message == (
            f"Vault at `127.0.0.1:{vault.server_port}` made no TLS connection that we trust"
        )
        absent = provider_of(vault, VAULT_CACERT=str(tmp_path / "absent"))
        assert failure(absent.get, "app#x").code == "credential.unreadable"
        with pytest.warns(match="Unverified HTTPS request"):
            assert provider_of(vault, VAULT_SKIP_VERIFY="1").get("app#x") == "1"


def test_no_log_shows_a_secret(
    aws: str, vault: Vault, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where everything is logged, neither a secret nor a token is."""
    monkeypatch.setattr(logging.getLogger("botocore"), "level", logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    assert AWSSecretsManagerProvider(endpoint_url=aws).get("plain") == CANARY
    assert provider_of(vault).get("app#password") == CANARY
    assert CANARY not in caplog.text
