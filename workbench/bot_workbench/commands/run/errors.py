"""The errors that keep a run from starting, or end it."""


class StartError(Exception):
    """The run cannot start; the text says what to do."""
