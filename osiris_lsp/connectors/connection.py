"""A resolved connection: its values, with secrets that do not show."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from osiris_lsp.secret import Redactor, Secret
from osiris_lsp.secrets.names import is_secret_name
from osiris_lsp.specs import Families, FamilySpec, Section
from osiris_lsp.text import lazy

METADATA: Final = frozenset(("default", "alias", "description"))
"""Fields for people and for references; drivers never see them."""

_PLACEHOLDER: Final = lazy(r"[*•]{3,}(?:[A-Z]+[*•]{3,})?|<[^<>]*>|.*\$\{[^}]*\}.*|.*\{\{.*\}\}.*")


class Origin(NamedTuple):
    """Where a piece of a value comes from.

    `kind` is `literal`, `environment`, `.env`, `default` (of a variable or of the schema), or the
    provider of a reference; `name` is the variable or what the provider was asked for.
    """

    kind: str
    name: str = ""


class ResolvedConnection(Mapping[str, Any]):
    """The fields of a connection by their current names, with `family` and `alias` (CONN-006).

    Values of secret fields are `Secret`, wherever they are nested. `base` is the folder against
    which paths are read. `reveal()` gives the plain dict for a driver.
    """

    def __init__(
        self,
        family: str,
        alias: str,
        values: Mapping[str, Any],
        *,
        spec: FamilySpec | None = None,
        base: str | None = None,
        origins: Mapping[str, tuple[Origin, ...]] | None = None,
        more_secrets: tuple[Secret, ...] = (),
    ) -> None:
        self.family = family
        self.alias = alias
        self.spec = Families().find(family) if spec is None else spec
        self.base = base or os.getcwd()
        self.origins = origins or {}
        section = self.spec.section if self.spec is not None else Section({})
        self._values: dict[str, Any] = {"family": family, "alias": alias}
        for name, value in values.items():
            if name not in METADATA and name != "family":
                self._values[section.spelling(name)] = _hidden(name, value, section)
        self._more_secrets = more_secrets

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"ResolvedConnection({self.redactor().redact(repr(self._values))})"

    @property
    def ref(self) -> str:
        """The reference `@family.alias`."""
        return f"@{self.family}.{self.alias}"

    def value(self, name: str) -> Any:
        """Return a field, or the default of its schema, or None."""
        if self._values.get(name) is not None:
            return self._values[name]
        field = self.spec.fields.get(name) if self.spec is not None else None
        return None if field is None else field.schema.get("default")

    def text(self, name: str) -> str:
        """Return a field as plain text, secrets revealed; empty where it is not there."""
        value = self.value(name)
        if isinstance(value, Secret):
            return value.reveal()
        return "" if value is None else str(value)

    def path(self, name: str) -> str:
        """Return a field as a path, relative ones counted from `base`; empty where not there."""
        text = self.text(name)
        return os.path.normpath(os.path.join(self.base, os.path.expanduser(text))) if text else ""

    def reveal(self) -> dict[str, Any]:
        """Return the plain dict for a driver (CONN-006); nothing in it is hidden."""
        revealed: dict[str, Any] = _revealed(self._values)
        return revealed

    def secrets(self) -> Iterator[tuple[str, Secret]]:
        """Yield every secret value with the top-level field that holds it; those in URLs too."""
        for name, value in self._values.items():
            for item in _scalars(value):
                if isinstance(item, Secret):
                    yield name, item
                    yield from ((name, Secret(part)) for part in url_secrets(item.reveal()))
                elif isinstance(item, str):
                    yield from ((name, Secret(part)) for part in url_secrets(item))
        yield from (("", secret) for secret in self._more_secrets)

    def redactor(self) -> Redactor:
        """Return the redactor that knows all secrets of this connection."""
        users = [str(self._values[name]) for name in _USERS if name in self._values]
        return Redactor((secret for _, secret in self.secrets()), users)

    def placeholder(self) -> str | None:
        """Return the field whose secret is a mask or a template, not a value; None without one."""
        for name, secret in self.secrets():
            if name and _PLACEHOLDER.fullmatch(secret.reveal().strip()):
                return name
        return None


_USERS: Final = ("user", "username", "client_id", "auth_username")


def _hidden(name: str, value: Any, section: Section) -> Any:
    """Return a value with its secrets wrapped."""
    field = section.fields.get(name, {})
    if field.get("writeOnly") is True or field.get("x-secret-values") is True:
        return _wrapped(value)
    if isinstance(value, Mapping):
        inner = section.inner.get(name) or [Section({})]
        return {
            inner[0].spelling(str(key)): _hidden(str(key), item, inner[0])
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_hidden(name, item, section) for item in value]
    if isinstance(value, str) and (
        _has_login(value) or (name not in section.fields and hides(name))
    ):
        return Secret(value)
    return value


def _has_login(text: str) -> bool:
    """Tell whether a text is an address with a password or token in it."""
    return "://" in text and next(url_secrets(text), None) is not None


def hides(name: str) -> bool:
    """Tell whether a field that no schema knows is secret by its name (R-22)."""
    return is_secret_name(name) or name.lower() == "key"


def _wrapped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _wrapped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_wrapped(item) for item in value]
    return value if value is None or isinstance(value, Secret | bool) else Secret(str(value))


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: _revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(item) for item in value]
    return value


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _scalars(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _scalars(item)
    else:
        yield value


_PASSWORD: Final = lazy(
    r"(?i)(?:^|[\s;?&])(?:\w{0,20}password|pwd|\w{0,20}token|\w{0,20}secret|\w{0,20}key)"
    r"\s*=\s*('(?:[^'\\]|\\.)*'|[^\s;&]+)"
)


def url_secrets(text: str) -> Iterator[str]:
    """Yield the passwords and tokens in a URL or connection string, as written and decoded."""
    if "=" in text:
        for match in _PASSWORD.finditer(text):
            yield match[1].strip("'")
            yield unquote(match[1].strip("'"))
    if "://" not in text or "@" not in text:
        return
    try:
        userinfo = urlsplit(text).netloc.rpartition("@")[0]
    except ValueError:
        userinfo = text.partition("://")[2].rpartition("@")[0]
    user, colon, password = userinfo.partition(":")
    # Without a password the user part may be a token, as in `https://ghp_…@host`.
    part = password if colon else (user if text.lstrip().startswith("http") else "")
    if part:
        yield part
        yield unquote(part)
