"""Credential providers that need no server, and what holds for all of them."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.connectors.credentials import (
    AWSSecretsManagerProvider,
    CachedCredentialProvider,
    ChainedCredentialProvider,
    CredentialProvider,
    DotenvCredentialProvider,
    EnvCredentialProvider,
    FileCredentialProvider,
    HubSpotCredentials,
    KeyringCredentialProvider,
    StripeCredentials,
    VaultProvider,
    default_providers,
    get_credential_provider,
)
from osiris_lsp.connectors.credentials.factory import KINDS
from osiris_lsp.connectors.errors import CredentialError
from osiris_lsp.refs import PROVIDERS


class Counting(CredentialProvider):
    """A provider of given credentials that counts its calls and can be made to fail."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.calls = 0
        self.error: Exception | None = None

    def get(self, name: str) -> str | None:
        """Return a value, or raise the error."""
        self.calls += 1
        if self.error:
            raise self.error
        return self.values.get(name)


def code_of(call: Callable[..., object], *args: object) -> str:
    """Return the code of the error that a call raises; it says what to do."""
    with pytest.raises(CredentialError) as caught:
        call(*args)
    assert caught.value.remedy
    return caught.value.code


@pytest.mark.inventory("S3-CRED-01", "R-32")
def test_every_provider_has_the_one_interface() -> None:
    """Each kind is a CredentialProvider, and `aget` gives what `get` gives."""
    for kind in KINDS:
        assert isinstance(get_credential_provider(kind, {}), CredentialProvider), kind
    assert asyncio.run(Counting(a="1").aget("a")) == "1"
    assert asyncio.run(Counting().aget("a")) is None


@pytest.mark.inventory("S3-CRED-02")
def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the process or of a mapping, with a prefix where one is set."""
    monkeypatch.setenv("STRIPE_API_KEY", "sk")
    assert EnvCredentialProvider().get("STRIPE_API_KEY") == "sk"
    assert EnvCredentialProvider({}).get("STRIPE_API_KEY") is None
    assert EnvCredentialProvider({"ARAGORA_KEY": "k"}, prefix="ARAGORA_").get("KEY") == "k"


def test_dotenv(tmp_path: Path) -> None:
    """Values stand as they are written; a missing file and a bare name are no credentials."""
    path = tmp_path / ".env"
    assert DotenvCredentialProvider(path).get("A") is None
    path.write_text("\ufeffA='x${B}'\nB=1\nC\n", encoding="utf-8")
    values = [DotenvCredentialProvider(path).get(name) for name in "ABCD"]
    assert values == ["x${B}", "1", None, None]
    path.write_bytes(b"A=\xff\n")
    assert code_of(DotenvCredentialProvider(path).get, "A") == "credential.unreadable"


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b" s3cret \n\n", " s3cret \n"),
        (b"s3cret\r", "s3cret\r"),
        (b"\xef\xbb\xbfs3cret", "s3cret"),
        (b"", ""),
        (b"x" * 65536, "x" * 65536),
    ],
)
def test_file(tmp_path: Path, content: bytes, secret: str) -> None:
    """A file is its text without the last line break, by absolute and by relative name."""
    path = tmp_path / "folder" / "password"
    path.parent.mkdir()
    path.write_bytes(content)
    names = [str(path), "folder/password", "folder/../folder/password"]
    assert [FileCredentialProvider(tmp_path).get(name) for name in names] == [secret] * 3
    assert FileCredentialProvider().get(str(path)) == secret


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is no credential."""
    (tmp_path / "file").touch()
    names = ["missing", "file/below", str(tmp_path / "missing")]
    assert [FileCredentialProvider(tmp_path).get(name) for name in names] == [None] * 3


posix = pytest.mark.skipif(os.name == "nt", reason="Windows: no FIFOs, and links need a privilege")


@posix
def test_refused_files(tmp_path: Path) -> None:
    """What is no small regular text file, or lies outside the folder, is refused at once."""
    base = tmp_path / "base"
    base.mkdir()
    (tmp_path / "outside").write_text("s3cret")
    (base / "link").symlink_to(tmp_path / "outside")
    (base / "loop").symlink_to(base / "loop")
    (base / "kernel").symlink_to("/proc/self/environ")
    (base / "binary").write_bytes(b"s3cret\xff")
    (base / "large").write_bytes(b"x" * 65537)
    os.mkfifo(base / "fifo")
    provider = FileCredentialProvider(base)
    names = ["link", "loop", "kernel", "binary", "large", "fifo", ".", "../outside", "", "a\0b"]
    names += [
        "a\udcff",
        "x" * 300,
        "/dev/null",
        "/proc/self/environ",
        "//host/share/x",
        r"\\host\x",
    ]
    names.append(str(base / "kernel"))
    codes = {name: code_of(provider.get, name) for name in names}
    assert codes == dict.fromkeys(names, "credential.unreadable")


@posix
def test_kubernetes_mount(tmp_path: Path) -> None:
    """Links that stay inside the folder are followed, as Kubernetes mounts its secrets."""
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "password").write_text("s3cret")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "password").symlink_to("..data/password")
    assert FileCredentialProvider(tmp_path).get("password") == "s3cret"


def test_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last `/` divides service and user; each way to fail has its code."""
    import keyring.backend
    import keyring.backends.fail
    import keyring.errors

    class Backend(keyring.backend.KeyringBackend):
        error: Exception | None = None

        def get_password(self, service: str, username: str) -> str | None:
            if self.error:
                raise self.error
            return "s3cret" if (service, username) == ("https://db/x", "ann") else None

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

    backend = Backend()  # type: ignore[no-untyped-call]
    monkeypatch.setattr("keyring.core._keyring_backend", backend)
    provider = KeyringCredentialProvider()
    assert provider.get("https://db/x/ann") == "s3cret"
    assert provider.get("https://db/x/bob") is None
    for name in ("service", "service/", "/user"):
        assert code_of(provider.get, name) == "credential.malformed"
    backend.error = keyring.errors.KeyringLocked("s3cret")
    assert code_of(provider.get, "a/b") == "credential.denied"
    backend.error = OSError("s3cret")
    assert code_of(provider.get, "a/b") == "credential.unreachable"
    none = keyring.backends.fail.Keyring()  # type: ignore[no-untyped-call]
    monkeypatch.setattr("keyring.core._keyring_backend", none)
    assert code_of(provider.get, "a/b") == "credential.unreachable"


@pytest.mark.inventory("S3-CRED-03")
@pytest.mark.parametrize(
    ("package", "provider", "extra"),
    [
        ("boto3", AWSSecretsManagerProvider(), "aws"),
        ("hvac", VaultProvider("http://127.0.0.1:9", "token"), "vault"),
        ("keyring", KeyringCredentialProvider(), "keyring"),
    ],
)
def test_missing_package(
    monkeypatch: pytest.MonkeyPatch, package: str, provider: CredentialProvider, extra: str
) -> None:
    """A package that is not installed is named, with the command that installs it."""
    for name in list(sys.modules):
        if name == package or name.startswith(f"{package}."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CredentialError) as caught:
        provider.get("a/b#c")
    assert caught.value.code == "credential.missing_dependency"
    assert str(caught.value) == (
        f"the Python package `{package}` is not installed; "
        f"install it with `pip install 'osiris-lsp[{extra}]'`"
    )


@pytest.mark.inventory("S3-CRED-05")
def test_chain() -> None:
    """The first that has a credential gives it; None and errors pass on, the first error last."""
    first, second, third = Counting(), Counting(), Counting(a="3", b="")
    chain = ChainedCredentialProvider([first, second, third])
    assert (chain.get("a"), chain.get("b"), chain.get("c")) == ("3", "", None)
    first.error, second.error = CredentialError("one"), ValueError("two")
    assert chain.get("a") == "3"
    with pytest.raises(CredentialError, match="one"):
        chain.get("c")
    assert ChainedCredentialProvider([]).get("a") is None
    third.calls = 0
    assert ChainedCredentialProvider([Counting(a="1"), third]).get("a") == "1"
    assert third.calls == 0


@pytest.mark.inventory("S3-CRED-06")
def test_cache() -> None:
    """A credential is asked for again after `ttl` seconds; None and errors each time."""
    now = 0.0
    inner = Counting(a="1")
    cached = CachedCredentialProvider(inner, ttl=300, clock=lambda: now)
    assert [cached.get("a"), cached.get("a"), inner.calls] == ["1", "1", 1]
    inner.values["a"] = "2"
    now = 299.9
    assert cached.get("a") == "1"
    now = 300.0
    assert [cached.get("a"), inner.calls] == ["2", 2]
    cached.clear()
    assert [cached.get("a"), inner.calls] == ["2", 3]
    assert [cached.get("b"), cached.get("b"), inner.calls] == [None, None, 5]
    inner.error = CredentialError("down")
    for name in ("b", "b"):
        with pytest.raises(CredentialError):
            cached.get(name)
    assert [cached.get("a"), inner.calls] == ["2", 7]
    inner = Counting(a="1")
    off = CachedCredentialProvider(inner, ttl=0)
    assert [off.get("a"), off.get("a"), inner.calls] == ["1", "1", 2]


@pytest.mark.inventory("S3-CRED-06")
def test_one_look_up_for_many_threads() -> None:
    """Threads that ask for one name share a look-up, and another name does not wait for it."""
    asked, go = threading.Event(), threading.Event()

    class Slow(Counting):
        def get(self, name: str) -> str | None:
            if name == "slow":
                asked.set()
                assert go.wait(10)
            return super().get(name)

    inner = Slow(slow="1", fast="2")
    cached = CachedCredentialProvider(inner)
    results: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: results.append(cached.get("slow"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    assert asked.wait(10)
    assert cached.get("fast") == "2"
    go.set()
    for thread in threads:
        thread.join()
    assert (results, inner.calls) == (["1"] * 8, 2)


def test_a_look_up_that_clear_overtakes_is_not_kept() -> None:
    """What was being looked up while the cache was cleared is not in it afterwards."""

    class Rotating(Counting):
        def get(self, name: str) -> str | None:
            if not self.calls:
                cached.clear()
            return super().get(name)

    inner = Rotating(a="1")
    cached = CachedCredentialProvider(inner)
    assert [cached.get("a"), cached.get("a"), cached.get("a"), inner.calls] == ["1", "1", "1", 2]


@pytest.mark.inventory("S3-CRED-07")
def test_factory() -> None:
    """The kind comes from the argument, else from the environment, else it is `env`."""
    variable = {"OSIRIS_CREDENTIAL_PROVIDER": "vault"}
    kinds = [
        get_credential_provider(None, {}),
        get_credential_provider(None, {"OSIRIS_CREDENTIAL_PROVIDER": ""}),
        get_credential_provider(None, variable),
        get_credential_provider("aws-sm", variable, secret_name="prod/stripe"),
    ]
    assert [type(provider) for provider in kinds] == [
        EnvCredentialProvider,
        EnvCredentialProvider,
        VaultProvider,
        AWSSecretsManagerProvider,
    ]
    inner = [Counting(a="1")]
    assert get_credential_provider("chained", {}, providers=inner).get("a") == "1"
    assert get_credential_provider("chained", {"A": "1"}).get("A") == "1"
    with pytest.raises(ValueError) as caught:
        get_credential_provider(None, {"OSIRIS_CREDENTIAL_PROVIDER": "valt"})
    assert str(caught.value) == (
        "`valt` is no credential provider (`OSIRIS_CREDENTIAL_PROVIDER`); did you mean `vault`?"
    )
    with pytest.raises(
        ValueError, match="`x` is no credential provider; choose one of env, dotenv"
    ):
        get_credential_provider("x")


def test_every_scheme_has_a_provider_and_none_is_loaded_early(tmp_path: Path) -> None:
    """`${provider:...}` has its providers; no driver is loaded before one is asked."""
    (tmp_path / "password").write_text("s3cret\n")
    providers = default_providers({}, tmp_path)
    assert sorted(providers) == sorted(PROVIDERS)
    assert providers["file"].get("password") == "s3cret"
    code = (
        "import sys; from osiris_lsp.connectors.credentials import default_providers as d; d()\n"
        "print(*sorted({'asyncio', 'boto3', 'botocore', 'dotenv', 'hvac', 'keyring', 'requests',"
        "'ssl'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "\n"


@pytest.mark.inventory("S3-CRED-08", "S3-CRED-09")
def test_vendors() -> None:
    """The seeds' fields, positions and defaults; a provider fills them in."""
    assert StripeCredentials("sk").webhook_secret is None
    assert StripeCredentials("sk", "wh") == StripeCredentials(secret_key="sk", webhook_secret="wh")
    assert HubSpotCredentials("pat").base_url == "https://api.hubapi.com"
    provider = Counting(STRIPE_API_KEY="sk", HUBSPOT_ACCESS_TOKEN="pat")
    assert StripeCredentials.from_provider(provider) == StripeCredentials("sk")
    assert HubSpotCredentials.from_provider(provider) == HubSpotCredentials("pat")
    assert code_of(StripeCredentials.from_provider, Counting()) == "credential.missing"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=30))
@pytest.mark.inventory("S3-CRED-08", "S3-CRED-09")
def test_no_representation_shows_a_secret(text: str) -> None:
    """Neither `repr` nor `str` of a provider or of a vendor's credentials has a secret in it."""
    secret = f"s3cret{text}"
    cached = CachedCredentialProvider(EnvCredentialProvider({"A": secret}))
    assert cached.get("A") == secret
    holders = [
        cached,
        ChainedCredentialProvider([cached, VaultProvider(f"http://u:{secret}@h", secret)]),
        VaultProvider(environment={"VAULT_TOKEN": secret}),
        AWSSecretsManagerProvider(endpoint_url=f"http://u:{secret}@h"),
        StripeCredentials(secret, secret),
        HubSpotCredentials(secret),
        default_providers({"VAULT_TOKEN": secret}),
    ]
    assert [holder for holder in holders if "s3cret" in f"{holder} {holder!r}"] == []
