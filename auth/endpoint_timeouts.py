"""How long an endpoint on the way to a token may take: identity endpoint, vault and Entra alike."""

CONNECT_TIMEOUT, READ_TIMEOUT = 2, 5
"""Seconds."""
