"""What can go wrong while something is installed."""


class SetUpError(Exception):
    """Something cannot be installed; the text says what, why and what to do, in one line."""
