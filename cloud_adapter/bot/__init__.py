"""The bot in bot_logic: its import, its routes, and what the base offers it."""
