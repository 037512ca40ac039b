"""The commands of `bot` for this machine."""
