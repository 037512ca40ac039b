"""The objections to deleting a secret: one function for each situation."""
