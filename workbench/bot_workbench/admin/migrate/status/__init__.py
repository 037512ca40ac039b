"""The report of `migrate status`, and its output."""
