"""Conversation and user state, and the lock that runs one turn of a conversation at a time."""
