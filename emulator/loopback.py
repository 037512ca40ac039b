"""The only address that anything of the local cloud listens on."""

LOOPBACK = "127.0.0.1"

SHORT_LOOPBACK = "127.1"
"""The same address to every resolver, and no name of this machine to the app: where it runs as in
Azure, it may send replies there if AllowedServiceHosts says so, as to a channel's host."""
