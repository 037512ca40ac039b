"""Queue triggers of the Functions host."""
