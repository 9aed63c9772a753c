"""Log records without secrets."""

import logging

from osiris_lsp.secret import Redactor


class RedactingFilter(logging.Filter):
    """Take known secrets out of log records: messages, arguments and tracebacks.

    Put it on a handler, so that it sees the records of all loggers:
    `handler.addFilter(RedactingFilter(connection.redactor()))`.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact a record in place and keep it."""
        record.msg = self._redactor.redact(record.getMessage())
        record.args = ()
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        if record.exc_text:
            record.exc_text = self._redactor.redact(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redactor.redact(record.stack_info)
        return True
