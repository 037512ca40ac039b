"""Who may call the bot: the channel's tokens, its signing keys, and service URLs."""
