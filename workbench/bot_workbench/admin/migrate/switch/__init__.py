"""`switch` and `back`: which app answers the users of a bot."""
