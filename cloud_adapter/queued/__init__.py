"""Queued turns: the channel is answered at once, and turns run from a queue."""
