"""Certificates for servers and clients, as files."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from tests.services.processes import give

Kind = Literal["good", "wrong_host", "expired", "untrusted", "client"]


@dataclass(frozen=True)
class Certificates:
    """Two authorities and what they issued: `untrusted` by `other_ca`, all others by `ca`."""

    ca: Path
    other_ca: Path
    cert: Path  # good for localhost, 127.0.0.1 and ::1, as are `expired` and `untrusted`
    key: Path
    wrong_host_cert: Path
    wrong_host_key: Path
    expired_cert: Path
    expired_key: Path
    untrusted_cert: Path
    untrusted_key: Path
    client_cert: Path
    client_key: Path

    def pair(self, kind: Kind) -> tuple[Path, Path]:
        """The certificate and the key of a kind."""
        pairs = {
            "good": (self.cert, self.key),
            "wrong_host": (self.wrong_host_cert, self.wrong_host_key),
            "expired": (self.expired_cert, self.expired_key),
            "untrusted": (self.untrusted_cert, self.untrusted_key),
            "client": (self.client_cert, self.client_key),
        }
        return pairs[kind]

    def client_context(self, *, own: bool = False) -> ssl.SSLContext:
        """What a client that trusts `ca` uses, with a certificate of its own or without."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if own:
            context.load_cert_chain(*self.pair("client"))
        return context


def issue(folder: Path) -> Certificates:
    """Write new certificates into the folder, keys for the servers' user only."""
    import trustme

    authority, other = trustme.CA(), trustme.CA()
    hosts = ("localhost", "127.0.0.1", "::1")
    past = datetime(2020, 1, 1, tzinfo=UTC)

    def write(name: str, certificate: trustme.LeafCert) -> tuple[Path, Path]:
        chain, key = folder / f"{name}.pem", folder / f"{name}.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        key.write_bytes(certificate.private_key_pem.bytes())
        key.chmod(0o600)
        give(key)
        return chain, key

    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    other.cert_pem.write_to_path(str(folder / "other-ca.pem"))
    return Certificates(
        folder / "ca.pem",
        folder / "other-ca.pem",
        *write("server", authority.issue_cert(*hosts)),
        *write("wrong-host", authority.issue_cert("db.example.com")),
        *write("expired", authority.issue_cert(*hosts, not_after=past)),
        *write("untrusted", other.issue_cert(*hosts)),
        *write("client", authority.issue_cert("client@example.com", common_name="x509_only")),
    )
