"""Finding what is secret in a YAML text, each literal once and at its exact characters."""

from typing import Final, Literal, NamedTuple

from osiris_lsp.finding import Severity
from osiris_lsp.text import Span
from osiris_lsp.tree import Scalar

Kind = Literal[
    "private-key",
    "provider-token",
    "url-credentials",
    "secret-default",
    "plaintext-secret",
    "encoded-secret",
    "high-entropy-value",
    "secret-in-comment",
]
"""The rule that reports a leak."""


class Leak(NamedTuple):
    """A secret that is written out; `span` is that of the literal part alone.

    `subject` is what messages call it, without a character of it: "`password`", "a GitHub token".
    `variable` is the name to use instead, where the runtime would replace it. `severity` None is
    the rule's own.
    """

    kind: Kind
    span: Span
    subject: str
    variable: str = ""
    severity: Severity | None = None


class Place(NamedTuple):
    """A scalar of a field that a spec declares secret; `variable` is the name to use instead.

    `is_address`: in a connection string only its password counts.
    """

    name: str
    variable: str
    node: Scalar
    is_address: bool


ADVICE: Final = "keep it outside the repository, and change it because it was stored here"
"""What to do about a secret that is written out."""


def remedy(leak: Leak) -> str:
    """Return what to do about a leak, with the variable to use where there is one."""
    if not leak.variable:
        return ADVICE
    return (
        f"use `${{{leak.variable}}}`, set it outside the repository, and change the secret because "
        "it was stored here"
    )
