"""What `migrate status` finds, and how it is shown."""
