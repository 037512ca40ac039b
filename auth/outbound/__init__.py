"""The bot's sign-in: a module for each credential, and the token cache in front of them."""
