"""Log records without secrets."""

import io
import logging

from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.connectors import RedactingFilter, ResolvedConnection

SECRETS = st.text(
    st.characters(codec="ascii", categories=["L", "N", "P"], exclude_characters="*"),
    min_size=8,
    max_size=20,
)


@given(SECRETS)
def test_no_record_shows_a_secret(secret: str) -> None:
    """Neither in the message, nor in arguments, nor in the traceback of an exception."""
    connection = ResolvedConnection("mysql", "x", {"password": secret, "user": "ann"})
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RedactingFilter(connection.redactor()))
    logger = logging.Logger("driver")
    logger.addHandler(handler)
    logger.warning("login with %s as %s", connection["password"], {"pw": secret})
    logger.warning(f"mysql://ann:{secret}@h/d")
    try:
        raise ValueError(f"bad password {secret}")
    except ValueError:
        logger.exception("it failed")
    shown = out.getvalue()
    assert secret not in shown
    assert "ValueError: bad password ***" in shown
