"""Clients to begin with."""
