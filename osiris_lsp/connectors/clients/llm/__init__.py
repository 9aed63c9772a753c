"""The LLM connector of seed 000: OpenAI, and servers with the same interface."""

from osiris_lsp.connectors.clients.llm import llm_connector as llm_connector
