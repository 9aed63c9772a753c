"""Redis with a password, accounts with few rights and a port for TLS."""

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
    free_port,
    give,
    launch,
)
from tests.services.run import Run


def start(run: Run, folder: Path, certificates: Certificates) -> Server:
    """Start a server in the folder; its administrator is the user `default`."""
    root, daemon = packages.find("usr/bin/redis-server", "redis-server")
    port, tls_port = free_port(), free_port()
    settings = {
        "bind": " ".join(addresses()),
        "port": port,
        "tls-port": tls_port,
        "tls-ca-cert-file": certificates.ca,
        "tls-cert-file": certificates.cert,
        "tls-key-file": certificates.key,
        "tls-auth-clients": "no",
        "unixsocket": folder / "socket",
        "dir": folder,
        "save": '""',
        "requirepass": ROOT_PASSWORD,
    }
    configuration = folder / "redis.conf"
    accounts = (
        f"user reader on >{PASSWORD} ~* -@all +@read +@connection\n"
        f"user nobody_rights on >{PASSWORD} -@all\n"
    )
    lines = (f"{name} {value}\n" for name, value in settings.items())
    configuration.write_text("".join(lines) + accounts)
    give(folder)
    launch(
        run,
        folder,
        [str(daemon), str(configuration)],
        packages.environment(root),
        stop_signal=signal.SIGTERM,
        ready=lambda: answers(port, b"PING\r\n"),
    )
    return Server("127.0.0.1", port, tls_port, folder / "socket", folder, root="default")
