"""What errors of the `openai` library mean; their own texts may repeat a key and are not used."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from osiris_lsp.connectors.clients.http.response import failure
from osiris_lsp.connectors.conversion import converted
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorParseError,
)

Found = TypeVar("Found")

_REMEDIES: Final[Mapping[str, str]] = {
    "http.unauthorized": "check `API_KEY`, or the client that `OAUTH_CLIENT_ID` names",
    "http.rate_limited": "wait, send less at once, or ask for a higher limit",
    "http.quota": "buy credit or raise the limit on the billing page; waiting does not help",
    "http.not_found": "check the model and the path of `OPENAI_BASE_URL`; it often ends in `/v1`",
    "http.invalid": "check `messages`, `tools` and `llm_params`",
}
# https://platform.openai.com/docs/guides/error-codes
_CODES: Final[Mapping[str, tuple[str, str, str]]] = {
    "model_not_found": (
        "openai.model_missing",
        "model",
        "use a model that the server lists and the key may use, or set `LLM_MODEL_LOW`, `_MEDIUM` "
        "and `_HIGH`",
    ),
    "context_length_exceeded": (
        "openai.context_length",
        "messages",
        "shorten the conversation, or use a model with a longer context",
    ),
}


def meaning(error: Exception, where: str) -> ConnectorError:
    """Return what an error means, for the operation that `where` names."""
    import openai

    if isinstance(error, ConnectorError):
        return error
    if isinstance(error, TypeError):
        return ConnectorConfigError(
            f"{where} was given a parameter that the `openai` library does not take",
            code="llm.parameter",
            field="llm_params",
            remedy="check its spelling; what only this server knows goes into `extra_body`",
        )
    if isinstance(error, openai.APIStatusError):
        found = failure(error.response, where)
        if found is not None:
            code, field, remedy = _CODES.get(error.code or "", (found.code, found.field, ""))
            found.remedy = remedy or _REMEDIES.get(found.code, found.remedy)
            found.code, found.field = code, field
            return found
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__
        return converted(cause if isinstance(cause, Exception) else TimeoutError(), where)
    if isinstance(error, UnicodeEncodeError):
        return ConnectorConfigError(
            f"{where} was given a text that UTF-8 has no form for",
            code="llm.text",
            field="messages",
            remedy="take out lone surrogates, such as halves of an emoji",
        )
    # What the library raises where an answer lacks what it reads: JSON errors are ValueErrors.
    if isinstance(error, openai.APIResponseValidationError | ValueError | AttributeError):
        return unreadable(where)
    if isinstance(error, openai.APIError):
        return ConnectorAPIError(
            f"{where} was broken off by the server",
            code="llm.failed",
            stage="query",
            remedy="try again",
            retryable=True,
        )
    return converted(error, where)


def read(where: str, take: Callable[[], Found]) -> Found:
    """Return what is taken out of an answer; the library lets a server leave out anything."""
    try:
        return take()
    except (AttributeError, TypeError, ValueError, LookupError):
        pass
    raise unreadable(where)


def unreadable(where: str, *, retryable: bool = False) -> ConnectorParseError:
    """Return the error of an answer that is none of a model."""
    return ConnectorParseError(
        f"{where} was answered with something that cannot be read",
        code="llm.bad_answer",
        stage="query",
        remedy="check that `OPENAI_BASE_URL` leads to a server with the interface of OpenAI",
        retryable=retryable,
    )


def truncated(where: str) -> ConnectorNetworkError:
    """Return the error of an answer without an end."""
    return ConnectorNetworkError(
        f"{where} ended in the middle of the answer",
        code="llm.truncated",
        stage="query",
        remedy="try again; what came so far is not the whole answer",
    )
