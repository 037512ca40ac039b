"""Calls to the channel's REST services, as the bot."""
