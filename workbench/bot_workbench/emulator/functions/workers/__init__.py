"""The worker processes of the Functions host."""
