"""A bot as people have it before they migrate: BotBuilder's adapter, with a client secret."""
