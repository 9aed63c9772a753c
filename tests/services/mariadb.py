"""MariaDB with TLS, a database `shop` and accounts for each way to be refused."""

import signal
from pathlib import Path

from tests.services import packages
from tests.services.certificates import Certificates
from tests.services.processes import (
    PASSWORD,
    ROOT_PASSWORD,
    Server,
    addresses,
    answers,
    call,
    copy,
    free_port,
    give,
    launch,
)
from tests.services.run import Run

# One statement a line: that is how `--init-file` reads it.
SEED = f"""\
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE TABLE shop.orders (id INT PRIMARY KEY, customer VARCHAR(50) NOT NULL, total DECIMAL(10, 2));
INSERT INTO shop.orders VALUES (1, 'Ada', 9.90), (2, 'Žofie 🛒', 120.00), (3, 'O''Hara', NULL);
DROP USER IF EXISTS ''@localhost;
CREATE OR REPLACE USER root@'%' IDENTIFIED BY '{ROOT_PASSWORD}';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
CREATE OR REPLACE USER root@localhost IDENTIFIED BY '{ROOT_PASSWORD}';
GRANT ALL ON *.* TO root@localhost WITH GRANT OPTION;
DROP USER IF EXISTS root@'127.0.0.1', root@'::1';
CREATE USER reader IDENTIFIED BY '{PASSWORD}';
GRANT SELECT ON shop.* TO reader;
CREATE USER writer IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON shop.* TO writer;
CREATE USER nobody_rights IDENTIFIED BY '{PASSWORD}';
CREATE USER tls_only IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;
GRANT SELECT ON shop.* TO tls_only;
CREATE USER x509_only IDENTIFIED BY '{PASSWORD}' REQUIRE X509;
GRANT SELECT ON shop.* TO x509_only;
CREATE USER one_connection IDENTIFIED BY '{PASSWORD}' WITH MAX_USER_CONNECTIONS 1;
GRANT SELECT ON shop.* TO one_connection;
CREATE USER socket_only IDENTIFIED VIA unix_socket;
CREATE USER locked IDENTIFIED BY '{PASSWORD}' ACCOUNT LOCK;
CREATE USER expired IDENTIFIED BY '{PASSWORD}' PASSWORD EXPIRE;
"""
SMALL = ("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M", "--skip-name-resolve")


def data(folder: Path) -> Path:
    """The empty data folder from which each server starts."""
    root, daemon = program()
    give(folder)
    call(
        [
            *(f"{daemon.parents[1]}/bin/mariadb-install-db", "--no-defaults"),
            *(f"--basedir={root}/usr", f"--datadir={folder}/data", "--skip-test-db", *SMALL),
            "--auth-root-authentication-method=normal",
        ],
        packages.environment(root),
    )
    return folder / "data"


def start(run: Run, folder: Path, certificates: Certificates, empty: Path, *options: str) -> Server:
    """Start a server in the folder, with options for `mariadbd` such as `--max-connections=10`."""
    root, daemon = program()
    scratch, seed, port = folder / "tmp", folder / "seed.sql", free_port()
    copy(empty, folder / "data")
    scratch.mkdir()
    seed.write_text(SEED, "utf-8")
    give(folder, scratch)
    launch(
        run,
        folder,
        [
            *(str(daemon), "--no-defaults", f"--basedir={root}/usr", *SMALL),
            *(f"--datadir={folder}/data", f"--tmpdir={scratch}", f"--init-file={seed}"),
            *(f"--socket={folder}/socket", f"--pid-file={folder}/pid"),
            *(f"--bind-address={','.join(addresses())}", f"--port={port}"),
            *(f"--ssl-ca={certificates.ca}", f"--ssl-cert={certificates.cert}"),
            f"--ssl-key={certificates.key}",
            *("--character-set-server=utf8mb4", "--disconnect-on-expired-password", *options),
        ],
        packages.environment(root),
        stop_signal=signal.SIGTERM,
        ready=lambda: answers(port),
    )
    return Server("127.0.0.1", port, port, folder / "socket", folder, root="root")


def program() -> tuple[Path, Path]:
    """The root of the packages and the server in it."""
    return packages.find("usr/sbin/mariadbd", "mariadb-server-core", "mariadb-client-core")
