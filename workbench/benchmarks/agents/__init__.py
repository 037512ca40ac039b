"""The Agents SDK part of the comparison: one application of it in three hosts, and BotBuilder's."""
