"""The bridge to bots of the Microsoft 365 Agents SDK, BotBuilder's successor."""
