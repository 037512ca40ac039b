"""What the bot says and does. This is the folder to edit."""
