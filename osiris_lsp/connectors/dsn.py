"""Connections to SQL servers that stand in one text: URLs, and the `key=value` form of libpq."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.network import split_host
from osiris_lsp.specs import nearest

Read = Callable[[str, str], dict[str, Any]]
"""Takes a DSN and the YAML field that it stands in, and returns its fields."""

_TRUE: Final = frozenset(("true", "yes", "on", "1"))
_FALSE: Final = frozenset(("false", "no", "off", "0"))
_PAIR: Final = r"\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)(?=\s|$)\s*"

# Options of drivers that never are allowed: they read files, run statements, or change who logs in.
_KNOWN: Final = frozenset(
    (
        *("local_infile", "init_command", "read_default_file", "read_default_group", "client_flag"),
        *("auth_plugin_map", "cursorclass", "conv", "bind_address", "server_public_key", "plugin"),
        *("service", "servicefile", "passfile", "sslpassword", "sslcrl", "sslcrldir", "hostaddr"),
        *("krbsrvname", "gsslib", "requirepeer", "target_session_attrs", "load_balance_hosts"),
        *(
            "sslnegotiation",
            "require_auth",
            "replication",
            "pgbouncer",
            "sql_mode",
            "allowMultiQueries",
        ),
    )
)


def expanded(
    connection: ResolvedConnection, read: Read, dsn: str = "", field: str = "dsn", family: str = ""
) -> ResolvedConnection:
    """Return a connection with the fields of its DSN in place of the DSN; others stay."""
    text = dsn or connection.text(field)
    if not text:
        return connection
    kept = {
        name: value for name, value in connection.items() if name not in (field, "family", "alias")
    }
    return ResolvedConnection(
        family or connection.family,
        connection.alias,
        {**(kept if not dsn else {}), **read(text, field)},
        spec=None if family else connection.spec,
        base=connection.base,
    )


def url_fields(
    text: str, field: str, schemes: tuple[str, ...], options: Mapping[str, str]
) -> dict[str, Any]:
    """Return the fields of a URL; `options` maps the options that it may have to their fields.

    An option with an empty field is accepted and has no effect on a check.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise _unreadable(field, schemes[0]) from None
    if parts.scheme.partition("+")[0] not in schemes or "," in parts.netloc.rpartition("@")[2]:
        raise _unreadable(field, schemes[0])
    if "@" in parts.path + parts.query + parts.fragment:
        # The user part ends at the first of these characters: what follows may be a password.
        raise ConnectorConfigError(
            f"`{field}` has one of `/ ? # @` in its user or password, where URLs do not allow it",
            code="config.dsn",
            field=field,
            remedy="write `/` as `%2F`, `?` as `%3F`, `#` as `%23`, `@` as `%40`",
        )
    found = {
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password) if parts.password is not None else None,
        # `hostname` would be in lower case, which is wrong for the folder of a socket.
        "host": unquote(split_host(parts.netloc.rpartition("@")[2])[0]),
        "port": port,
        "database": unquote(parts.path[1:]),
    }
    found.update(option_fields(parse_qsl(parts.query, keep_blank_values=True), field, options))
    return {name: value for name, value in found.items() if value not in ("", None)} | (
        {"password": ""} if found["password"] == "" else {}
    )


def pair_fields(text: str, field: str, options: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a `key=value …` text (PostgreSQL manual, 34.1.1.1)."""
    if not re.fullmatch(f"(?:{_PAIR})+", text):
        raise _unreadable(field, "postgresql")
    pairs = [
        (match[1], re.sub(r"\\(.)", r"\1", match[2].removeprefix("'").removesuffix("'")))
        for match in re.finditer(_PAIR, text)
    ]
    return option_fields(pairs, field, options)


def option_fields(
    pairs: list[tuple[str, str]], field: str, options: Mapping[str, str]
) -> dict[str, Any]:
    """Return options as fields; raises ConnectorConfigError for one that is not allowed."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in options:
            # An unknown word is not repeated: it may be a piece of a password.
            close = nearest(name, options)
            said = f" `{name}`" if close or name in _KNOWN else ""
            raise ConnectorConfigError(
                f"`{field}` has an option{said} that is not allowed in it",
                code="config.dsn_option",
                field=field,
                remedy=f"did you mean `{close}`?"
                if close
                else f"take it out; allowed are {', '.join(options)}",
            )
        if options[name]:
            found[options[name]] = value
    for name in ("ssl", "ssl_verify"):
        if name in found:
            found[name] = _boolean(found[name], field, name)
    return found


def _boolean(value: str, field: str, option: str) -> bool:
    if value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise ConnectorConfigError(
        f"the option `{option}` in `{field}` is neither true nor false",
        code="config.dsn_option",
        field=field,
        remedy=f"write `{option}=true`",
    )


def _unreadable(field: str, scheme: str) -> ConnectorConfigError:
    return ConnectorConfigError(
        f"`{field}` is no address of one server that can be read",
        code="config.dsn",
        field=field,
        remedy=f"write `{scheme}://user:password@host:port/database`; other servers go into "
        "`replicas`",
    )


def port_of(connection: ResolvedConnection) -> int:
    """Return the port; raises ConnectorConfigError for what is none."""
    value = connection.value("port")
    text = "" if isinstance(value, bool) else str(value)
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise ConnectorConfigError(
        "`port` is no number from 1 to 65535",
        code="config.range",
        field="port",
        remedy="write the number without quotes",
    )


def user_of(connection: ResolvedConnection) -> str:
    """Return the user; drivers would take the one of this machine where there is none."""
    user = connection.text("user")
    if not user:
        raise ConnectorConfigError(
            "no `user` is given to log in as",
            code="config.missing_field",
            field="user",
            remedy="add `user`",
        )
    return user
