"""Objects in stored state."""
