"""The observers: what the recorder sees of each part of a turn."""
