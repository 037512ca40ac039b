"""The feed: what the bot's processes report to the local cloud while the bot runs."""
