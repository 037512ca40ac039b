"""What the bot says. This is the folder to edit: see README.md, "Extend it"."""
