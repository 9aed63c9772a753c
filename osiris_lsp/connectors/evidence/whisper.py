"""Whisper: what is said in audio files, through the interface of OpenAI."""

import asyncio
import secrets
from collections.abc import Mapping
from os import PathLike
from pathlib import PurePosixPath
from typing import Any, Final

from osiris_lsp.connectors.auth.config import create_bearer_auth
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorValidationError
from osiris_lsp.connectors.evidence.base import checked
from osiris_lsp.connectors.evidence.files import Folder
from osiris_lsp.connectors.evidence.service import ServiceConnector
from osiris_lsp.connectors.evidence.shape import inner, part, text
from osiris_lsp.connectors.evidence.source import Evidence, SourceType, iso_time
from osiris_lsp.secret import Secret

MAX_AUDIO: Final = 25_000_000
"""Bytes of a file that OpenAI takes."""

SUFFIXES: Final = (
    ".flac",
    ".m4a",
    ".mp3",
    ".mp4",
    ".mpeg",
    ".mpga",
    ".oga",
    ".ogg",
    ".wav",
    ".webm",
)


class WhisperConnector(ServiceConnector):
    """Transcripts of the audio files below `root`; ids are paths from there.

    `fetch` transcribes a file, which costs money and is kept in the cache. `search` looks through
    what this connector has transcribed so far.
    https://platform.openai.com/docs/api-reference/audio/createTranscription
    """

    name = "Whisper"
    source_type = SourceType.TRANSCRIPT
    needs = "root"
    default_url = "https://api.openai.com/v1"
    confidence = 0.7
    authority = 0.6

    def __init__(
        self,
        *,
        root: str | PathLike[str] = "",
        api_key: str | Secret | None = None,
        model: str = "whisper-1",
        language: str = "",
        **options: Any,
    ) -> None:
        # A file takes longer than the usual question.
        super().__init__(
            auth=create_bearer_auth(api_key) if api_key else None, **{"timeout": 300.0, **options}
        )
        self._folder = Folder(root) if root else None
        self._model = model
        self._language = language
        self._made: dict[str, None] = {}

    @classmethod
    def from_connection(cls, connection: ResolvedConnection, **options: Any) -> "WhisperConnector":
        """Return the connector of a connection; its `root` counts from the connections file."""
        return super().from_connection(connection, **{"root": connection.path("root"), **options})

    @property
    def is_configured(self) -> bool:
        """Whether there is a folder with files."""
        return self._folder is not None

    async def search(self, query: str, limit: int = 10, **options: Any) -> list[Evidence]:
        """Find transcripts that hold all words of a query, the newest first."""
        words = checked(query, limit).lower().split()
        found = []
        for name in reversed(self._made):
            evidence = self._cache_get(name)
            if evidence is not None and all(word in evidence.content.lower() for word in words):
                found.append(evidence)
        return found[:limit]

    async def _load(self, evidence_id: str) -> Evidence | None:
        if self._folder is None:
            raise ConnectorConfigError(
                "`Whisper` has no folder of audio files", field="root", remedy="add `root`"
            )
        if not evidence_id.lower().endswith(SUFFIXES):
            return None
        read = await asyncio.to_thread(self._folder.read, evidence_id, MAX_AUDIO)
        if read is None:
            return None
        audio, changed = read
        if not audio:
            raise ConnectorValidationError("the file is empty", code="file.empty")
        found = await self._transcribe(evidence_id, audio, iso_time(changed))
        self._made.pop(evidence_id, None)
        self._made[evidence_id] = None
        return found

    async def _transcribe(self, id: str, audio: bytes, created_at: str | None) -> Evidence:
        # The newer models know `json` only; of Whisper itself we learn language and length, too.
        form = "verbose_json" if "whisper" in self._model else "json"
        fields = {"model": self._model, "response_format": form}
        fields |= {"language": self._language} if self._language else {}
        kind, body = multipart(fields, PurePosixPath(id).name, audio)
        # Sent again only where the server has not begun: each transcript is paid for.
        answer = await self._ask(
            "fetch",
            "/audio/transcriptions",
            "POST",
            repeat=False,
            data=body,
            headers={"Content-Type": kind},
        )
        part(answer, "text", where=self.name)
        return self._evidence(
            id,
            id,
            text(answer, "text"),
            url=None,
            title=PurePosixPath(id).name,
            created_at=created_at,
            metadata={
                "model": self._model,
                "language": text(answer, "language"),
                "seconds": inner(answer, "duration"),
            },
        )


def multipart(fields: Mapping[str, str], name: str, data: bytes) -> tuple[str, bytes]:
    """Return a form with a file, and its content type (RFC 7578)."""
    boundary = secrets.token_hex(16)
    quoted = name.replace("\\", "_").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    end = f"\r\n--{boundary}--\r\n".encode()
    body = b"".join((*parts, head.encode("utf-8", "replace"), data, end))
    return f"multipart/form-data; boundary={boundary}", body
