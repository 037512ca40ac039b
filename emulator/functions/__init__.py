"""The Functions host."""
