"""JSON Web Tokens (RFC 7519) as the doubles hand them out and check them."""

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.doubles.messages import CANARY


def look_alike(claims: Mapping[str, object]) -> str:
    """A token with a real header and payload, and the canary for a signature."""
    header = {"alg": "HS256", "typ": "JWT"}
    return f"{_encode(header)}.{_encode(claims)}.{CANARY}{'A' * 37}"


@functools.cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    """The 2048-bit key of this name, made once per process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey, passphrase: str | None = None) -> str:
    """A key as PKCS 8 in PEM form, encrypted if there is a passphrase."""
    if passphrase is None:
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    else:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, encryption).decode()


def fingerprint(key: rsa.RSAPrivateKey) -> str:
    """`SHA256:` and the base64 digest of the public key (Snowflake, key-pair authentication)."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    digest = hashlib.sha256(key.public_key().public_bytes(encoding, form)).digest()
    return f"SHA256:{base64.b64encode(digest).decode()}"


def sign(claims: Mapping[str, object], key: rsa.RSAPrivateKey) -> str:
    """An RS256 token (RFC 7515)."""
    signed = f"{_encode({'alg': 'RS256', 'typ': 'JWT'})}.{_encode(claims)}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_encode_bytes(signature)}"


def verify(token: str, key: rsa.RSAPrivateKey) -> dict[str, Any] | None:
    """The claims of an RS256 token, or None if it is no such token or another key signed it."""
    try:
        signed, signature = token.rsplit(".", 1)
        header, payload = signed.split(".")
        if json.loads(_decode(header))["alg"] != "RS256":
            return None
        public = key.public_key()
        public.verify(_decode(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        claims = json.loads(_decode(payload))
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return None
    return claims if isinstance(claims, dict) else None


def _encode(content: object) -> str:
    return _encode_bytes(json.dumps(content, separators=(",", ":")).encode())


def _encode_bytes(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
