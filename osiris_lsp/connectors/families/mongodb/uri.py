"""What a MongoDB connection leads to: its URI, and what the DNS knows about `mongodb+srv://`."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from osiris_lsp.connectors import dsn
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorTimeoutError,
)
from osiris_lsp.connectors.health import Check, causes
from osiris_lsp.connectors.network import split_host

Seed = tuple[str, int]
"""Host and port of a member to begin with."""

# MongoDB compares the names of options without regard to case.
_OPTIONS: Final = {
    "authsource": "auth_source",
    "authmechanism": "auth_mechanism",
    "replicaset": "replica_set",
    "readpreference": "read_preference",
    "directconnection": "direct",
    "tls": "ssl",
    "ssl": "ssl",
    "tlscafile": "ssl_ca",
    "tlscertificatekeyfile": "ssl_cert",
    "tlsinsecure": "any_certificate",
    "tlsallowinvalidcertificates": "any_certificate",
    "tlsallowinvalidhostnames": "any_host",
    **dict.fromkeys(("appname", "compressors", "journal", "w", "zlibcompressionlevel"), ""),
    **dict.fromkeys(("connecttimeoutms", "heartbeatfrequencyms", "localthresholdms"), ""),
    **dict.fromkeys(("maxconnecting", "maxidletimems", "maxpoolsize", "maxstalenessseconds"), ""),
    **dict.fromkeys(("minpoolsize", "readconcernlevel", "readpreferencetags", "retryreads"), ""),
    **dict.fromkeys(("retrywrites", "serverselectiontimeoutms", "sockettimeoutms"), ""),
    **dict.fromkeys(("timeoutms", "uuidrepresentation", "waitqueuetimeoutms", "wtimeoutms"), ""),
}


def read_uri(text: str, field: str) -> dict[str, Any]:
    """Return the fields of a `mongodb://` or `mongodb+srv://` URI.

    In place of `host`, several hosts are in `seeds`, and the name to look up in the DNS is `srv`.
    """
    scheme, _, rest = text.strip().partition("://")
    address, _, query = rest.partition("?")
    authority, slash, database = address.partition("/")
    user, at, names = authority.rpartition("@")
    hosts = [split_host(name) for name in names.split(",")]
    options = urlencode([(name.lower(), value) for name, value in parse_qsl(query)])
    url = f"{scheme}://{user}{at}{names.partition(',')[0]}{slash}{database}?{options}"
    found = dsn.url_fields(url, field, ("mongodb",), _OPTIONS)
    if scheme == "mongodb+srv":
        found["srv"] = found.pop("host", "")
        found.setdefault("ssl", True)
    elif len(hosts) > 1:
        found.pop("host", None)
        found["seeds"] = hosts
    if "ssl_cert" in found:
        found["ssl_key"] = found["ssl_cert"]
    if found.pop("any_certificate", "").lower() == "true":
        found["ssl_verify"] = False
    if found.pop("any_host", "").lower() == "true" and found.get("ssl"):
        found["ssl"] = {"check_hostname": False}
    if "database" in found:
        found["login_database"] = found["database"]
    return found


def seeds_of(
    check: Check, connection: ResolvedConnection, options: dict[str, Any]
) -> Sequence[Seed]:
    """Return the members to begin with, and complete the options by what the DNS says."""
    name = connection.text("srv")
    if name and "host" not in connection:
        from pymongo.uri_parser import parse_uri

        check.at("dns", "host")
        answer = parse_uri(f"mongodb+srv://{name}/", connect_timeout=check.deadline.remaining())
        if "auth_source" not in connection and "authSource" in answer["options"]:
            options["authSource"] = answer["options"]["authSource"]
        options.setdefault("replicaSet", answer["options"].get("replicaSet"))
        return tuple(answer["nodelist"])
    port = dsn.port_of(connection)
    if "host" not in connection and connection.get("seeds"):
        return tuple((host, own or port) for host, own in connection["seeds"])
    if "replicaSet" not in options:
        options.setdefault("directConnection", True)
    return ((connection.text("host") or "localhost", port),)


def srv_failure(error: BaseException) -> ConnectorError:
    """Say why the name of a `mongodb+srv://` URI gives no members."""
    from dns import exception, resolver

    for item in causes(error):
        if isinstance(item, resolver.NXDOMAIN | resolver.NoAnswer):
            return ConnectorNetworkError(
                "the DNS has no SRV record for this name",
                code="dns.nxdomain",
                stage="dns",
                remedy="check the name, or write `mongodb://` with the names of the members",
                retryable=False,
            )
        if isinstance(item, exception.Timeout):
            return ConnectorTimeoutError(
                "the name server did not answer",
                code="dns.timeout",
                stage="dns",
                remedy="check the network or VPN, or raise `--timeout`",
            )
        if isinstance(item, exception.DNSException):
            return ConnectorNetworkError(
                "the name could not be looked up",
                code="dns.failed",
                stage="dns",
                remedy="check the name servers of this machine, then try again",
            )
    return ConnectorConfigError(
        "the DNS gives no members that may be trusted for this name",
        code="config.dsn",
        field="uri",
        remedy="a name for `mongodb+srv://` has a domain, and its members are in that domain",
    )
