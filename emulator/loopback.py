"""The only address that anything of the local cloud listens on."""

LOOPBACK = "127.0.0.1"
