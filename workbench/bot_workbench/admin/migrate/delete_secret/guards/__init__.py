"""What speaks against deleting a secret: one function for each situation."""
