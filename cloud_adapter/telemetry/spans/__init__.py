"""Spans: how they are made, and what they say."""
