"""Azure as the commands use it: one HTTP stack, and a client for each service."""
