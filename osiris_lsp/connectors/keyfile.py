"""Keys that a connection names or holds."""

from typing import TYPE_CHECKING, Final

from osiris_lsp.connectors import paths
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.health import Check

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

MAX_BYTES: Final = 1_000_000


def read(check: Check, field: str) -> bytes:
    """Return the file in a field; raises ConnectorConfigError where it is missing or too large."""
    path = check.connection.path(field)
    check.at("config", field)
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except PermissionError as error:
        raise paths.denied(field, f"this user may not read {path}") from error
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        raise paths.missing(path, field) from error
    if len(content) > MAX_BYTES:
        raise ConnectorConfigError(
            f"{path} is larger than {MAX_BYTES:,} bytes",
            code="file.too_large",
            field=field,
            remedy=f"check `{field}`: it may name another file",
        )
    return content


def rsa_key(check: Check, field: str, passphrase_field: str) -> "RSAPrivateKey":
    """Return the private key in a field: PEM, or the path of a file where its name says so."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    connection = check.connection
    pem = read(check, field) if field.endswith("_file") else connection.text(field).encode()
    passphrase = connection.text(passphrase_field)
    marked, cause = field, "it is no private RSA key in PEM form"
    try:
        key = load_pem_private_key(pem, passphrase.encode() or None)
        if isinstance(key, RSAPrivateKey):
            return key
    except TypeError:  # a passphrase that is missing, or not needed
        marked = passphrase_field
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
