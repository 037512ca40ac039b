"""The chat page and the sign-in page."""
