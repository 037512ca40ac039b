"""Timer triggers of the Functions host."""
