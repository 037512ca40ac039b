"""The inspector: what happens in each of the bot's turns, for the inspector page."""
