"""The language server: one module per editor feature over views of open documents."""

from typing import Final

FEATURES: Final = (
    "sync",
    "diagnostics",
    "settings",
    "hover",
    "completion",
    "definition",
    "references",
    "rename",
    "highlight",
    "symbols",
    "folding",
    "selection",
    "semantic_tokens",
    "links",
    "code_actions",
    "code_lens",
    "inlay_hints",
    "checks",
    "commands",
    "requests",
)
"""Modules of this package with `register(server)`; the order is that of registration."""
