"""Set-up with npm, and without it."""
