"""Queued turns: the channel gets its answer at once, and turns run from a queue."""
