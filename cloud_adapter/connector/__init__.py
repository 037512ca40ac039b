"""The bot's calls to the channel's REST services, and to skills."""
