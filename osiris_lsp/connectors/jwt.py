"""JSON Web Tokens (RFC 7519): what one says, and one signed with an RSA key."""

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def claims(token: str) -> Mapping[str, Any]:
    """Return what a token says, unchecked; nothing for a text that is no token."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def signed(content: Mapping[str, Any], key: "RSAPrivateKey") -> Secret:
    """Return a token with these claims, signed by RS256 (RFC 7518 section 3.3)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    text = ".".join(_part(json.dumps(part).encode()) for part in (_HEADER, content))
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return Secret(f"{text}.{_part(signature)}")


def fingerprint(key: "RSAPrivateKey") -> str:
    """Return the SHA-256 digest of the public key (DER) in base64."""
    from cryptography.hazmat.primitives import hashes, serialization

    digest = hashes.Hash(hashes.SHA256())
    digest.update(
        key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return b64encode(digest.finalize()).decode()


_HEADER = {"alg": "RS256", "typ": "JWT"}


def _part(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
