"""What is in the local Azure before a migration starts."""
