"""Proactive messages: stored conversation references, and notifications."""
