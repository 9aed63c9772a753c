"""Whisper: the models of the server that transcribes."""

from typing import ClassVar, Final

from osiris_lsp.connectors.families.openai import OpenaiConnector


class WhisperConnector(OpenaiConnector):
    """The OpenAI API, or a server that speaks it; transcribing itself would cost money."""

    family: ClassVar[str] = "whisper"


CONNECTOR: Final = WhisperConnector()
