"""aiohttp bot: BotBuilder's own adapter on aiohttp, with this project's credentials."""
