"""Log Analytics, as the commands use it."""
