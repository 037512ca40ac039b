"""The content of the local Azure before a migration starts."""
