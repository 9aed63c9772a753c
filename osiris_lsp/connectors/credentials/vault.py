"""Credentials in a key-value engine, version 2, of HashiCorp Vault or OpenBao."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from osiris_lsp.connectors.credentials.file import FileCredentialProvider
from osiris_lsp.connectors.credentials.provider import CredentialProvider, driver, pick, split_name
from osiris_lsp.connectors.errors import CredentialError

_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})  # as Vault's own client reads it

_STATUS: Final = {
    429: ("has too much to do", "try again later"),
    501: ("is not initialized", "run `vault operator init`"),
    503: ("is sealed or under maintenance", "run `vault operator unseal`, or try again later"),
}


class _Login(NamedTuple):
    url: str
    host: str
    token: str


@dataclass(frozen=True, eq=False)
class VaultProvider(CredentialProvider):
    """A key-value engine (version 2) of Vault by `path#field`.

    `mount/data/path`, as Vault's API has it, names any mount; `path` and `mount/path` mean the
    mount of this provider. What is not given comes from `VAULT_ADDR`, `VAULT_TOKEN` or
    `~/.vault-token`, and `VAULT_NAMESPACE`; `VAULT_CACERT`, `VAULT_CAPATH`, `VAULT_SKIP_VERIFY`,
    `VAULT_CLIENT_CERT` and `VAULT_CLIENT_KEY` count. `timeout` is in seconds, for connecting and
    for each read.
    """

    url: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    namespace: str | None = None
    mount: str = "secret"
    timeout: float = 5.0
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def get(self, name: str) -> str | None:
        """Return a field of the latest version of a secret."""
        path, key = split_name(name)
        mount, path = self._locate(path)
        if key is None or any(part in ("", ".", "..") for part in f"{mount}/{path}".split("/")):
            raise CredentialError(
                f"`{name}` names no field of a secret in Vault",
                code="credential.malformed",
                remedy="write `path#field`",
            )
        login = self._login()
        status, body = self._read(login, f"/v1/{quote(mount)}/data/{quote(path)}")
        if status == 404:
            # Vault names an error where the mount is missing, and none where the secret is.
            if body.get("errors"):
                raise CredentialError(
                    f"Vault at `{login.host}` has no engine at `{mount}`",
                    code="credential.malformed",
                    remedy="write `mount/data/path#field` for another mount",
                )
            return None
        secret = body.get("data")
        values = secret.get("data") if isinstance(secret, Mapping) else None
        if status != 200 or not isinstance(values, Mapping):
            raise _refused(login.host, mount, path, status)
        return pick(values, key)

    def _locate(self, path: str) -> tuple[str, str]:
        mount, data, rest = path.strip("/").partition("/data/")
        if data:
            return mount, rest
        default = self.mount.strip("/")
        return default, path.strip("/").removeprefix(f"{default}/")

    def _login(self) -> _Login:
        url = self.url or self.environment.get("VAULT_ADDR")
        if not url:
            raise _no_login("the address of Vault is not known", "set `VAULT_ADDR`")
        try:
            parts = urlsplit(url)
            valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
        except ValueError:
            valid = False
        if not valid:
            raise CredentialError(
                "the address of Vault is no http or https URL",
                code="credential.malformed",
                remedy="check `VAULT_ADDR`",
            )
        token = self.token or self.environment.get("VAULT_TOKEN") or self._token_file() or ""
        token = token.strip()
        if not token or not token.isascii() or not token.isprintable():
            raise _no_login(
                "there is no token for Vault", "run `vault login`, or set `VAULT_TOKEN`"
            )
        return _Login(url, parts.netloc.rpartition("@")[2], token)

    def _token_file(self) -> str | None:
        home = self.environment.get("HOME") or os.path.expanduser("~")
        return FileCredentialProvider().get(os.path.join(home, ".vault-token"))

    def _read(self, login: _Login, path: str) -> tuple[int, Mapping[str, Any]]:
        """Return the status and the JSON object that Vault answers with, `{}` if it is none."""
        adapter = self._adapter(login)
        requests = driver("requests.exceptions", "hvac", "vault")
        reason, remedy = "cannot be reached", "check `VAULT_ADDR`, the network and the proxy"
        code = "credential.unreachable"
        try:
            response = adapter.get(path)
            return response.status_code, _body(response)
        except requests.Timeout:
            reason, code = f"did not answer within {self.timeout:g} s", "credential.timeout"
        except requests.SSLError:
            reason = "made no TLS connection that we trust"
            remedy = "set `VAULT_CACERT` to the file of its CA"
        except requests.RequestException:
            pass
        except (OSError, ValueError):
            reason = "cannot be asked: a file for TLS cannot be read"
            remedy = "check `VAULT_CACERT`, `VAULT_CAPATH` and `VAULT_CLIENT_CERT`"
            code = "credential.unreadable"
        finally:
            adapter.close()
        raise CredentialError(f"Vault at `{login.host}` {reason}", code=code, remedy=remedy)

    def _adapter(self, login: _Login) -> Any:
        variables = self.environment
        verify: str | bool = variables.get("VAULT_CACERT") or variables.get("VAULT_CAPATH") or True
        if variables.get("VAULT_SKIP_VERIFY") in _TRUE:
            verify = False
        certificate = variables.get("VAULT_CLIENT_CERT")
        return driver("hvac.adapters", "hvac", "vault").RawAdapter(
            base_uri=login.url,
            token=login.token,
            cert=(certificate, variables.get("VAULT_CLIENT_KEY")) if certificate else None,
            verify=verify,
            timeout=self.timeout,
            namespace=self.namespace or variables.get("VAULT_NAMESPACE"),
            # A redirect would carry the token to whatever host it names.
            allow_redirects=False,
            ignore_exceptions=True,
        )


def _body(response: Any) -> Mapping[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _refused(host: str, mount: str, path: str, status: int) -> CredentialError:
    if status in (401, 403):
        return CredentialError(
            f"Vault at `{host}` does not let this token read `{path}` in `{mount}`",
            code="credential.denied",
            remedy="run `vault login`, and check its policies and the namespace",
        )
    if status == 400:
        return CredentialError(
            f"Vault at `{host}` does not understand `{path}` in `{mount}`",
            code="credential.malformed",
            remedy="check the path",
        )
    otherwise = f"answered with HTTP status {status}, not with a secret", "check `VAULT_ADDR`"
    reason, remedy = _STATUS.get(status, otherwise)
    return CredentialError(
        f"Vault at `{host}` {reason}", code="credential.unreachable", remedy=remedy
    )


def _no_login(reason: str, remedy: str) -> CredentialError:
    return CredentialError(reason, code="credential.no_login", remedy=remedy)
