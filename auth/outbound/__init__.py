"""How the bot signs in: one module for each credential, and the token cache before them."""
