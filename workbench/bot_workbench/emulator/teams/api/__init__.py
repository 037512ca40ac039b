"""The HTTP API with which pages use the local Teams."""
