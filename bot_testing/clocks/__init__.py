"""Time that passes because a test says so."""
