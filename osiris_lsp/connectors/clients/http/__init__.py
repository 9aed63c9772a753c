"""The HTTP client framework (seed 004)."""
