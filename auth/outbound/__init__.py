"""How the bot signs in: one module for each credential, and the token cache in front of them."""
