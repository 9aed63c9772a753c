"""Families that a project defines itself: the check that `x-doctor` in their schema declares.

- `{kind: http, url, method?, headers?, expect?}`: one request; `expect` lists the good statuses,
  which are those from 200 to 299 when it is not given
- `{kind: tcp, host, port, tls?}`: one connection, with a TLS handshake where `tls` is true
- `{kind: sqlalchemy, url}`: one login and `SELECT 1`, by the driver that the URL names

`{field}` in a text stands for a field of the connection, `{{` and `}}` for braces. In a URL values
are percent-encoded; in headers they stand as they are.
"""

from collections.abc import Mapping
from typing import Any, Final

from osiris_lsp.connectors.answers import expect
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorAPIError, ConnectorConfigError, ConnectorError
from osiris_lsp.connectors.exchange import request
from osiris_lsp.connectors.families import mysql, postgres
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.isolated import login
from osiris_lsp.connectors.network import connect
from osiris_lsp.connectors.templates import Template
from osiris_lsp.connectors.tls import secure, tls_of
from osiris_lsp.specs import FamilySpec, nearest

_KEYS: Final[Mapping[str, Mapping[str, type | tuple[type, ...]]]] = {
    "http": {"url": str, "method": str, "headers": Mapping, "expect": (list, int)},
    "tcp": {"host": str, "port": (str, int), "tls": bool},
    "sqlalchemy": {"url": str},
}
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "http": ("url",),
    "tcp": ("host", "port"),
    "sqlalchemy": ("url",),
}
_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST")
"""Methods that a check may use: it changes nothing."""

_EXAMPLE: Final = 'add `"x-doctor": {"kind": "http", "url": "https://{host}/health"}` to its schema'
_DIALECTS: Final[Mapping[str, Any]] = {
    "mysql": mysql,
    "mariadb": mysql,
    "postgresql": postgres,
    "postgres": postgres,
}


class Declared(Connector):
    """The connector of a project's own family."""

    def __init__(self, spec: FamilySpec) -> None:
        self._spec = spec
        self._declared = spec.schema.get("x-doctor")

    def probe(self, check: Check) -> None:
        """Do what `x-doctor` says; raises ConnectorConfigError where it cannot be done."""
        declared = self._checked()
        kind = declared["kind"]
        if kind == "http":
            self._http(check, declared)
        elif kind == "tcp":
            self._tcp(check, declared)
        else:
            self._sqlalchemy(check, declared["url"])

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        """Say what an error of a MySQL or PostgreSQL server means; others have no codes."""
        declared = self._declared
        url = declared.get("url") if isinstance(declared, Mapping) else None
        family = _DIALECTS.get(_dialect(url)) if isinstance(url, str) else None
        explained: ConnectorError | None = None
        if family is not None:
            explained = family.CONNECTOR.explain(error, check)
        return explained

    def _checked(self) -> Mapping[str, Any]:
        """Return `x-doctor`, or raise the error for what is wrong in it."""
        declared = self._declared
        if declared is None:
            raise ConnectorConfigError(
                f"the family `{self._spec.name}` does not say how to check a connection: its "
                "schema has no `x-doctor`",
                code="config.no_doctor",
                remedy=_EXAMPLE,
            )
        if not isinstance(declared, Mapping):
            raise self._wrong("is no mapping")
        kind = declared.get("kind")
        if not isinstance(kind, str) or kind not in _KEYS:
            raise self._wrong(f"needs a `kind` out of {', '.join(_KEYS)}")
        keys = _KEYS[kind]
        for name in _REQUIRED[kind]:
            if name not in declared:
                raise self._wrong(f"of kind `{kind}` needs `{name}`")
        for name, value in declared.items():
            if name != "kind" and name not in keys:
                close = nearest(str(name), keys)
                hint = f"did you mean `{close}`?" if close else f"it has {', '.join(keys)}"
                raise self._wrong(f"of kind `{kind}` has no `{name}`: {hint}")
            if name in keys and not isinstance(value, keys[name]):
                raise self._wrong(f"has a `{name}` of the wrong type")
        return declared

    def _wrong(self, what: str) -> ConnectorConfigError:
        return ConnectorConfigError(
            f"`x-doctor` in the schema of the family `{self._spec.name}` {what}",
            code="config.doctor",
            remedy="correct it in the schema",
        )

    def _template(self, text: object) -> Template:
        try:
            return Template(str(text), self._spec)
        except ValueError as error:
            raise self._wrong(str(error)) from None

    def _http(self, check: Check, declared: Mapping[str, Any]) -> None:
        method = str(declared.get("method", "GET")).upper()
        if method not in _METHODS:
            raise self._wrong(f"may use {', '.join(_METHODS)}: a check changes nothing")
        listed = declared.get("expect", [])
        statuses = [listed] if isinstance(listed, int) else listed
        url = self._template(declared["url"])
        headers = {
            str(name): self._template(text) for name, text in declared.get("headers", {}).items()
        }
        key = next((field for text in headers.values() for field in text.fields), url.secret)
        response = request(
            check,
            method,
            url.quoted(check.connection),
            headers={name: text.raw(check.connection) for name, text in headers.items()},
            field=url.field,
        )
        check.facts["http_status"] = response.status
        if response.status in statuses:
            return
        expect(response, key_field=key, url_field=url.field)
        if statuses:
            raise ConnectorAPIError(
                f"the server answers HTTP {response.status}, and not what `x-doctor` expects",
                status_code=response.status,
                code="http.unexpected_status",
                field=url.field,
                remedy=f"check `{url.field}`, and `expect` in the schema",
                kind="HTTPStatusError",
            )

    def _tcp(self, check: Check, declared: Mapping[str, Any]) -> None:
        host_template, port_template = map(self._template, (declared["host"], declared["port"]))
        host = host_template.raw(check.connection)
        port = port_template.raw(check.connection)
        if not (port.isdecimal() and 0 < int(port) < 65536):
            raise ConnectorConfigError(
                "the port is no number from 1 to 65535",
                code="config.range",
                field=port_template.field,
                remedy=f"check `{port_template.field or 'x-doctor'}`",
            )
        sock = connect(check, host, int(port), host_template.field, port_template.field)
        if declared.get("tls"):
            check.at("tls", host_template.field)
            secure(check, sock, tls_of(check.connection), host)

    def _sqlalchemy(self, check: Check, text: str) -> None:
        template = self._template(text)
        url = template.quoted(check.connection)
        family = _DIALECTS.get(_dialect(text))
        if family is None:
            login(check, url, template.field)
            return
        scheme, colon, rest = url.partition("://")
        family.probe_dsn(check, f"{scheme.partition('+')[0]}{colon}{rest}", template.field)


def _dialect(url: str) -> str:
    return url.partition("://")[0].partition("+")[0].lower()
