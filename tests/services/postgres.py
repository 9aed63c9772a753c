"""PostgreSQL with TLS and SCRAM, a database `shop` and roles for each way to be refused."""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.services import packages
from tests.services.certificates import Certificates
from tests.services.processes import (
    PASSWORD,
    ROOT_PASSWORD,
    Server,
    addresses,
    call,
    copy,
    free_port,
    give,
    launch,
)
from tests.services.run import Run, Unavailable

# A blank line ends a statement of a single-user server.
ROLES = f"""\
ALTER ROLE postgres PASSWORD '{ROOT_PASSWORD}';

CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}';

CREATE ROLE writer LOGIN PASSWORD '{PASSWORD}';

CREATE ROLE read_only LOGIN PASSWORD '{PASSWORD}' IN ROLE writer;

ALTER ROLE read_only SET default_transaction_read_only = on;

CREATE ROLE nobody_rights LOGIN PASSWORD '{PASSWORD}';

CREATE ROLE nologin NOLOGIN PASSWORD '{PASSWORD}';

CREATE ROLE no_connect LOGIN PASSWORD '{PASSWORD}';

CREATE ROLE tls_only LOGIN PASSWORD '{PASSWORD}' IN ROLE reader;

CREATE ROLE x509_only LOGIN PASSWORD '{PASSWORD}' IN ROLE reader;

CREATE ROLE one_connection LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 1 IN ROLE reader;

CREATE ROLE expired LOGIN PASSWORD '{PASSWORD}' VALID UNTIL '2020-01-01';

CREATE DATABASE shop;

REVOKE CONNECT ON DATABASE shop FROM PUBLIC;

GRANT CONNECT ON DATABASE shop TO reader, writer, nobody_rights;

"""
SHOP = """\
CREATE TABLE orders (id int PRIMARY KEY, customer text NOT NULL, total numeric(10, 2));

INSERT INTO orders VALUES (1, 'Ada', 9.90), (2, 'Žofie 🛒', 120.00), (3, 'O''Hara', NULL);

GRANT SELECT ON orders TO reader;

GRANT ALL ON orders TO writer;

"""
# A role in the first three lines has no entry for a connection without TLS.
ACCESS = """\
hostssl   all x509_only all scram-sha-256 clientcert=verify-ca
hostssl   all all       all scram-sha-256
local     all all           scram-sha-256
hostnossl all postgres,reader,writer,read_only,nobody_rights,nologin,no_connect,\
one_connection,expired all scram-sha-256
"""


def data(folder: Path) -> Path:
    """The data folder, with roles and tables, from which each server starts."""
    root, daemon = program()
    variables = packages.environment(root)
    target = folder / "data"
    give(folder)
    call(
        [
            *(str(daemon.with_name("initdb")), "--auth=trust", "--username=postgres", "--no-sync"),
            *("--locale=C", "--encoding=UTF8", "--wal-segsize=1", f"--pgdata={target}"),
        ],
        variables,
    )
    for database, statements in (("postgres", ROLES), ("shop", SHOP)):
        call([str(daemon), "--single", "-j", "-D", str(target), database], variables, statements)
    (target / "pg_hba.conf").write_text(ACCESS)
    return target


def start(
    run: Run,
    folder: Path,
    certificates: Certificates,
    filled: Path,
    *settings: str,
    variables: Mapping[str, str] = MappingProxyType({}),
    standby: bool = False,
) -> Server:
    """Start a server in the folder, with settings such as `max_connections=1`.

    A standby waits for ever for its primary and refuses all connections until then (57P03).
    """
    root, daemon = program()
    target, port = folder / "data", free_port()
    copy(filled, target)
    if standby:
        (target / "standby.signal").touch()
        settings = ("hot_standby=off", *settings)
    give(folder)
    settings = (
        f"listen_addresses={','.join(addresses())}",
        f"port={port}",
        f"unix_socket_directories={folder}",
        "ssl=on",
        f"ssl_ca_file={certificates.ca}",
        f"ssl_cert_file={certificates.cert}",
        f"ssl_key_file={certificates.key}",
        "fsync=off",
        "jit=off",
        "shared_buffers=16MB",
        *settings,
    )
    launch(
        run,
        folder,
        [str(daemon), "-D", str(target), *(f"--{setting}" for setting in settings)],
        {**packages.environment(root), **variables},
        stop_signal=signal.SIGQUIT,  # at once: the data are a copy
        ready=lambda: status(target) == ("standby" if standby else "ready"),
    )
    return Server("127.0.0.1", port, port, folder / f".s.PGSQL.{port}", folder, root="postgres")


def german(folder: Path) -> tuple[Mapping[str, str], str]:
    """The variables and the setting with which a server speaks German."""
    root, _ = program()
    if not packages.programs(root, "usr/share/locale/de/LC_MESSAGES/postgres-*.mo"):
        raise Unavailable("PostgreSQL was installed without its translations")
    locales, _ = packages.find("usr/share/i18n/locales/de_DE", "locales")
    source = locales / "usr/share/i18n"
    command = ("localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8"))
    give(folder)
    call(command, {"I18NPATH": str(source)})
    return {"LOCPATH": str(folder)}, "lc_messages=de_DE.UTF-8"


def status(target: Path) -> str:
    """What the server says of itself: the last line of its lock file, once that is complete."""
    try:
        lines = (target / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return ""
    return lines[7].strip() if len(lines) > 7 else ""


def wait_for(server: Server, expected: str) -> None:
    """Wait until the server says `expected` of itself; TimeoutError after 10 seconds."""
    deadline = time.monotonic() + 10
    while status(server.folder / "data") != expected:
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL in {server.folder} is not {expected} after 10 s")
        time.sleep(0.01)


@contextmanager
def holding(server: Server) -> Iterator[None]:
    """Hold one connection open."""
    from pg8000.native import Connection

    connection = Connection(
        "reader", host=server.host, port=server.port, database="shop", password=server.password
    )
    try:
        yield
    finally:
        connection.close()


def program() -> tuple[Path, Path]:
    """The root of the packages and the server in it."""
    return packages.find("usr/lib/postgresql/*/bin/postgres", "postgresql")
