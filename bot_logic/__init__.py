"""What the bot says and does. This is the package to edit."""
