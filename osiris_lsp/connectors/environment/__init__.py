"""Connectors that take what they need from environment variables and one context (seed 000)."""

from osiris_lsp.connectors.environment import oauth_connector as oauth_connector
