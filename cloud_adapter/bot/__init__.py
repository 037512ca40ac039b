"""What the base offers the bot in bot_logic, and how it finds the bot."""
