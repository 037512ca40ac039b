"""A Teams client: people, conversations, and what they do to the bot."""
