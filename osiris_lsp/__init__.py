"""A linter and language server for the YAML of Osiris data pipelines."""

__version__ = "0.1.0"
