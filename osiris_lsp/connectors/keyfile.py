"""Keys that a connection names or holds."""

from typing import TYPE_CHECKING, Final

from osiris_lsp.connectors import paths
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.health import Check

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

MAX_BYTES: Final = 1_000_000


def read(check: Check, field: str) -> bytes:
    """Return the file in a field; raises ConnectorConfigError where it is missing or too large."""
    check.at("config", field)
    return content(check.connection, field)


def content(connection: ResolvedConnection, field: str) -> bytes:
    """Return the file in a field, outside of a check."""
    path = connection.path(field)
    try:
        with open(path, "rb") as file:
            found = file.read(MAX_BYTES + 1)
    except PermissionError as error:
        raise paths.denied(field, f"this user may not read {path}") from error
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        raise paths.missing(path, field) from error
    if len(found) > MAX_BYTES:
        raise ConnectorConfigError(
            f"{path} is larger than {MAX_BYTES:,} bytes",
            code="file.too_large",
            field=field,
            remedy=f"check `{field}`: it may name another file",
        )
    return found


def rsa_key(check: Check, field: str, passphrase_field: str) -> "RSAPrivateKey":
    """Return the private key in a field: PEM, or the path of a file where its name says so."""
    connection = check.connection
    pem = read(check, field) if field.endswith("_file") else connection.text(field).encode()
    return loaded(pem, connection.text(passphrase_field), field, passphrase_field)


def loaded(
    pem: bytes, passphrase: str = "", field: str = "private_key", passphrase_field: str = ""
) -> "RSAPrivateKey":
    """Return the private key in a PEM; the fields are those that an error names."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    marked, cause = field, "it is no private RSA key in PEM form"
    try:
        key = load_pem_private_key(pem, passphrase.encode() or None)
        if isinstance(key, RSAPrivateKey):
            return key
    except TypeError:  # a passphrase that is missing, or not needed
        marked = passphrase_field or field
        cause = "the key has no passphrase" if passphrase else "the key needs a passphrase"
    except (ValueError, UnsupportedAlgorithm):
        if passphrase and b"ENCRYPTED" in pem:
            marked, cause = passphrase_field, "it does not open the key"
    raise ConnectorConfigError(
        f"`{marked}` cannot be used: {cause}",
        code="key.unusable",
        field=marked,
        remedy="the key has to be an RSA key in PKCS 8 form, `-----BEGIN PRIVATE KEY-----`",
    )
