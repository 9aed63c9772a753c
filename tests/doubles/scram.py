"""The server's side of SCRAM (RFC 5802, RFC 7677), without channel binding."""

import base64
import hashlib
import hmac
import secrets

ITERATIONS = 4096


class Scram:
    """One exchange: `first`, then `final`; `digest` is `sha1` or `sha256`."""

    def __init__(self, digest: str, password: str) -> None:
        self._digest = digest
        self._salt = secrets.token_bytes(16)
        self._salted = hashlib.pbkdf2_hmac(digest, password.encode(), self._salt, ITERATIONS)
        self._said = ""
        self._nonce = ""

    def first(self, message: bytes) -> bytes:
        """Answer the client's first message with nonce, salt and iterations."""
        bare = message.decode().split(",", 2)[2]
        self._nonce = _attributes(bare)["r"] + secrets.token_hex(12)
        salt = base64.b64encode(self._salt).decode()
        answer = f"r={self._nonce},s={salt},i={ITERATIONS}"
        self._said = f"{bare},{answer}"
        return answer.encode()

    def final(self, message: bytes) -> bytes | None:
        """Prove who the server is to a client with the right proof, or None."""
        without_proof, _, proof = message.decode().rpartition(",p=")
        said = f"{self._said},{without_proof}".encode()
        client_key = self._hmac(self._salted, b"Client Key")
        stored_key = hashlib.new(self._digest, client_key).digest()
        signature = self._hmac(stored_key, said)
        expected = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        same_nonce = _attributes(without_proof).get("r") == self._nonce
        if not same_nonce or not hmac.compare_digest(expected, base64.b64decode(proof)):
            return None
        server_signature = self._hmac(self._hmac(self._salted, b"Server Key"), said)
        return b"v=" + base64.b64encode(server_signature)

    def _hmac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, self._digest)


def user(message: bytes) -> str:
    """The user that the client's first message names."""
    name = _attributes(message.decode().split(",", 2)[2])["n"]
    return name.replace("=2C", ",").replace("=3D", "=")


def _attributes(message: str) -> dict[str, str]:
    return {part[0]: part[2:] for part in message.split(",")}
