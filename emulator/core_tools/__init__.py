"""Core Tools: how the worker of `func start` reports the bot's turns to the local cloud."""
