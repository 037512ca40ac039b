"""Authentication: who the bot is (outbound tokens), and who may call it (inbound tokens)."""
