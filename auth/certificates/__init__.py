"""The bot's certificate: its versions, where they are stored, and what they sign."""
