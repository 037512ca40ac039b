"""Conversation and user state, and the lock that lets one turn of a conversation run at a time."""
