"""The only address that the local cloud listens on."""

LOOPBACK = "127.0.0.1"

SHORT_LOOPBACK = "127.1"
"""LOOPBACK in a form that the app does not recognize as loopback.

An app that runs as in Azure refuses loopback service URLs; with this one in AllowedServiceHosts it
can reply to a local connector.
"""
