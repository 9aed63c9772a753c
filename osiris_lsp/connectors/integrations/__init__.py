"""Connectors of services that programs read and change; one package per service."""
