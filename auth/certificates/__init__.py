"""The bot's certificate: its versions, where they are stored, and the assertions they sign."""
