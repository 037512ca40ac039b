"""`bot run`: the bot on this machine, with authentication, and a chat page."""
