"""`migrate delete-secret`: deletes a bot's secrets, after proof that nothing needs them."""
